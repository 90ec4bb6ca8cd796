/** Signing the deposits that a relayer of dialect 2 asks for, each noted before it leaves. */
import type { Clock } from '../../core/clock.js'
import { Conditions } from '../../core/conditions.js'
import { DvtExitError, describeError } from '../../core/errors.js'
import { type Hex, shorten, toHex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import { depositSigningRoot } from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'
import type { ExitSigner } from '../../core/signer.js'
import type { AuditEntry, AuditLog, PastEntry } from './audit-log.js'
import {
  type DepositRefusal,
  type DepositRequest,
  depositMessageOf,
  explainDepositRefusal,
  judgeDeposit,
} from './deposit-rules.js'
import { SignatureCache } from './signature-cache.js'

/** A deposit that a node holds a key share for. */
export interface WantedDeposit extends DepositRequest {
  readonly signer: ExitSigner
  readonly validatorIndex: number
}

export interface DepositSigningParts {
  readonly network: Network
  /** SIDECAR_VAULTS in lower case; undefined: those that each signer itself knows. */
  readonly vaults?: ReadonlySet<Hex> | undefined
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly logger: Logger
}

/** What became of the wanted deposits. */
export interface SignedDeposits {
  /** The node's shares, 96 bytes, in the order of what was wanted. */
  readonly signed: readonly { readonly wanted: WantedDeposit; readonly signature: Uint8Array }[]
  /** Those of which nothing is signed, not their exit either. */
  readonly refused: readonly WantedDeposit[]
}

const REMEMBERED = 10_000

export class DepositSigning {
  readonly #parts: DepositSigningParts
  /** Replaced when a node's keys change: it may hold another sharing then. */
  readonly #caches = new Map<ExitSigner, SignatureCache>()
  /** Refusals that have their line, by node and deposit. */
  readonly #noted = new Conditions(REMEMBERED)
  readonly #troubles = new Conditions(REMEMBERED)

  /** @param past the audit log's entries of the last hour */
  constructor(parts: DepositSigningParts, signers: readonly ExitSigner[], past: readonly PastEntry[]) {
    this.#parts = parts
    for (const signer of signers) {
      this.#caches.set(signer, new SignatureCache(REMEMBERED))
      signer.onChange(() => this.#caches.set(signer, new SignatureCache(REMEMBERED)))
    }
    for (const { shareIndex, publicKey, reason } of past) {
      if (reason.startsWith('deposit-')) this.#noted.begins(`${shareIndex}/${publicKey}`, reason)
    }
  }

  /** Signs what may be signed. Every new signature and refusal is in the audit log when this returns. */
  async sign(deposits: readonly WantedDeposit[]): Promise<SignedDeposits> {
    const signed: { wanted: WantedDeposit; signature: Uint8Array; isNew: boolean }[] = []
    const refused: { wanted: WantedDeposit; reason: DepositRefusal }[] = []
    for (const wanted of deposits) {
      const verdict = judgeDeposit(wanted, wanted.signer, this.#parts.vaults)
      if (verdict === 'not-configured') this.#warnOnce(wanted.signer)
      else if (verdict !== 'sign') refused.push({ wanted, reason: verdict })
      else {
        const made = await this.#signOne(wanted)
        if (made === 'deposit-other-vault') refused.push({ wanted, reason: made })
        else if (made !== undefined) signed.push({ wanted, ...made })
      }
    }
    const news = refused.filter(({ wanted, reason }) => !this.#noted.lasts(refusalName(wanted), reason))
    const entries = [
      ...signed.filter(({ isNew }) => isNew).map(({ wanted }) => this.#entry(wanted, 'signed', 'deposit')),
      ...news.map(({ wanted, reason }) => this.#entry(wanted, 'refused', reason)),
    ]
    const kept = entries.length === 0 || (await this.#note(entries))
    if (kept) for (const { wanted, reason } of news) this.#tellRefusal(wanted, reason)
    if (kept)
      for (const { wanted, signature } of signed)
        this.#caches.get(wanted.signer)?.set(nameOf(wanted), signature)
    return { signed: kept ? signed : [], refused: refused.map(({ wanted }) => wanted) }
  }

  /** Forgets a signature that was found wrong, so that it is made anew. */
  forget(deposit: WantedDeposit): void {
    this.#caches.get(deposit.signer)?.delete(nameOf(deposit))
  }

  async #signOne(
    wanted: WantedDeposit,
  ): Promise<{ signature: Uint8Array; isNew: boolean } | 'deposit-other-vault' | undefined> {
    const { signer, publicKey } = wanted
    const known = this.#caches.get(signer)?.get(nameOf(wanted))
    if (known !== undefined) return { signature: known, isNew: false }
    const trouble = `signing ${refusalName(wanted)}`
    try {
      const signature = await signer.signDeposit(publicKey, depositMessageOf(wanted))
      this.#troubles.ends(trouble)
      return { signature, isNew: true }
    } catch (error) {
      if (error instanceof DvtExitError && error.code === 'WRONG_WITHDRAWAL_ADDRESS') {
        return 'deposit-other-vault'
      }
      if (this.#troubles.begins(trouble, describeError(error))) {
        this.#parts.logger.error(describeDeposit(wanted), `cannot sign a deposit: ${describeError(error)}`)
      }
      return undefined
    }
  }

  #warnOnce({ name }: ExitSigner): void {
    if (!this.#troubles.begins(`not configured ${name}`)) return
    this.#parts.logger.warn(
      `${name}: the relayer asks for deposits, and nobody said to which vaults they may go: only exits are signed. Set SIDECAR_VAULTS`,
    )
  }

  #tellRefusal(wanted: WantedDeposit, reason: DepositRefusal): void {
    this.#noted.begins(refusalName(wanted), reason)
    this.#parts.logger.warn(
      describeDeposit(wanted),
      `refused to sign a deposit, and its exit: ${explainDepositRefusal(reason)}`,
    )
  }

  /** Whether the entries are on the disk: without that no signature may leave. */
  async #note(entries: readonly AuditEntry[]): Promise<boolean> {
    try {
      await this.#parts.audit.append(entries)
      this.#troubles.ends('audit')
      return true
    } catch (error) {
      if (this.#troubles.begins('audit', describeError(error))) this.#parts.logger.error(describeError(error))
      return false
    }
  }

  #entry(wanted: WantedDeposit, verdict: AuditEntry['verdict'], reason: AuditEntry['reason']): AuditEntry {
    const { publicKey, validatorIndex, vault, type, amount, signer } = wanted
    return {
      time: this.#parts.clock.now(),
      verdict,
      reason,
      publicKey,
      validatorIndex,
      deposit: { vault, type, amount },
      signingRoot: toHex(depositSigningRoot(this.#parts.network, depositMessageOf(wanted))),
      shareIndex: signer.shareIndex,
    }
  }
}

function nameOf({ publicKey, vault, type, amount }: DepositRequest): string {
  return `${publicKey}/${vault}/${type}/${amount}`
}

function refusalName({ signer, publicKey }: WantedDeposit): string {
  return `${signer.shareIndex}/${publicKey}`
}

function describeDeposit({ publicKey, vault, type, amount, signer }: WantedDeposit) {
  const share = signer.shareIndex.toString()
  return { key: shorten(publicKey), vault, type, amount: amount.toString(), share }
}
