/** Finds validators whose nodes sign exits and no deposits: dialect 1 cannot ask for deposits. */
import { Conditions } from '../../core/conditions.js'
import type { PublicKeyHex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import type { ListedExit } from '../exits/service.js'
import type { CollectedValidator, ValidatorService } from '../validators/service.js'

export interface DepositSignersParts {
  readonly validators: Pick<ValidatorService, 'listValidators'>
  readonly exits: { listExits(): Promise<readonly ListedExit[]> }
  /** Seconds since 1970. */
  readonly clock: () => number
  readonly logger: Logger
}

/** Seconds in which nodes that sign exits would have signed deposits too. */
const DEPOSITS_DUE = 120

export class DepositSigners {
  readonly #parts: DepositSignersParts
  readonly #told = new Conditions()

  constructor(parts: DepositSignersParts) {
    this.#parts = parts
  }

  /** What keeps these from being finished, said in the log once; undefined where nothing does. */
  async describeMissing(collected: readonly CollectedValidator[]): Promise<string | undefined> {
    const open = collected.filter(({ depositSignature }) => depositSignature === null)
    const stuck = open.length === 0 ? [] : await this.#stuck(new Set(open.map(({ publicKey }) => publicKey)))
    const vault = collected[0]?.deposit.vault ?? ''
    if (stuck.length === 0) {
      this.#told.ends(vault)
      return undefined
    }
    const detail = `nodes have signed the exits of ${stuck.length} validators and not their deposits: no sidecar of the cluster speaks dialect 2, or none may sign deposits for the vault`
    if (this.#told.begins(vault, stuck.join())) this.#parts.logger.warn({ vault }, detail)
    return detail
  }

  async #stuck(open: ReadonlySet<PublicKeyHex>): Promise<PublicKeyHex[]> {
    const { validators, exits, clock } = this.#parts
    const signedExits = new Set(
      (await exits.listExits()).flatMap((exit) => (exit.shareIndexesReady.length > 0 ? exit.publicKey : [])),
    )
    return (await validators.listValidators()).flatMap(({ publicKey, createdAt, shareIndexesReady }) => {
      const isStuck = open.has(publicKey) && shareIndexesReady.length === 0 && signedExits.has(publicKey)
      return isStuck && clock() - createdAt > DEPOSITS_DUE ? publicKey : []
    })
  }
}
