import { stat } from 'node:fs/promises'
import { loadDepositData } from '../../core/deposits/deposit-data.js'
import { describeError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import { DepositDataTree } from './merkle.js'
import { VaultDeposits, type VaultDepositsOptions } from './vault-deposits.js'

/** The deposit data file, read again when it changes. */
export class DepositDataFile {
  readonly #file: string
  readonly #options: Omit<VaultDepositsOptions, 'source'>
  readonly #logger: Logger
  #version = ''
  #deposits: VaultDeposits | undefined
  #tree: DepositDataTree | undefined

  constructor(file: string, options: Omit<VaultDepositsOptions, 'source'>, logger: Logger) {
    this.#file = file
    this.#options = options
    this.#logger = logger
  }

  /**
   * Its entries as they are now. A change that cannot be read is said, and what was read before stays.
   * @throws ConfigurationError INVALID_DEPOSIT_DATA at the first time
   */
  async deposits(): Promise<VaultDeposits> {
    const version = await this.#currentVersion()
    if (this.#deposits !== undefined && version === this.#version) return this.#deposits
    try {
      const entries = await loadDepositData(this.#file, this.#options.network)
      const isFirst = this.#deposits === undefined
      this.#deposits = new VaultDeposits(entries, { ...this.#options, source: this.#file })
      this.#tree = undefined
      if (!isFirst) this.#logger.info(`${this.#file} has changed: ${entries.length} entries`)
    } catch (error) {
      if (this.#deposits === undefined) throw error
      this.#logger.error(`the deposit data read before stays in use: ${describeError(error)}`)
    }
    this.#version = version
    return this.#deposits
  }

  /** The merkle tree over the entries that deposits() gave last. */
  tree(deposits: VaultDeposits): DepositDataTree {
    if (this.#tree === undefined || this.#deposits !== deposits) {
      this.#tree = new DepositDataTree(deposits.entries, this.#options.vault)
    }
    return this.#tree
  }

  /** A file that is away for a moment, while it is being replaced, has none. */
  async #currentVersion(): Promise<string> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#file)
      return `${mtimeMs} ${size} ${ino}`
    } catch {
      return ''
    }
  }
}
