/** Where a round's batch comes from: its validators, their exits, and by whose right they go in. */
import { concatHex } from 'viem'
import type { OracleParts } from '../../core/clients/relayer.js'
import type { Hex } from '../../core/hex.js'
import type { ValidatorType } from '../../core/messages/deposit.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'
import { type SignedDeposit, validatorBytes } from '../../core/vault/validator-bytes.js'
import type { VaultState } from '../vault/vault-reader.js'
import type { Way } from '../vault/way.js'
import type { BatchAuthority } from './authority.js'

/** A vault that registers in some way. */
export type RegisteringVault = VaultState & { readonly way: Way }

export interface BatchSource {
  /**
   * What comes next, before any node of a cluster is asked to sign.
   * @param batchLimit the protocol config's validators_approval_batch_limit
   * @throws NotNow with the reason why there is nothing
   */
  choose(state: RegisteringVault, batchLimit: number): Promise<ChosenBatch>
}

export interface ChosenBatch {
  /**
   * Its exits, and what lets it in.
   * @throws NotNow while something is missing or wrong; what the relayer's client and the predictor throw
   */
  collect(config: ProtocolConfig, signal: AbortSignal): Promise<CollectedBatch>
}

/** Validators of one type with all that a registration needs but the oracles' approvals. */
export interface CollectedBatch {
  readonly validators: readonly CollectedValidator[]
  /** As the vault takes them, one after the other. */
  readonly bytes: Hex
  /** The first validator's index; the others follow. */
  readonly startIndex: number
  /** The deposit root that the index holds for, at which none of the keys was deposited. */
  readonly registryRoot: Hex
  readonly authority: BatchAuthority
}

export interface CollectedValidator {
  readonly deposit: SignedDeposit
  readonly oracleParts: OracleParts
}

/** The bytes of validators of one type, one after the other. */
export function bytesOf(type: ValidatorType, deposits: readonly SignedDeposit[]): Hex {
  return concatHex(deposits.map((deposit) => validatorBytes(type, deposit)))
}
