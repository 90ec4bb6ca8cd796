/** Where the relayer takes the oracles from: a file, or the Keeper's event followed for ever. */
import { describeError, UnavailableError } from '../errors.js'
import type { Hex } from '../hex.js'
import type { Logger } from '../log.js'
import { type AcceptedOracles, acceptedOracles, judgeOracles, rememberOracles } from './acceptance.js'
import { configCidOfMajority, type KeeperConfigSearch } from './keeper.js'
import { type ProtocolConfig, readProtocolConfig } from './protocol-config.js'

export interface OraclesSource {
  /**
   * The protocol config that exits are split for now.
   * @throws UnavailableError ORACLES_UNKNOWN, ORACLES_NOT_ACCEPTED
   */
  current(): Promise<ProtocolConfig>
  /** Calls the listener when the set of oracles changed, or became known. */
  onChange(listener: () => void): void
}

/** A config that never changes: PROTOCOL_CONFIG_FILE, which counts as accepted. */
export function fixedOracles(config: ProtocolConfig): OraclesSource {
  return { current: async () => config, onChange: () => undefined }
}

/** Keeps one JSON value over restarts. */
export interface ConfigStore {
  load(): Promise<unknown>
  save(value: unknown): Promise<void>
}

export interface KeeperOraclesParts {
  /** One for each execution endpoint. */
  readonly searches: readonly KeeperConfigSearch[]
  readonly ipfs: { fetch(cid: string): Promise<Uint8Array> }
  readonly store: ConfigStore
  /** --accept-oracles: the set hash that a person accepts with this start. */
  readonly acceptHash: Hex | undefined
  readonly logger: Logger
  /** Milliseconds between two looks at the Keeper. */
  readonly interval: number
}

/** What is kept: the set that a person accepted, and the last config in use, for a start without a chain. */
interface Kept {
  readonly accepted: AcceptedOracles | undefined
  /** Its JSON as it came from IPFS. */
  readonly config: string | undefined
}

/** Follows the Keeper's ConfigUpdated event. Until start() has seen a config there is none. */
export class KeeperOracles implements OraclesSource {
  readonly #parts: KeeperOraclesParts
  readonly #listeners: (() => void)[] = []
  #cid: string | undefined
  #config: ProtocolConfig | undefined
  #accepted: AcceptedOracles | undefined
  #missing = new UnavailableError('ORACLES_UNKNOWN', 'the protocol config was not read yet')
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #hasTakenUp = false

  constructor(parts: KeeperOraclesParts) {
    this.#parts = parts
  }

  async current(): Promise<ProtocolConfig> {
    if (this.#config === undefined) throw this.#missing
    return this.#config
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Takes up what was kept, looks at the Keeper once, and goes on looking until close(). */
  async start(): Promise<void> {
    await this.refresh()
    this.#timer = setInterval(() => void this.refresh(), this.#parts.interval)
  }

  /** Looks at the Keeper now, or joins the look under way. A failure is logged, and the config in use stays. */
  refresh(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Stops following. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    try {
      if (!this.#hasTakenUp) await this.#takeUpKept()
      const cid = await configCidOfMajority(this.#parts.searches)
      if (cid !== this.#cid) await this.#take(cid)
    } catch (error) {
      this.#parts.logger.warn(
        { error: describeError(error) },
        'cannot read the protocol config, trying again',
      )
      if (this.#config === undefined) {
        this.#missing = new UnavailableError(
          'ORACLES_UNKNOWN',
          `the protocol config is not known yet: ${describeError(error)}`,
        )
      }
    }
  }

  async #takeUpKept(): Promise<void> {
    const { accepted, config: text } = readKept(await this.#parts.store.load())
    this.#accepted = accepted
    this.#hasTakenUp = true
    if (text === undefined) return
    try {
      const config = readProtocolConfig(Buffer.from(text), 'the kept protocol config')
      if (judgeOracles(config, accepted, this.#parts.acceptHash).outcome !== 'refused') this.#use(config)
    } catch (error) {
      this.#parts.logger.warn({ error: describeError(error) }, 'cannot use the kept protocol config')
    }
  }

  async #take(cid: string): Promise<void> {
    const content = await this.#parts.ipfs.fetch(cid)
    const config = readProtocolConfig(content, `protocol config ${cid}`)
    const verdict = judgeOracles(config, this.#accepted, this.#parts.acceptHash)
    if (verdict.outcome === 'refused') {
      this.#cid = cid
      this.#refuse(config, cid, verdict.reason)
      return
    }
    if (verdict.outcome === 'accepted-by-person') this.#accepted = rememberOracles(config)
    await this.#parts.store.save({ accepted: this.#accepted, config: Buffer.from(content).toString('utf8') })
    // Not before it is kept: what could not be is read again.
    this.#cid = cid
    this.#parts.logger.info(
      { cid, set: config.setHash, oracles: config.oracles.length },
      'protocol config read',
    )
    this.#use(config)
  }

  #use(config: ProtocolConfig): void {
    const changed = config.setHash !== this.#config?.setHash
    this.#config = config
    if (changed) for (const listener of this.#listeners) listener()
  }

  #refuse(config: ProtocolConfig, cid: string, reason: string): void {
    const oracles = config.oracles.map((oracle) => `${oracle.address} ${oracle.endpoints.join(' ')}`)
    const hint = `Compare the set with what StakeWise publishes, then start with --accept-oracles ${config.setHash}`
    this.#parts.logger.error(
      { cid, set: config.setHash, threshold: config.exitSignatureRecoverThreshold, oracles },
      `a set of oracles waits to be accepted: ${reason}. ${hint}`,
    )
    this.#missing = new UnavailableError(
      'ORACLES_NOT_ACCEPTED',
      `the set of oracles ${config.setHash} waits to be accepted: ${reason}`,
      { hint },
    )
  }
}

function readKept(value: unknown): Kept {
  if (typeof value !== 'object' || value === null) return { accepted: undefined, config: undefined }
  const { accepted, config } = value as Record<string, unknown>
  const parsed = acceptedOracles.safeParse(accepted)
  return {
    accepted: parsed.success ? parsed.data : undefined,
    config: typeof config === 'string' ? config : undefined,
  }
}
