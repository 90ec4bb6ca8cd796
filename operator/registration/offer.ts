/** What a relayer of dialect 4 offers for registration, and what is wrong or missing with it. */
import type { OfferedValidator, RegistrationOffer } from '../../core/clients/relayer-registrations.js'
import { verifyDepositSignatures } from '../../core/deposits/deposit-data.js'
import { type Hex, type PublicKeyHex, shorten } from '../../core/hex.js'
import {
  MIN_ACTIVATION_BALANCE,
  type ValidatorType,
  withdrawalCredentials,
} from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'
import type { SignedDeposit } from '../../core/vault/validator-bytes.js'
import { checkOracleParts, type OracleSet } from '../collect/oracle-parts.js'
import { NotNow } from '../not-now.js'
import type { CollectedValidator } from './batch-source.js'

/** What was asked for. */
export interface OfferQuestion {
  readonly vault: Hex
  readonly type: ValidatorType
  /** Gwei, those of the validators in their order. */
  readonly amounts: readonly bigint[]
}

/** The only keys that may be registered; undefined: any. */
export interface AcceptedKeys {
  readonly keys: ReadonlySet<PublicKeyHex>
  /** The file's name, for messages. */
  readonly source: string
}

/** How many validators a line names. */
const MOST_NAMED = 5

/**
 * What an offer may never be, complete or not: more validators than asked for, one twice, one that is not
 * accepted, or another amount than the relayer may choose.
 * @throws NotNow WRONG_OFFER, FOREIGN_KEY, WRONG_AMOUNT
 */
export function checkChoice(
  validators: readonly OfferedValidator[],
  { type, amounts }: OfferQuestion,
  accepted: AcceptedKeys | undefined,
): void {
  if (validators.length > amounts.length) {
    throw refuse('WRONG_OFFER', `it offers ${validators.length} validators, ${amounts.length} were asked for`)
  }
  const seen = new Set<PublicKeyHex>()
  for (const [i, { publicKey, amount }] of validators.entries()) {
    const key = shorten(publicKey)
    if (seen.has(publicKey)) throw refuse('WRONG_OFFER', `it offers the key ${key} twice`)
    seen.add(publicKey)
    if (accepted !== undefined && !accepted.keys.has(publicKey)) {
      throw refuse('FOREIGN_KEY', `it offers the key ${key}, which is not in ${accepted.source}`)
    }
    checkAmount(key, type, amount, amounts[i] ?? 0n)
  }
}

function checkAmount(key: string, type: ValidatorType, amount: bigint, asked: bigint): void {
  const fits = type === '0x01' ? amount === asked : amount >= MIN_ACTIVATION_BALANCE && amount <= asked
  if (fits) return
  const allowed = type === '0x01' ? `${asked}` : `${MIN_ACTIVATION_BALANCE} to ${asked}`
  throw refuse('WRONG_AMOUNT', `it offers ${key} with ${amount} Gwei, expected ${allowed}`)
}

/** What an offer still lacks, one line, with what the relayer says of it; undefined where it is complete. */
export function describeMissing(offer: RegistrationOffer): string | undefined {
  const missing = missingIn(offer)
  const { detail } = offer
  return missing === undefined || detail === undefined ? missing : `${missing}; the relayer says: ${detail}`
}

function missingIn({ validators, managerSignature }: RegistrationOffer): string | undefined {
  if (validators.length === 0) return 'the relayer names no validators yet'
  const waiting = validators.flatMap((validator) => missingOf(validator) ?? [])
  if (waiting.length === 0) {
    return managerSignature === undefined ? 'only the validators manager’s signature is missing' : undefined
  }
  const rest = waiting.length - MOST_NAMED
  const named = waiting.slice(0, MOST_NAMED).join('; ')
  const ready = validators.length - waiting.length
  return `${ready} of ${validators.length} validators ready; waiting for ${named}${rest > 0 ? `; and ${rest} more` : ''}`
}

function missingOf({ publicKey, depositSignature, oracleParts }: OfferedValidator): string | undefined {
  const missing = [
    ...(depositSignature === undefined ? ['deposit'] : []),
    ...(oracleParts === undefined ? ['exit'] : []),
  ]
  return missing.length === 0
    ? undefined
    : `${shorten(publicKey)} (${missing.join(' and ')} signature${missing.length > 1 ? 's' : ''})`
}

/**
 * The validators of a complete offer, their deposit signatures and the oracles' parts checked.
 * @throws NotNow WRONG_DEPOSIT_SIGNATURE; DvtExitError INVALID_ORACLE_PARTS
 */
export function collectedOf(
  { validators }: RegistrationOffer,
  { vault, type }: OfferQuestion,
  { network, oracles }: { readonly network: Network; readonly oracles: OracleSet },
): CollectedValidator[] {
  const credentials = withdrawalCredentials(type, vault)
  const collected = validators.flatMap(({ publicKey, amount, depositSignature, oracleParts }) => {
    if (depositSignature === undefined || oracleParts === undefined) return []
    const deposit: SignedDeposit = {
      publicKey,
      amount,
      withdrawalCredentials: credentials,
      signature: depositSignature,
    }
    return [{ deposit, oracleParts }]
  })
  const verdicts = verifyDepositSignatures(
    network,
    collected.map(({ deposit }) => deposit),
  )
  const wrong = collected[verdicts.indexOf(false)]
  if (wrong !== undefined) {
    throw refuse(
      'WRONG_DEPOSIT_SIGNATURE',
      `the deposit signature of ${shorten(wrong.deposit.publicKey)} is not over ${wrong.deposit.amount} Gwei for this vault`,
    )
  }
  for (const { deposit, oracleParts } of collected) checkOracleParts(deposit.publicKey, oracleParts, oracles)
  return collected
}

function refuse(code: string, problem: string): NotNow {
  return new NotNow(code, `the relayer’s answer is refused: ${problem}`, {
    level: 'warn',
    hint: 'Nothing is registered with it: ask whoever runs the relayer',
  })
}
