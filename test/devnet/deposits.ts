/** Deposits with real signatures, for chains in memory. */
import { createHash } from 'node:crypto'
import { bls } from '../../core/bls/backend.js'
import { type Hex, type PublicKeyHex, toHex } from '../../core/hex.js'
import { depositSigningRoot, withdrawalCredentials } from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'

/** What a DepositEvent and a pending deposit say, and whether the chain will take it for a new validator. */
export interface ChainDeposit {
  readonly publicKey: PublicKeyHex
  readonly withdrawalCredentials: Hex
  /** Gwei */
  readonly amount: bigint
  readonly signature: Hex
  /** Whether the signature is a valid one; known to whoever made the deposit. */
  readonly valid: boolean
}

const CREDENTIALS = withdrawalCredentials('0x01', `0x${'c0'.repeat(20)}`)
const ETH_32 = 32_000_000_000n

/** A secret key that depends on its name alone. */
export function secretKeyOf(name: string) {
  const digest = createHash('sha256').update(`deposit ${name}`).digest()
  digest[0] = 1
  return bls.decodeSecretKey(digest)
}

/** A deposit that the key with this name signed. */
export function signedDeposit(network: Network, name: string, amount = ETH_32): ChainDeposit {
  const secret = secretKeyOf(name)
  const message = {
    publicKey: toHex(bls.encodePublicKey(bls.toPublicKey(secret))),
    withdrawalCredentials: CREDENTIALS,
    amount,
  }
  const signature = toHex(bls.encodeSignature(bls.sign(secret, depositSigningRoot(network, message))))
  return { ...message, signature, valid: true }
}

/** The same deposit with the signature of something else. */
export function wronglySigned(network: Network, name: string): ChainDeposit {
  const right = signedDeposit(network, name)
  return { ...right, signature: signedDeposit(network, name, 1_000_000_000n).signature, valid: false }
}
