/**
 * The count of validators by every DepositEvent since the deposit contract was made, and the genesis validators:
 * the way for forks in which the state alone does not tell. Slow on old networks; it goes on where it stopped.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { BeaconClient } from '../clients/beacon.js'
import type { ExecutionClient } from '../clients/execution.js'
import type { ExecutionEndpoint } from '../clients/execution-endpoint.js'
import { tryRefusalsToo } from '../clients/json-rpc.js'
import { LogRanges } from '../clients/log-ranges.js'
import { ConfigurationError, DvtExitError, describeError, UnavailableError } from '../errors.js'
import { fromHex, type Hex, type PublicKeyHex } from '../hex.js'
import type { Network } from '../network.js'
import type { CheckpointStore } from './checkpoint.js'
import { readDepositCount } from './deposit-event.js'
import { assertCanonical, assertComplete, type CountedBlock, readEvents } from './deposit-log.js'
import type { DepositSignatures } from './deposit-signatures.js'
import type { SettledDeposits } from './settled.js'

/** Ranges of blocks read before the caller is told to ask again. */
const RANGES_PER_CALL = 20
/** Keys are kept as so many bytes of their hash: a million take 16 MB. */
const NAME_BYTES = 16

const blockSchema = z
  .object({ number: z.int(), hash: z.string().transform((text) => text as Hex), depositCount: z.int() })
  .transform((block): CountedBlock => ({ ...block, number: BigInt(block.number) }))
  .optional()

const schema = z.object({
  chainId: z.int(),
  genesisValidatorsRoot: z.string(),
  block: blockSchema,
  verified: blockSchema,
  keys: z.base64(),
})

export interface DepositScanParts {
  readonly network: Network
  readonly beacon: BeaconClient
  readonly execution: ExecutionClient
  readonly store: CheckpointStore
  readonly signatures: DepositSignatures
}

export class DepositScan {
  readonly #parts: DepositScanParts
  readonly #ranges = new LogRanges()
  #keys: Set<string> | undefined
  /** The last block that was read. */
  #block: CountedBlock | undefined
  /** The last block at which the contract's own count was the number of events. */
  #verified: CountedBlock | undefined

  constructor(parts: DepositScanParts) {
    this.#parts = parts
  }

  /**
   * Goes on up to the finalized block.
   * @throws UnavailableError DEPOSIT_SCAN_RUNNING while blocks are left: ask again; DvtExitError
   *   GENESIS_STATE_UNAVAILABLE where no beacon node has the genesis validators
   */
  async settled(): Promise<SettledDeposits & { readonly block: CountedBlock }> {
    const keys = await this.#start()
    await tryRefusalsToo(
      'scan of deposit events',
      this.#parts.execution.endpoints,
      (endpoint) => this.#advanceOrGoBack(endpoint, keys),
      this.#parts.execution.retry,
    )
    const block = this.#block
    if (block === undefined) throw new UnavailableError('NO_DEPOSITS', 'no block was scanned for deposits')
    const counted = async (publicKeys: readonly PublicKeyHex[]) =>
      new Set(publicKeys.filter((publicKey) => keys.has(nameOf(publicKey))))
    return { block, count: keys.size, counted, known: counted }
  }

  async #start(): Promise<Set<string>> {
    this.#keys ??= (await this.#load()) ?? (await this.#genesisKeys())
    return this.#keys
  }

  /** Events that were left out show only later: what was read since the last sure count is read again. */
  async #advanceOrGoBack(endpoint: ExecutionEndpoint, keys: Set<string>): Promise<void> {
    try {
      await this.#advance(endpoint, keys)
    } catch (error) {
      if (error instanceof UnavailableError && error.code === 'LOGS_MISSING') this.#block = this.#verified
      throw error
    }
  }

  async #advance(endpoint: ExecutionEndpoint, keys: Set<string>): Promise<void> {
    const target = await endpoint.block('finalized')
    if (target === null) {
      throw new DvtExitError('RPC_ERROR', `execution node ${endpoint.shown} knows no finalized block`)
    }
    if (this.#block?.hash === target.hash) return
    if (this.#block !== undefined) await assertCanonical(endpoint, this.#block)
    for (let range = 0; (this.#block?.number ?? -1n) < target.number; range++) {
      if (range === RANGES_PER_CALL) throw await this.#pause(keys, target.number)
      await this.#readRange(endpoint, keys, target.number)
    }
    const block = this.#block
    if (block === undefined) return
    assertComplete(endpoint.shown, [], block.depositCount, await this.#countAt(endpoint, block.hash))
    this.#verified = block
    await this.#save(keys)
  }

  async #readRange(endpoint: ExecutionEndpoint, keys: Set<string>, last: bigint): Promise<void> {
    const { depositContract } = this.#parts.network
    const from = this.#block === undefined ? BigInt(depositContract.block) : this.#block.number + 1n
    const { to, events } = await this.#ranges.next(from, last, async (first, to) => ({
      to,
      events: await readEvents(endpoint, depositContract.address, first, to),
    }))
    const count = this.#block?.depositCount ?? 0
    assertComplete(endpoint.shown, events, count)
    const block = await endpoint.block(to)
    if (block === null)
      throw new UnavailableError('UNEXPECTED_ANSWER', `${endpoint.shown} has no block ${to}`)
    const unknown = events.filter(({ publicKey }) => !keys.has(nameOf(publicKey)))
    for (const publicKey of await this.#parts.signatures.validKeys(unknown)) keys.add(nameOf(publicKey))
    this.#block = { number: to, hash: block.hash, depositCount: count + events.length }
  }

  #countAt(endpoint: ExecutionEndpoint, hash: Hex): Promise<number> {
    return readDepositCount(endpoint, this.#parts.network.depositContract.address, hash)
  }

  async #pause(keys: Set<string>, target: bigint): Promise<UnavailableError> {
    await this.#save(keys)
    return new UnavailableError(
      'DEPOSIT_SCAN_RUNNING',
      `deposit events are read up to block ${this.#block?.number ?? 0} of ${target}`,
      { hint: 'Wait until all are read: this fork has no shorter way to the next index' },
    )
  }

  async #genesisKeys(): Promise<Set<string>> {
    try {
      const validators = await this.#parts.beacon.genesisValidators()
      return new Set(validators.map(({ publicKey }) => nameOf(publicKey)))
    } catch (cause) {
      if (!(cause instanceof UnavailableError)) throw cause
      throw new UnavailableError(
        'GENESIS_STATE_UNAVAILABLE',
        `no beacon node gives the validators of the genesis state: ${describeError(cause)}`,
        { cause, hint: 'Use a beacon node that keeps the genesis state' },
      )
    }
  }

  async #load(): Promise<Set<string> | undefined> {
    const { store, network } = this.#parts
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
        `the database’s scan of deposit events is not of the network ${network.name}`,
        { hint: 'Use another DATABASE for each network' },
      )
    }
    const { block, verified, keys } = parsed.data
    this.#block = block
    this.#verified = verified
    const bytes = Buffer.from(keys, 'base64')
    const names = new Set<string>()
    for (let start = 0; start < bytes.length; start += NAME_BYTES) {
      names.add(bytes.toString('latin1', start, start + NAME_BYTES))
    }
    return names
  }

  async #save(keys: Set<string>): Promise<void> {
    const { store, network } = this.#parts
    await store.save({
      chainId: network.chainId,
      genesisValidatorsRoot: network.genesisValidatorsRoot,
      ...(this.#block === undefined ? {} : { block: savedBlock(this.#block) }),
      ...(this.#verified === undefined ? {} : { verified: savedBlock(this.#verified) }),
      keys: Buffer.from([...keys].join(''), 'latin1').toString('base64'),
    })
  }
}

function savedBlock(block: CountedBlock) {
  return { ...block, number: Number(block.number) }
}

function nameOf(publicKey: PublicKeyHex): string {
  return createHash('sha256').update(fromHex(publicKey, 48)).digest().toString('latin1', 0, NAME_BYTES)
}
