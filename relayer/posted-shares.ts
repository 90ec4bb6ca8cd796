/** One post of one node's shares: what each of them needs, the checks, and what is stored and answered. */
import { setImmediate } from 'node:timers/promises'
import { fromHex, type PublicKeyHex } from '../core/hex.js'
import type { ExitCrypto, ShareVerdict } from './crypto/exit-crypto.js'
import { byPublicKey, type ExitId, type ExitRecord, type ShareState } from './exits/records.js'
import type { PostedShare, RejectedShare, RejectionReason } from './exits/service.js'
import type { Sharings } from './exits/sharings.js'
import type { SigningRoots } from './exits/signing-roots.js'
import { type Triage, triageShare } from './exits/triage.js'
import type { ExitMetrics } from './metrics.js'
import type { ExitStore } from './store/exit-store.js'
import type { NewShare } from './store/share-placement.js'

/** Shares of a post that are taken at a time: requests get their turn in between. */
const SHARES_AT_A_TIME = 100
/** Rejections remembered, so that the same wrong bytes cost no second check. */
const REMEMBERED_REJECTIONS = 10_000

export interface PostParts {
  readonly store: ExitStore
  readonly crypto: ExitCrypto
  readonly sharings: Sharings
  readonly signingRoots: SigningRoots
  readonly metrics: ExitMetrics
  /** Whether an exit has its oracle parts; called once for each post. */
  readonly readiness: () => Promise<(exit: ExitRecord) => boolean>
}

export interface PostResult {
  readonly rejected: readonly RejectedShare[]
  /** Exits that have a new share, not looked at further. */
  readonly changed: readonly ExitId[]
}

/** A posted share with what was decided about it. */
interface Sorted {
  readonly share: PostedShare
  readonly digest: string
  readonly triage: Triage
  /** Names this share and all that its verdict depends on. */
  readonly question: string
}

export class PostedShares {
  readonly #parts: PostParts
  readonly #rejections = new Map<string, RejectionReason>()

  constructor(parts: PostParts) {
    this.#parts = parts
  }

  /** Takes a post. What is good is stored when this returns. */
  async take(shareIndex: bigint, shares: readonly PostedShare[]): Promise<PostResult> {
    const results: PostResult[] = []
    for (let start = 0; start < shares.length; start += SHARES_AT_A_TIME) {
      if (start > 0) await setImmediate()
      results.push(await this.#takeSome(shareIndex, shares.slice(start, start + SHARES_AT_A_TIME)))
    }
    return {
      rejected: results.flatMap((result) => result.rejected),
      changed: results.flatMap((result) => result.changed),
    }
  }

  async #takeSome(shareIndex: bigint, shares: readonly PostedShare[]): Promise<PostResult> {
    const sorted = await this.#sort(shareIndex, shares)
    const verdicts = await this.#check(sorted)
    const rejected: RejectedShare[] = []
    const added: NewShare[] = []
    for (const [i, entry] of sorted.entries()) {
      const { publicKey } = entry.share
      const reason = reasonAgainst(entry.triage, verdicts[i])
      if (reason !== undefined) {
        rejected.push({ publicKey, reason })
        this.#remember(entry.question, reason)
        this.#parts.metrics.shares.inc({ outcome: 'rejected' })
        continue
      }
      const verdict = verdicts[i]
      added.push(...newShares(shareIndex, entry, typeof verdict === 'object' ? verdict : undefined))
      this.#parts.metrics.shares.inc({ outcome: outcomeOf(entry.triage) })
    }
    await this.#parts.store.addShares(added)
    return { rejected, changed: added }
  }

  async #sort(shareIndex: bigint, shares: readonly PostedShare[]): Promise<Sorted[]> {
    const { store, sharings, readiness } = this.#parts
    const publicKeys = [...new Set(shares.map((share) => share.publicKey))]
    const exits = byPublicKey(await store.exitsOf(publicKeys))
    if (exits.size === 0) return shares.map((share) => unknownKey(share))
    const stored = byPublicKey(await store.sharesOf([...exits.keys()]))
    const isReady = await readiness()
    return shares.map((share) => {
      const ofKey = exits.get(share.publicKey)
      if (ofKey === undefined) return unknownKey(share)
      const digest = store.digest(share.publicKey, shareIndex, share.signature)
      const triage = triageShare(shareIndex, digest, {
        exits: ofKey,
        shares: stored.get(share.publicKey) ?? [],
        sharings: sharings.of(share.publicKey),
        isReady,
      })
      const indexes = ofKey.map((exit) => exit.validatorIndex).join()
      return { share, digest, triage, question: `${digest} ${indexes} ${sharings.version}` }
    })
  }

  /** Checks what must be checked: the verdict, or the reason remembered from an equal question. */
  async #check(sorted: readonly Sorted[]): Promise<(ShareVerdict | RejectionReason | undefined)[]> {
    const remembered = sorted.map(({ question }) => this.#rejections.get(question))
    const asked = sorted.flatMap(({ share, triage }, position) => {
      if (remembered[position] !== undefined) return []
      if (triage.kind !== 'verify' && triage.kind !== 'candidate') return []
      const alternatives = triage.kind === 'verify' ? triage.alternatives : []
      return {
        position,
        check: {
          signature: share.signature,
          alternatives: alternatives.map(({ exit, publicShare }) => ({
            message: this.#parts.signingRoots.of(exit),
            publicShare: fromHex(publicShare),
          })),
        },
      }
    })
    const found: (ShareVerdict | RejectionReason | undefined)[] = remembered
    if (asked.length === 0) return found
    const verdicts = await this.#parts.crypto.checkShares(asked.map(({ check }) => check))
    for (const [i, { position }] of asked.entries()) found[position] = verdicts[i]
    return found
  }

  #remember(question: string, reason: RejectionReason): void {
    if (this.#rejections.size >= REMEMBERED_REJECTIONS) this.#rejections.clear()
    this.#rejections.set(question, reason)
  }
}

function unknownKey(share: PostedShare): Sorted {
  return { share, digest: '', triage: { kind: 'unknown-key' }, question: '' }
}

function reasonAgainst(
  triage: Triage,
  verdict: ShareVerdict | RejectionReason | undefined,
): RejectionReason | undefined {
  if (triage.kind === 'unknown-share-index') return 'unknown-share-index'
  if (triage.kind !== 'verify' && triage.kind !== 'candidate') return undefined
  if (typeof verdict === 'string') return verdict
  if (verdict?.verdict === 'not-a-point') return 'not-a-point'
  return triage.kind === 'verify' && verdict?.verdict !== 'right' ? 'wrong-signature' : undefined
}

/** The rows of a share that was not rejected. */
function newShares(
  shareIndex: bigint,
  { share, digest, triage }: Sorted,
  verdict: ShareVerdict | undefined,
): NewShare[] {
  const row = (
    { validatorIndex }: ExitId,
    state: ShareState,
    listed: boolean,
    verifiedUnder: PublicKeyHex | null,
  ): NewShare => ({ ...share, shareIndex, digest, validatorIndex, state, listed, verifiedUnder })
  switch (triage.kind) {
    case 'late':
      return [row(triage.exit, 'late', true, null)]
    case 'candidate':
      return triage.exits.map((exit) => row(exit, 'candidate', exit === triage.shown, null))
    case 'verify': {
      const found = verdict?.verdict === 'right' ? triage.alternatives[verdict.alternative] : undefined
      return found === undefined ? [] : [row(found.exit, 'proven', true, found.publicShare)]
    }
    default:
      return []
  }
}

function outcomeOf(triage: Triage) {
  switch (triage.kind) {
    case 'unknown-key':
      return 'unknown-key'
    case 'repeat':
      return 'repeated'
    case 'late':
      return 'late'
    default:
      return 'accepted'
  }
}
