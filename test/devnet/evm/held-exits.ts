/** What the oracles can do with the parts of exit signatures that they were sent. */
import { parsePublicKey } from '../../../core/bls/points.js'
import { recoverVerified } from '../../../core/bls/threshold.js'
import type { PublicKeyHex } from '../../../core/hex.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import type { Network } from '../../../core/network.js'
import { type Oracles, openPart } from '../oracles.js'
import type { ApprovalRequest } from './approval-request.js'

/** A validator that enough oracles can exit together. */
export interface RecoverableExit {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  /** How many oracles hold a part. */
  readonly holders: number
}

/** The parts of one splitting of one exit signature: those of another one do not fit them. */
interface Splitting {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  /** By the oracle's position, what is sealed for it and what its part verifies under. */
  readonly parts: Map<number, { readonly sealed: string; readonly shard: string }>
}

/**
 * The exits that `threshold` oracles can make: each opens its own part of what it approved, and the recombined
 * signature verifies as the exit of the validator's index.
 * @param approved what each oracle approved, in the oracles' order
 * @throws Error where an oracle approved a part that is not one
 */
export function recoverableExits(
  network: Network,
  oracles: Oracles,
  approved: readonly (readonly ApprovalRequest[])[],
): RecoverableExit[] {
  return splittingsOf(approved)
    .filter((splitting) => isRecoverable(network, oracles, splitting))
    .map(({ publicKey, validatorIndex, parts }) => ({ publicKey, validatorIndex, holders: parts.size }))
}

function splittingsOf(approved: readonly (readonly ApprovalRequest[])[]): Splitting[] {
  const splittings = new Map<string, Splitting>()
  for (const [position, requests] of approved.entries()) {
    for (const { publicKeys, publicKeyShards, exitSignatureShards, validatorIndex: first } of requests) {
      for (const [i, publicKey] of publicKeys.entries()) {
        const validatorIndex = first + i
        const shards = publicKeyShards[i] ?? []
        const name = [publicKey, validatorIndex, ...shards].join()
        const splitting = splittings.get(name) ?? { publicKey, validatorIndex, parts: new Map() }
        const part = { sealed: exitSignatureShards[i]?.[position] ?? '', shard: shards[position] ?? '' }
        splittings.set(name, splitting)
        splitting.parts.set(position, part)
      }
    }
  }
  return [...splittings.values()]
}

function isRecoverable(
  network: Network,
  { keys, threshold }: Oracles,
  { publicKey, validatorIndex, parts }: Splitting,
): boolean {
  const root = voluntaryExitSigningRoot(network, presignedExit(network, validatorIndex))
  const shares = keys.flatMap((key, position) => {
    const part = parts.get(position)
    if (part === undefined) return []
    return [{ index: BigInt(position + 1), signature: openPart(key, part.sealed, part.shard, root) }]
  })
  return recoverVerified(shares.slice(-threshold), parsePublicKey(publicKey), root) !== undefined
}
