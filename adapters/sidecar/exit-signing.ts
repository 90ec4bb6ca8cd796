/** From wanted exits to signatures: what may be signed is checked, signed and noted before it leaves. */
import { Backoff } from '../../core/backoff.js'
import type { Clock } from '../../core/clock.js'
import { Conditions } from '../../core/conditions.js'
import { describeError } from '../../core/errors.js'
import { shorten, toHex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import type { Network } from '../../core/network.js'
import type { ExitSigner } from '../../core/signer.js'
import type { AuditEntry, PastEntry } from './audit-log.js'
import type { AuditWriter } from './audit-writer.js'
import {
  checkExits,
  type ExitCheckRules,
  type ExitRequest,
  explainRefusal,
  type RefusalReason,
  type SigningReason,
  type Verdict,
} from './exit-check.js'
import { type MadeSignature, NodeSignatures } from './node-signatures.js'
import { exitId, SigningLimit } from './signing-limit.js'

/** An exit that a node holds a key share for and that its share is missing for. */
export interface WantedExit extends ExitRequest {
  readonly signer: ExitSigner
}

/** The same with the node's share of the signature, 96 bytes. */
export interface SignedExit extends WantedExit {
  readonly signature: Uint8Array
}

export interface ExitSigningParts {
  readonly network: Network
  readonly rules: ExitCheckRules
  /** New exits in an hour. */
  readonly maxPerHour: number
  readonly clock: Clock
  readonly logger: Logger
}

/** How long a refusal stands before the beacon node is asked again, milliseconds. */
const REFUSAL_LIFETIME = 600_000
const REMEMBERED = 10_000

export class ExitSigning {
  readonly #parts: ExitSigningParts
  readonly #audit: AuditWriter
  readonly #limit: SigningLimit
  readonly #signatures: NodeSignatures
  readonly #refusedAt = new Map<string, number>()
  /** Refusals that have their line in the audit log, by node and exit, with their reason. */
  readonly #noted = new Conditions(REMEMBERED)
  readonly #troubles = new Conditions(REMEMBERED)
  readonly #beaconPause = new Backoff(2_000, 60_000)
  #beaconAskedAgainAt = 0

  /** @param past the audit log's entries of the last hour, the newest first */
  constructor(
    parts: ExitSigningParts,
    audit: AuditWriter,
    signers: readonly ExitSigner[],
    past: readonly PastEntry[],
  ) {
    this.#parts = parts
    this.#audit = audit
    this.#limit = new SigningLimit(parts.maxPerHour)
    for (const entry of [...past].reverse()) {
      if (entry.reason.startsWith('deposit')) continue
      if (entry.verdict === 'signed') this.#limit.record(entry, entry.time)
      else this.#noted.begins(`${entry.shareIndex}/${exitId(entry)}`, entry.reason)
    }
    const most = Math.max(REMEMBERED, 4 * parts.maxPerHour)
    this.#signatures = new NodeSignatures('an exit', signers, most, parts.logger)
  }

  /**
   * The signatures of all wanted exits that may be signed now. Troubles with some of them are logged, each
   * once, and do not stop the others. Every new signature is in the audit log when this returns.
   */
  async sign(wanted: readonly WantedExit[], signal: AbortSignal): Promise<SignedExit[]> {
    const ready: SignedExit[] = []
    const fresh: WantedExit[] = []
    for (const exit of wanted) {
      const signature = this.#signatures.get(exit.signer, exitId(exit))
      if (signature === undefined) fresh.push(exit)
      else ready.push({ ...exit, signature })
    }
    const now = this.#parts.clock.now()
    const admitted = this.#admit(
      fresh.filter((exit) => now - (this.#refusedAt.get(exitId(exit)) ?? -Infinity) >= REFUSAL_LIFETIME),
      now,
    )
    const verdicts = admitted.length === 0 ? [] : await this.#check(admitted)
    return [...ready, ...(await this.#signChecked(admitted, verdicts, signal))]
  }

  /** Forgets a signature that was found wrong, so that it is made anew. */
  forget(exit: WantedExit): void {
    this.#signatures.forget(exit.signer, exitId(exit))
  }

  #admit(exits: readonly WantedExit[], now: number): WantedExit[] {
    const admitted = this.#limit.admit(exits, now)
    const waiting = exits.length - admitted.length
    if (waiting === 0) {
      if (this.#troubles.ends('limit')) this.#parts.logger.info('the hourly limit has room again')
    } else if (this.#troubles.begins('limit')) {
      this.#parts.logger.warn(
        { waiting, limit: this.#limit.perHour },
        'the limit of new exits in an hour is reached: the rest waits (MAX_EXITS_PER_HOUR)',
      )
    }
    return admitted
  }

  /** One verdict for each exit, or none at all where the beacon node cannot be asked: then nothing is signed. */
  async #check(exits: readonly WantedExit[]): Promise<readonly Verdict[]> {
    const { clock, rules, logger } = this.#parts
    if (clock.now() < this.#beaconAskedAgainAt) return []
    try {
      const verdicts = await checkExits(exits, rules)
      this.#beaconPause.reset()
      if (this.#troubles.ends('beacon')) logger.info('the beacon node answers again')
      return verdicts
    } catch (error) {
      this.#beaconAskedAgainAt = clock.now() + this.#beaconPause.next()
      if (this.#troubles.begins('beacon')) {
        logger.warn(`no new exit is signed until the beacon node can be asked: ${describeError(error)}`)
      }
      return []
    }
  }

  async #signChecked(
    exits: readonly WantedExit[],
    verdicts: readonly Verdict[],
    signal: AbortSignal,
  ): Promise<SignedExit[]> {
    const entries: AuditEntry[] = []
    const refused: { exit: WantedExit; reason: RefusalReason }[] = []
    const signed: { exit: SignedExit; keep: () => void }[] = []
    for (const [i, verdict] of verdicts.entries()) {
      const exit = exits[i]
      if (exit === undefined || signal.aborted) break
      if (!verdict.sign) {
        refused.push({ exit, reason: verdict.reason })
        if (!this.#noted.lasts(shareId(exit), verdict.reason)) {
          entries.push(this.#entry(exit, 'refused', verdict.reason))
        }
        continue
      }
      const made = await this.#signOne(exit)
      if (made === undefined) continue
      entries.push(this.#entry(exit, 'signed', verdict.reason))
      signed.push({ exit: { ...exit, signature: made.signature }, keep: made.keep })
    }
    if (!(await this.#audit.note(entries))) return []
    for (const { exit, reason } of refused) this.#refuse(exit, reason)
    for (const { exit, keep } of signed) {
      this.#limit.record(exit, this.#parts.clock.now())
      keep()
    }
    return signed.map(({ exit }) => exit)
  }

  #refuse(exit: WantedExit, reason: RefusalReason): void {
    const id = exitId(exit)
    this.#refusedAt.delete(id)
    this.#refusedAt.set(id, this.#parts.clock.now())
    const [oldest] = this.#refusedAt.keys()
    if (this.#refusedAt.size > REMEMBERED && oldest !== undefined) this.#refusedAt.delete(oldest)
    if (!this.#noted.begins(shareId(exit), reason)) return
    this.#parts.logger.warn(
      describeExit(exit),
      `refused to sign an exit: ${explainRefusal(reason)}. If that is what you want, give --allow-active ${exit.publicKey}`,
    )
  }

  #signOne(exit: WantedExit): Promise<MadeSignature | undefined> {
    const { signer, publicKey, validatorIndex } = exit
    const message = presignedExit(this.#parts.network, validatorIndex)
    return this.#signatures.make({
      signer,
      publicKey,
      id: exitId(exit),
      make: () => signer.signExit(publicKey, message),
      describe: () => describeExit(exit),
    })
  }

  #entry(
    exit: WantedExit,
    verdict: AuditEntry['verdict'],
    reason: SigningReason | RefusalReason,
  ): AuditEntry {
    const message = presignedExit(this.#parts.network, exit.validatorIndex)
    return {
      time: this.#parts.clock.now(),
      verdict,
      reason,
      publicKey: exit.publicKey,
      validatorIndex: exit.validatorIndex,
      epoch: message.epoch,
      signingRoot: toHex(voluntaryExitSigningRoot(this.#parts.network, message)),
      shareIndex: exit.signer.shareIndex,
    }
  }
}

/** One name for a node's share of an exit, for maps and sets. */
export function shareId(exit: WantedExit): string {
  return `${exit.signer.shareIndex}/${exitId(exit)}`
}

/** An exit in a log line. */
export function describeExit({ publicKey, validatorIndex, signer }: WantedExit) {
  return { key: shorten(publicKey), index: validatorIndex, share: signer.shareIndex.toString() }
}
