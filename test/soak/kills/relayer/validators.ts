/** Validators of four nodes whose key shares are known here, and the files that tell a relayer of them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PublicKeyHex } from '../../../../core/hex.js'
import { loadNetwork, type Network } from '../../../../core/network.js'
import { canaryInUse } from '../../../devnet/canary/shared.js'
import { createCluster, type TestValidator } from '../../../relayer/clusters.js'
import { VAULT } from '../vault.js'

export const NODES = [1n, 2n, 3n, 4n] as const
export const THRESHOLD = 3

/** How the relayer learns the public shares: a cluster lock, the nodes' claims, or not at all. */
export type Knowledge = 'given' | 'claimed' | 'none'

export interface LoadValidator extends TestValidator {
  readonly publicKey: PublicKeyHex
  readonly knowledge: Knowledge
}

export function makeValidators(count: number, knowledge: Knowledge): LoadValidator[] {
  return Array.from({ length: count }, (_, i) => {
    const made = createCluster(NODES, THRESHOLD)
    keepSecret(`${knowledge} ${i}`, made)
    return { ...made, publicKey: made.validator.publicKey, knowledge }
  })
}

/** Lets the canary look for what is signed with a key. The relayer is given no key. */
function keepSecret(name: string, { validator: { publicKey }, signRoot }: TestValidator): void {
  const sign = (index: bigint) => (root: Uint8Array) => signRoot(index, root)
  canaryInUse()?.validators.add({
    name,
    network: loadNetwork('hoodi'),
    publicKey,
    whole: { sign: sign(0n) },
    shares: NODES.map((index) => ({ node: `share index ${index}`, sign: sign(index) })),
  })
}

/** Writes an unsigned cluster lock of these validators. @returns the file */
export function writeLock(folder: string, network: Network, validators: readonly LoadValidator[]): string {
  const file = join(folder, 'cluster-lock.json')
  const addresses = { fee_recipient_address: VAULT, withdrawal_address: VAULT }
  const lock = {
    cluster_definition: {
      name: 'load',
      version: 'v1.7.0',
      threshold: THRESHOLD,
      num_validators: validators.length,
      fork_version: network.genesisForkVersion,
      operators: NODES.map(() => ({ address: '', enr: '' })),
      validators: validators.map(() => addresses),
    },
    distributed_validators: validators.map(({ validator }) => ({
      distributed_public_key: validator.publicKey,
      public_shares: NODES.map((index) => validator.shares.get(index)),
    })),
    lock_hash: `0x${'11'.repeat(32)}`,
    signature_aggregate: '',
  }
  writeFileSync(file, JSON.stringify(lock))
  return file
}

/** Writes a PUBLIC_KEYS_FILE. @returns the file */
export function writePublicKeys(folder: string, validators: readonly LoadValidator[]): string {
  const file = join(folder, 'public_keys.csv')
  writeFileSync(file, `${validators.map(({ publicKey }) => publicKey).join('\n')}\n`)
  return file
}

/** `public_key_shares` of a node that claims them. */
export function claimOf({ validator }: LoadValidator) {
  return [...validator.shares].map(([index, share]) => ({ share_index: index, public_key_share: share }))
}
