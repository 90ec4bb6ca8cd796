/** Deposit data files, as Charon, ssv-dkg and staking-deposit-cli write them. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { parsePublicKey, parseSignature } from '../bls/points.js'
import { verifyEach } from '../bls/verify.js'
import { ConfigurationError, ConfigurationErrors, describeError } from '../errors.js'
import { fromHex, type Hex, type PublicKeyHex, shorten, toHex } from '../hex.js'
import { parseJson } from '../json.js'
import {
  type DepositMessage,
  depositDataRoot,
  depositMessageRoot,
  depositSigningRoot,
} from '../messages/deposit.js'
import type { Network } from '../network.js'
import { describeShapeIssues } from '../shape-issues.js'
import { hexBytes, publicKeyField, signatureField } from '../wire/fields.js'

/** One deposit of a file. */
export interface DepositDataEntry {
  readonly publicKey: PublicKeyHex
  /** 96 bytes */
  readonly signature: Hex
  /** Gwei */
  readonly amount: bigint
  /** 32 bytes; absent where the file does not say them. */
  readonly withdrawalCredentials?: Hex
}

/** The deposit contract takes nothing less, in Gwei. */
const MIN_DEPOSIT = 1_000_000_000n
const MAX_UINT64 = 2n ** 64n - 1n
const MOST_ERRORS = 10

const entrySchema = z.object({
  pubkey: publicKeyField,
  signature: signatureField,
  amount: z
    .union([z.int(), z.bigint()], 'expected an integer of Gwei')
    .transform((value) => BigInt(value))
    .refine((value) => value >= MIN_DEPOSIT && value <= MAX_UINT64, 'expected at least 1000000000 Gwei'),
  withdrawal_credentials: hexBytes(32, 'withdrawal credentials')
    .refine(
      isWithdrawalCredentials,
      'expected 0x00 and a hash, or 0x01 or 0x02, 11 zero bytes and an address',
    )
    .nullish(),
  deposit_message_root: hexBytes(32, 'root').nullish(),
  deposit_data_root: hexBytes(32, 'root').nullish(),
  fork_version: hexBytes(4, 'fork version').nullish(),
})

/**
 * Reads a deposit data file: a JSON array whose entries hold `pubkey`, `signature` and `amount`, hex with
 * or without 0x. Other fields are checked where they are there. The signatures are not verified here.
 * @param network whose genesis fork version an entry must name, if it names one
 * @throws ConfigurationError INVALID_DEPOSIT_DATA, or ConfigurationErrors with several of them
 */
export async function loadDepositData(file: string, network?: Network): Promise<DepositDataEntry[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw invalid(`cannot read the deposit data: ${describeError(cause)}`, cause)
  }
  return parseDepositData(text, file, network)
}

/** The same for a file's text. Throws as loadDepositData does. */
export function parseDepositData(text: string, source: string, network?: Network): DepositDataEntry[] {
  let content: unknown
  try {
    content = parseJson(text)
  } catch (cause) {
    throw invalid(`${source} is not JSON: ${describeError(cause)}`, cause)
  }
  if (!Array.isArray(content)) throw invalid(`${source} holds no JSON array of deposits`)
  if (content.length === 0) throw invalid(`${source} holds no deposit`)

  const entries: DepositDataEntry[] = []
  const errors: ConfigurationError[] = []
  const places = new Map<PublicKeyHex, number>()
  for (const [i, item] of content.entries()) {
    const entry = parseEntry(item, network)
    if (typeof entry === 'string') {
      errors.push(invalid(`${source}, entry ${i}: ${entry}`))
      continue
    }
    const earlier = places.get(entry.publicKey)
    if (earlier !== undefined) {
      errors.push(
        invalid(`${source}, entry ${i}: the key ${shorten(entry.publicKey)} stands in entry ${earlier} too`),
      )
    }
    places.set(entry.publicKey, i)
    entries.push(entry)
  }
  const [first] = errors
  if (first === undefined) return entries
  throw errors.length === 1 ? first : new ConfigurationErrors(errors.slice(0, MOST_ERRORS))
}

/** The entry, or what is wrong with it. */
function parseEntry(item: unknown, network: Network | undefined): DepositDataEntry | string {
  const parsed = entrySchema.safeParse(item)
  if (!parsed.success) {
    return describeShapeIssues(parsed.error)
  }
  const fields = parsed.data
  if (network !== undefined && fields.fork_version && fields.fork_version !== network.genesisForkVersion) {
    return `fork_version ${fields.fork_version} is not that of ${network.name} (${network.genesisForkVersion})`
  }
  const entry = { publicKey: fields.pubkey, signature: fields.signature, amount: fields.amount }
  if (!fields.withdrawal_credentials) return entry
  const message = { ...entry, withdrawalCredentials: fields.withdrawal_credentials }
  const messageRoot = toHex(depositMessageRoot(message))
  if (fields.deposit_message_root && fields.deposit_message_root !== messageRoot) {
    return `deposit_message_root is ${shorten(fields.deposit_message_root)}, its fields give ${shorten(messageRoot)}`
  }
  const dataRoot = toHex(depositDataRoot(message, fromHex(entry.signature, 96)))
  if (fields.deposit_data_root && fields.deposit_data_root !== dataRoot) {
    return `deposit_data_root is ${shorten(fields.deposit_data_root)}, its fields give ${shorten(dataRoot)}`
  }
  return message
}

/**
 * Whether each deposit's signature is the validator's over its deposit message, in their order. A key or
 * signature that is no valid point counts as wrong, as it does for the chain.
 */
export function verifyDepositSignatures(
  network: Network,
  deposits: readonly (DepositMessage & { readonly signature: Hex })[],
): boolean[] {
  const sets = deposits.map((deposit) => {
    try {
      return {
        message: depositSigningRoot(network, deposit),
        publicKey: parsePublicKey(deposit.publicKey),
        signature: parseSignature(deposit.signature),
      }
    } catch {
      return undefined
    }
  })
  const verdicts = verifyEach(sets.filter((set) => set !== undefined))
  let next = 0
  return sets.map((set) => set !== undefined && verdicts[next++] === true)
}

/** A hash of a BLS key, or an address after 11 zero bytes (consensus specification, deposit contract). */
function isWithdrawalCredentials(credentials: Hex): boolean {
  return credentials.startsWith('0x00') || /^0x0[12]0{22}/.test(credentials)
}

function invalid(message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError('INVALID_DEPOSIT_DATA', message, {
    hint: 'Give the file as Charon, ssv-dkg or staking-deposit-cli wrote it',
    ...(cause === undefined ? {} : { cause }),
  })
}
