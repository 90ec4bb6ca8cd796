/**
 * Two ways of counting, compared. The oracles count every new key with a valid deposit; we count what one state
 * has. From the first checkpoint on the first count is carried on by events alone, and must stay equal.
 */
import { z } from 'zod'
import { ConfigurationError } from '../errors.js'
import type { Hex, PublicKeyHex } from '../hex.js'
import type { Network } from '../network.js'
import type { CountedBlock, DepositSpan } from './deposit-log.js'
import type { DepositSignatures } from './deposit-signatures.js'
import type { FinalizedState } from './finalized-state.js'

/** Keeps one value with a JSON form over restarts. */
export interface CheckpointStore {
  /** undefined where nothing was saved yet. */
  load(): Promise<unknown>
  save(value: unknown): Promise<void>
}

/** A store that forgets with the process. */
export class MemoryCheckpointStore implements CheckpointStore {
  #value: unknown

  async load(): Promise<unknown> {
    return structuredClone(this.#value)
  }

  async save(value: unknown): Promise<void> {
    this.#value = structuredClone(value)
  }
}

const hex = z
  .string()
  .regex(/^0x[0-9a-f]*$/)
  .transform((text) => text as Hex)

const schema = z.object({
  chainId: z.int(),
  genesisValidatorsRoot: hex,
  slot: z.int(),
  stateRoot: hex,
  validators: z.int(),
  pending: z.array(hex),
  counted: z.int(),
  block: z.object({ number: z.int(), hash: hex, depositCount: z.int() }),
})

/** A finalized state at which both counts were equal. */
export interface Checkpoint {
  readonly slot: number
  readonly stateRoot: Hex
  /** The registry's length. */
  readonly validators: number
  /** The new keys with a valid deposit in the queue. */
  readonly pending: ReadonlySet<PublicKeyHex>
  /** Validators counted by events. */
  readonly counted: number
  readonly block: CountedBlock
}

/**
 * The checkpoint that was saved last.
 * @throws ConfigurationError FOREIGN_CHECKPOINT where it is of another network
 */
export async function loadCheckpoint(
  store: CheckpointStore,
  network: Network,
): Promise<Checkpoint | undefined> {
  const value = await store.load()
  if (value === undefined) return undefined
  const parsed = schema.safeParse(value)
  if (
    !parsed.success ||
    parsed.data.chainId !== network.chainId ||
    parsed.data.genesisValidatorsRoot !== network.genesisValidatorsRoot
  ) {
    throw new ConfigurationError(
      'FOREIGN_CHECKPOINT',
      `the database’s checkpoint of the validator count is not of the network ${network.name}`,
      { hint: 'Use another DATABASE for each network' },
    )
  }
  const { slot, stateRoot, validators, pending, counted, block } = parsed.data
  return {
    slot,
    stateRoot,
    validators,
    pending: new Set(pending),
    counted,
    block: { ...block, number: BigInt(block.number) },
  }
}

export async function saveCheckpoint(
  store: CheckpointStore,
  network: Network,
  checkpoint: Checkpoint,
): Promise<void> {
  const { block, pending, ...rest } = checkpoint
  await store.save({
    chainId: network.chainId,
    genesisValidatorsRoot: network.genesisValidatorsRoot,
    ...rest,
    pending: [...pending],
    block: { ...block, number: Number(block.number) },
  })
}

/**
 * How many validators there are by the events alone: the last checkpoint's count and the new keys with a valid
 * deposit since. A key was not new if the registry had it then (its index tells) or it waited in the queue.
 * @param span the events since the last checkpoint's block at least
 */
export async function countByEvents(
  last: Checkpoint,
  state: FinalizedState,
  span: DepositSpan,
  signatures: DepositSignatures,
): Promise<number> {
  const events = span.events.filter(
    ({ blockNumber }) => blockNumber > last.block.number && blockNumber <= state.block.number,
  )
  const indexes = await state.indexesOf(events.map(({ publicKey }) => publicKey))
  const isNew = (publicKey: PublicKeyHex) =>
    !last.pending.has(publicKey) && (indexes.get(publicKey) ?? last.validators) >= last.validators
  const added = await signatures.validKeys(events.filter(({ publicKey }) => isNew(publicKey)))
  return last.counted + added.size
}

/** The checkpoint of a state whose counts are equal. */
export function checkpointOf(state: FinalizedState, span: DepositSpan): Checkpoint {
  const { header, validators, pending, count, block } = state
  const settled = span.events.filter(({ blockNumber }) => blockNumber <= block.number).length
  return {
    slot: header.slot,
    stateRoot: header.stateRoot,
    validators,
    pending,
    counted: count,
    block: { ...block, depositCount: span.start.depositCount + settled },
  }
}
