/** Entries of deposit data files with real signatures, for vaults in tests. */
import { bls } from '../../core/bls/backend.js'
import type { DepositDataEntry } from '../../core/deposits/deposit-data.js'
import { type Hex, toHex } from '../../core/hex.js'
import { depositSigningRoot, type ValidatorType, withdrawalCredentials } from '../../core/messages/deposit.js'
import { loadNetwork, type Network } from '../../core/network.js'
import { secretKeyOf } from '../devnet/deposits.js'

export const hoodi = loadNetwork('hoodi')
export const VAULT: Hex = '0xba447498DC4c169f2b4f427B2c4D532320457E89'

export interface EntryOptions {
  readonly type?: ValidatorType
  /** Gwei */
  readonly amount?: bigint
  readonly vault?: Hex
  readonly network?: Network
}

/** An entry that says its withdrawal credentials, signed by the key with this name. */
export function signedEntry(
  name: string,
  { type = '0x01', amount = 32_000_000_000n, vault = VAULT, network = hoodi }: EntryOptions = {},
): Required<DepositDataEntry> {
  const secret = secretKeyOf(name)
  const message = {
    publicKey: toHex(bls.encodePublicKey(bls.toPublicKey(secret))),
    withdrawalCredentials: withdrawalCredentials(type, vault),
    amount,
  }
  const signature = toHex(bls.encodeSignature(bls.sign(secret, depositSigningRoot(network, message))))
  return { ...message, signature }
}

/** The same without credentials, as some makers write it. */
export function bareEntry(name: string, options?: EntryOptions): DepositDataEntry {
  const { publicKey, amount, signature } = signedEntry(name, options)
  return { publicKey, amount, signature }
}

/** The text of a file with these entries. */
export function fileText(entries: readonly DepositDataEntry[]): string {
  return JSON.stringify(
    entries.map(({ publicKey, signature, amount, withdrawalCredentials: credentials }) => ({
      pubkey: publicKey.slice(2),
      signature: signature.slice(2),
      amount: Number(amount),
      ...(credentials === undefined ? {} : { withdrawal_credentials: credentials.slice(2) }),
    })),
  )
}
