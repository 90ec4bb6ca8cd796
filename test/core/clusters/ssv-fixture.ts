/** The recorded logs of SSVNetwork with what each of them means, and the operators' own keys. */
import { constants, createPrivateKey, type KeyObject, privateDecrypt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ChainLog } from '../../../core/clusters/ssv-chain.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'

export const SSV_FIXTURE = fileURLToPath(new URL('../../fixtures/ssv/ssv-4op/', import.meta.url))
const read = (file: string): string => readFileSync(SSV_FIXTURE + file, 'utf8')

interface RawLog {
  address: Hex
  topics: Hex[]
  data: Hex
  blockNumber: Hex
  blockHash: Hex
  logIndex: Hex
}

export interface FinalKey {
  owner: Hex
  ownerNonce: number
  operatorIds: number[]
  sharePublicKey: PublicKeyHex
  shareSecretKey: Hex
  sharesInterpolateToPublicKey: boolean
}

export interface Golden {
  name: string
  publicKey: PublicKeyHex
  exits: { validatorIndex: string; epoch: string; partials: Record<string, Hex>; signature: Hex }[]
  deposits: {
    vault: Hex
    validatorType: '0x01' | '0x02'
    amountGwei: string
    withdrawalCredentials: Hex
    partials: Record<string, Hex>
    signature: Hex
  }[]
}

export const EXPECTED = JSON.parse(read('EXPECTED.json')) as {
  contract: Hex
  operators: Record<string, { publicKeyBase64: string }>
  validators: Golden[]
  finalByOperator: Record<string, Record<PublicKeyHex, FinalKey>>
  ownerNonces: Record<Hex, number>
  events: { event: string; effect: Record<string, number[]> }[]
}

/** In the order of EXPECTED.events. */
export const LOGS: readonly ChainLog[] = (JSON.parse(read('logs.json')) as RawLog[]).map((log) => ({
  address: log.address,
  topics: log.topics,
  data: log.data,
  blockNumber: BigInt(log.blockNumber),
  blockHash: log.blockHash,
  logIndex: Number(log.logIndex),
}))

export const OPERATOR_IDS = [11n, 27n, 42n, 350n] as const

/** The log at a position of EXPECTED.events. */
export function logAt(i: number): ChainLog {
  const log = LOGS[i]
  if (log === undefined) throw new Error(`there is no log ${i}`)
  return log
}

/** An operator's private key, from the form that needs no password. */
export function operatorPrivateKey(id: bigint): KeyObject {
  return createPrivateKey(Buffer.from(read(`operators/${id}/private_key.base64`), 'base64').toString())
}

/** Decrypts as the adapter does, but by textbook means: what is left of the padding's zero byte is ignored. */
export function decryptWith(key: KeyObject): (ciphertext: Uint8Array) => Uint8Array | undefined {
  return (ciphertext) => {
    const block = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, ciphertext)
    const end = block.indexOf(0, 2)
    return block[0] === 0 && block[1] === 2 && end >= 10 ? block.subarray(end + 1) : undefined
  }
}
