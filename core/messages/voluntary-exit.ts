import { ContainerType, UintNumberType } from '@chainsafe/ssz'
import type { Network } from '../network.js'
import { signingRoot, voluntaryExitDomain } from './domain.js'

/** A voluntary exit: from `epoch` on, the validator with this index may be ended. */
export interface VoluntaryExit {
  readonly epoch: number
  readonly validatorIndex: number
}

const VoluntaryExitType = new ContainerType({
  epoch: new UintNumberType(8),
  validatorIndex: new UintNumberType(8),
})

/** The exit that the oracles want of a validator: epoch = the network's Capella fork epoch. */
export function presignedExit(network: Network, validatorIndex: number): VoluntaryExit {
  return { epoch: network.capellaForkEpoch, validatorIndex }
}

/** hash_tree_root of the exit, 32 bytes. */
export function voluntaryExitRoot(exit: VoluntaryExit): Uint8Array {
  return VoluntaryExitType.hashTreeRoot({ epoch: exit.epoch, validatorIndex: exit.validatorIndex })
}

/** What a validator signs to exit, 32 bytes (EIP-7044 domain). */
export function voluntaryExitSigningRoot(network: Network, exit: VoluntaryExit): Uint8Array {
  return signingRoot(voluntaryExitRoot(exit), voluntaryExitDomain(network))
}
