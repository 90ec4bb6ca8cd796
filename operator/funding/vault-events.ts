/** The vault's events about its compounding validators: which there are, and what they were given lately. */
import { decodeEventLog, encodeEventTopics } from 'viem'
import { z } from 'zod'
import type { ExecutionClient, Log } from '../../core/clients/execution.js'
import { LogRanges } from '../../core/clients/log-ranges.js'
import { UnavailableError } from '../../core/errors.js'
import { type Hex, normalizeHex, type PublicKeyHex } from '../../core/hex.js'
import { vaultAbi } from '../../core/vault/abi.js'
import { publicKeyField } from '../../core/wire/fields.js'

/** What a validator was given in one transaction. */
export interface GivenAmount {
  readonly kind: 'registered' | 'funded'
  readonly publicKey: PublicKeyHex
  /** Gwei. */
  readonly amount: bigint
  readonly block: bigint
}

export interface VaultEvents {
  /** Every key that the vault has registered as compounding, or consolidated into. */
  readonly keys: ReadonlySet<PublicKeyHex>
  /** From the block on that was asked for, the oldest first. */
  readonly given: readonly GivenAmount[]
}

export interface VaultEventLogParts {
  readonly execution: Pick<ExecutionClient, 'logs'>
  readonly vault: Hex
  /** The first block in which the vault can have events. */
  readonly firstBlock: bigint
  /** Keeps how far it has read. */
  readonly store: { load(): Promise<unknown>; save(value: unknown): Promise<void> }
}

/** Blocks under the newest one that a reorganisation may replace. */
const UNSETTLED = 96n
const GWEI = 1_000_000_000n
const EVENTS = ['V2ValidatorRegistered', 'ValidatorFunded', 'ValidatorConsolidationSubmitted'] as const
const TOPICS: Hex[] = EVENTS.flatMap((eventName) => {
  const [topic] = encodeEventTopics({ abi: vaultAbi, eventName })
  return topic === undefined ? [] : [topic]
})

const keptSchema = z.object({
  vault: z.string(),
  readTo: z.union([z.int(), z.bigint()]).transform(BigInt),
  keys: z.array(publicKeyField),
})

export class VaultEventLog {
  readonly #parts: VaultEventLogParts
  readonly #ranges = new LogRanges()
  #known: { readTo: bigint; keys: ReadonlySet<PublicKeyHex> } | undefined

  constructor(parts: VaultEventLogParts) {
    this.#parts = parts
  }

  /**
   * @param head the newest block to read
   * @param givenFrom the first block whose amounts are wanted
   * @throws what the execution client throws
   */
  async read(head: bigint, givenFrom: bigint): Promise<VaultEvents> {
    this.#known ??= await this.#load()
    const { readTo, keys } = this.#known
    const from = readTo + 1n < givenFrom ? readTo + 1n : givenFrom
    const { execution, vault } = this.#parts
    const filter = { address: vault, topics: [TOPICS] }
    const pages = await this.#ranges.all(from < 0n ? 0n : from, head, (fromBlock, toBlock) =>
      execution.logs({ ...filter, fromBlock, toBlock }),
    )
    const events = pages.flat().map(readEvent)
    await this.#keep(head - UNSETTLED, events)
    return {
      keys: new Set([...keys, ...events.map(({ publicKey }) => publicKey)]),
      given: events.flatMap(({ kind, ...event }) =>
        kind === 'consolidated' || event.block < givenFrom ? [] : [{ kind, ...event }],
      ),
    }
  }

  async #keep(settled: bigint, events: readonly { publicKey: PublicKeyHex; block: bigint }[]): Promise<void> {
    const { readTo, keys } = this.#known ?? (await this.#load())
    if (settled <= readTo) return
    const found = events.filter(({ block }) => block <= settled).map(({ publicKey }) => publicKey)
    this.#known = { readTo: settled, keys: new Set([...keys, ...found]) }
    await this.#parts.store.save({
      vault: this.#parts.vault,
      readTo: settled,
      keys: [...this.#known.keys],
    })
  }

  async #load(): Promise<{ readTo: bigint; keys: ReadonlySet<PublicKeyHex> }> {
    const kept = keptSchema.safeParse(await this.#parts.store.load()).data
    if (kept?.vault !== this.#parts.vault) return { readTo: this.#parts.firstBlock - 1n, keys: new Set() }
    return { readTo: kept.readTo, keys: new Set(kept.keys) }
  }
}

function readEvent({ topics, data, blockNumber: block }: Log) {
  try {
    const { eventName, args } = decodeEventLog({ abi: vaultAbi, topics: topics as [Hex, ...Hex[]], data })
    if (eventName === 'ValidatorConsolidationSubmitted') {
      return {
        kind: 'consolidated',
        publicKey: normalizeHex(args.toPublicKey, 48),
        amount: 0n,
        block,
      } as const
    }
    const kind = eventName === 'ValidatorFunded' ? 'funded' : 'registered'
    return { kind, publicKey: normalizeHex(args.publicKey, 48), amount: args.amount / GWEI, block } as const
  } catch (cause) {
    throw new UnavailableError(
      'UNEXPECTED_ANSWER',
      `block ${block} has a vault’s event that cannot be read`,
      {
        cause,
      },
    )
  }
}
