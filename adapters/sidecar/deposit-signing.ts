/** The deposits that a relayer of dialect 2 asks for: judged, signed beside their exits, noted before they leave. */
import type { Clock } from '../../core/clock.js'
import { Conditions } from '../../core/conditions.js'
import { type Hex, shorten, toHex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import { depositSigningRoot } from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'
import type { ExitSigner } from '../../core/signer.js'
import type { AuditEntry, PastEntry } from './audit-log.js'
import type { AuditWriter } from './audit-writer.js'
import {
  type DepositRefusal,
  type DepositRequest,
  depositMessageOf,
  explainDepositRefusal,
  judgeDeposit,
} from './deposit-rules.js'
import type { SignedExit, WantedExit } from './exit-signing.js'
import { NodeSignatures } from './node-signatures.js'

/** A validator that a node holds a key share for and that its share of exit and deposit is missing for. */
export interface WantedValidator extends WantedExit, DepositRequest {}

/** The same with the node's shares of both signatures, 96 bytes each. */
export interface SignedValidator extends WantedValidator, SignedExit {
  readonly depositSignature: Uint8Array
}

export interface DepositSigningParts {
  readonly network: Network
  /** SIDECAR_VAULTS in lower case; undefined: those that each signer itself knows. */
  readonly vaults?: ReadonlySet<Hex> | undefined
  readonly clock: Clock
  readonly logger: Logger
}

const REMEMBERED = 10_000

export class DepositSigning {
  readonly #parts: DepositSigningParts
  readonly #audit: AuditWriter
  readonly #signatures: NodeSignatures
  /** Refusals that have their line in the audit log, by node and key, with their reason. */
  readonly #noted = new Conditions(REMEMBERED)
  readonly #unconfigured = new Conditions()

  /** @param past the audit log's entries of the last hour, the newest first */
  constructor(
    parts: DepositSigningParts,
    audit: AuditWriter,
    signers: readonly ExitSigner[],
    past: readonly PastEntry[],
  ) {
    this.#parts = parts
    this.#audit = audit
    this.#signatures = new NodeSignatures('a deposit', signers, REMEMBERED, parts.logger)
    for (const { shareIndex, publicKey, reason } of [...past].reverse()) {
      const name = `${shareIndex}/${publicKey}`
      if (reason === 'deposit') this.#noted.ends(name)
      else if (reason.startsWith('deposit-')) this.#noted.begins(name, reason)
    }
  }

  /**
   * Those whose deposits may be signed, and those of which nothing is: whoever asks for a wrong deposit gets no exit
   * either. Each refusal is in the audit log when this returns.
   */
  async admit(
    wanted: readonly WantedValidator[],
  ): Promise<{ admitted: WantedValidator[]; barred: WantedValidator[] }> {
    const admitted: WantedValidator[] = []
    const barred: WantedValidator[] = []
    const refused: { validator: WantedValidator; reason: DepositRefusal }[] = []
    for (const validator of wanted) {
      const verdict = judgeDeposit(validator, validator.signer, this.#parts.vaults)
      if (verdict === 'sign') admitted.push(validator)
      else if (verdict === 'not-configured') this.#warnUnconfigured(validator.signer)
      else {
        barred.push(validator)
        const isKnown = this.#noted.lasts(nodeAndKey(validator), verdict)
        if (!isKnown) refused.push({ validator, reason: verdict })
      }
    }
    const entries = refused.map(({ validator, reason }) => this.#entry(validator, 'refused', reason))
    if (await this.#audit.note(entries)) {
      for (const { validator, reason } of refused) this.#tellRefusal(validator, reason)
    }
    return { admitted, barred }
  }

  /**
   * Adds the deposits' signatures to those of the exits. A deposit that cannot be signed is logged and left out.
   * Every new signature is in the audit log when this returns.
   * @param validators admitted ones
   */
  async sign(validators: readonly (WantedValidator & SignedExit)[]): Promise<SignedValidator[]> {
    const signed: SignedValidator[] = []
    const fresh: { validator: SignedValidator; keep: () => void }[] = []
    for (const validator of validators) {
      const { signer, publicKey } = validator
      const id = depositId(validator)
      const kept = this.#signatures.get(signer, id)
      if (kept !== undefined) {
        signed.push({ ...validator, depositSignature: kept })
        continue
      }
      const made = await this.#signatures.make({
        signer,
        publicKey,
        id,
        make: () => signer.signDeposit(publicKey, depositMessageOf(validator)),
        describe: () => describeDeposit(validator),
      })
      if (made === undefined) continue
      fresh.push({ validator: { ...validator, depositSignature: made.signature }, keep: made.keep })
    }
    const entries = fresh.map(({ validator }) => this.#entry(validator, 'signed', 'deposit'))
    if (!(await this.#audit.note(entries))) return signed
    for (const { validator, keep } of fresh) {
      keep()
      this.#noted.ends(nodeAndKey(validator))
    }
    return [...signed, ...fresh.map(({ validator }) => validator)]
  }

  /** Forgets a signature that was found wrong, so that it is made anew. */
  forget(validator: WantedValidator): void {
    this.#signatures.forget(validator.signer, depositId(validator))
  }

  #warnUnconfigured({ name }: ExitSigner): void {
    if (!this.#unconfigured.begins(name)) return
    this.#parts.logger.warn(
      `${name}: the relayer asks for deposits, and nobody said to which vaults they may go: only exits are signed. Set SIDECAR_VAULTS`,
    )
  }

  #tellRefusal(validator: WantedValidator, reason: DepositRefusal): void {
    this.#noted.begins(nodeAndKey(validator), reason)
    this.#parts.logger.warn(
      describeDeposit(validator),
      `refused to sign a deposit, and its exit with it: ${explainDepositRefusal(reason)}`,
    )
  }

  #entry(
    validator: WantedValidator,
    verdict: AuditEntry['verdict'],
    reason: 'deposit' | DepositRefusal,
  ): AuditEntry {
    const { publicKey, validatorIndex, vault, type, amount, signer } = validator
    return {
      time: this.#parts.clock.now(),
      verdict,
      reason,
      publicKey,
      validatorIndex,
      deposit: { vault, type, amount },
      signingRoot: toHex(depositSigningRoot(this.#parts.network, depositMessageOf(validator))),
      shareIndex: signer.shareIndex,
    }
  }
}

function depositId({ publicKey, vault, type, amount }: DepositRequest): string {
  return `${publicKey}/${vault}/${type}/${amount}`
}

function nodeAndKey({ signer, publicKey }: WantedValidator): string {
  return `${signer.shareIndex}/${publicKey}`
}

function describeDeposit({ publicKey, vault, type, amount, signer }: WantedValidator) {
  const share = signer.shareIndex.toString()
  return { key: shorten(publicKey), vault, type, amount: amount.toString(), share }
}
