import { StandardMerkleTree } from '@openzeppelin/merkle-tree'
import type { Hex } from '../../../core/hex.js'
import { stringifyJson } from '../../../core/json.js'
import { VAULT } from '../../devnet/evm/vault-devnet.js'
import type { Scene } from './scene.js'

const OTHER: Hex = `0x${'0a'.repeat(20)}`

/** Wei. */
export interface Rewards {
  readonly consensus: bigint
  readonly locked: bigint
  readonly unlocked: bigint
}

/** The oracles' rewards, as their file on IPFS has them. Returns the root and the file's text. */
export function rewardsFile({ consensus, locked, unlocked }: Rewards, sharedMev: boolean) {
  const reward = consensus + (sharedMev ? locked + unlocked : 0n)
  const tree = StandardMerkleTree.of(
    [
      [VAULT, reward, sharedMev ? unlocked : 0n],
      [OTHER, 1n, 0n],
      [OTHER, 2n, 0n],
    ],
    ['address', 'int160', 'uint160'],
  )
  const entry = { consensus_reward: consensus, locked_mev_reward: locked, unlocked_mev_reward: unlocked }
  const vaults = [{ vault: VAULT, ...entry, proof: tree.getProof(0) }]
  return { root: tree.root as Hex, text: stringifyJson({ vaults }) }
}

/** The oracles vote for these rewards of the vault. */
export async function updateRewards(scene: Scene, rewards: Rewards, sharedMev: boolean): Promise<void> {
  const { root, text } = rewardsFile(rewards, sharedMev)
  await scene.devnet.world.updateRewards({ root, cid: scene.devnet.ipfs.add(text) })
}
