/** One post of one node's shares: what each of them needs, the checks, and what is stored and answered. */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { fromHex, type PublicKeyHex } from '../core/hex.js'
import type { ExitCrypto, ShareVerdict } from './crypto/exit-crypto.js'
import { isListed } from './exits/listed.js'
import { isExit } from './exits/message.js'
import {
  byPublicKey,
  isDisputed,
  type MessageId,
  type MessageRecord,
  type ShareRecord,
  type ShareState,
} from './exits/records.js'
import type { PostedShare, RejectedShare, RejectionReason } from './exits/service.js'
import type { Sharings } from './exits/sharings.js'
import type { SigningRoots } from './exits/signing-roots.js'
import { publicSharesAt, type Triage, triageShare } from './exits/triage.js'
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
  /** SIGNATURE_THRESHOLD: without it unproven shares are not tried. */
  readonly signatureThreshold: number | undefined
  /** Whether a message has its signature; called once for each post. */
  readonly readiness: () => Promise<(wanted: MessageRecord) => boolean>
}

export interface PostResult {
  readonly rejected: readonly RejectedShare[]
  /** Messages that have a new share, not looked at further. */
  readonly changed: readonly MessageId[]
}

/** Whose shares a post brings. */
export interface Poster {
  readonly shareIndex: bigint
  /** A token’s name or an address, see callerOf. */
  readonly caller: string
}

/** A posted share with what was decided about it. */
interface Sorted {
  readonly share: PostedShare
  readonly digest: string
  readonly triage: Triage
  /** Names this share and all that its verdict depends on. */
  readonly question: string
  /** The shares that its key has already. */
  readonly present: readonly ShareRecord[]
}

export class PostedShares {
  readonly #parts: PostParts
  readonly #rejections = new Map<string, RejectionReason>()

  constructor(parts: PostParts) {
    this.#parts = parts
  }

  /** Takes shares of exits, or of deposits. What is good is stored when this returns. */
  async take(kind: 'exit' | 'deposit', poster: Poster, shares: readonly PostedShare[]): Promise<PostResult> {
    const results: PostResult[] = []
    for (let start = 0; start < shares.length; start += SHARES_AT_A_TIME) {
      if (start > 0) await setImmediate()
      results.push(await this.#takeSome(kind, poster, shares.slice(start, start + SHARES_AT_A_TIME)))
    }
    return {
      rejected: results.flatMap((result) => result.rejected),
      changed: results.flatMap((result) => result.changed),
    }
  }

  async #takeSome(
    kind: 'exit' | 'deposit',
    poster: Poster,
    shares: readonly PostedShare[],
  ): Promise<PostResult> {
    const sorted = await this.#sort(kind, poster.shareIndex, shares)
    const verdicts = await this.#check(sorted)
    const rejected: RejectedShare[] = []
    const added: NewShare[] = []
    for (const [i, entry] of sorted.entries()) {
      const verdict = verdicts[i]
      const reason = reasonAgainst(entry.triage, verdict)
      if (reason === undefined) {
        added.push(...this.#newShares(poster, entry, typeof verdict === 'object' ? verdict : undefined))
        this.#parts.metrics.shares.inc({ outcome: outcomeOf(entry.triage) })
        continue
      }
      rejected.push({ publicKey: entry.share.publicKey, reason })
      if (entry.question !== '') this.#remember(entry.question, reason)
      this.#parts.metrics.shares.inc({ outcome: 'rejected' })
    }
    const refused = await this.#parts.store.addShares(added)
    for (const publicKey of new Set(refused.map((share) => share.publicKey))) {
      rejected.push({ publicKey, reason: 'too-many-shares' })
    }
    return { rejected, changed: added.filter((share) => !refused.includes(share)) }
  }

  async #sort(
    kind: 'exit' | 'deposit',
    shareIndex: bigint,
    shares: readonly PostedShare[],
  ): Promise<Sorted[]> {
    const { store, sharings, readiness } = this.#parts
    const publicKeys = [...new Set(shares.map((share) => share.publicKey))]
    const isOfKind = ({ message }: MessageId) => isExit(message) === (kind === 'exit')
    const messages = byPublicKey((await store.messagesOf(publicKeys)).filter(isOfKind))
    if (messages.size === 0) return shares.map((share) => unknownKey(share))
    const stored = byPublicKey((await store.sharesOf([...messages.keys()])).filter(isOfKind))
    const disproven = byPublicKey(await store.disprovenOf([...messages.keys()]))
    const isReady = await readiness()
    return shares.map((share) => {
      const ofKey = messages.get(share.publicKey)
      if (ofKey === undefined) return unknownKey(share)
      const digest = store.digest(share.publicKey, shareIndex, share.signature)
      const present = stored.get(share.publicKey) ?? []
      const triage = triageShare(shareIndex, digest, {
        messages: ofKey,
        shares: present,
        disproven: disproven.get(share.publicKey) ?? [],
        known: sharings.of(share.publicKey),
        isReady,
      })
      return { share, digest, triage, question: questionOf(digest, triage), present }
    })
  }

  /** Checks what must be checked: the verdict, or the reason remembered from an equal question. */
  async #check(sorted: readonly Sorted[]): Promise<(ShareVerdict | RejectionReason | undefined)[]> {
    const remembered = sorted.map(({ question }) => this.#rejections.get(question))
    const asked = sorted.flatMap(({ share, triage }, position) => {
      if (remembered[position] !== undefined) return []
      if (triage.kind !== 'verify' && triage.kind !== 'candidate') return []
      return {
        position,
        check: {
          signature: share.signature,
          alternatives: triage.alternatives.map(({ wanted, publicShare }) => ({
            message: this.#parts.signingRoots.of(wanted),
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
    this.#rejections.delete(question)
    this.#rejections.set(question, reason)
    const [oldest] = this.#rejections.keys()
    if (this.#rejections.size > REMEMBERED_REJECTIONS && oldest !== undefined) this.#rejections.delete(oldest)
  }

  /** The rows of a share that was not rejected. */
  #newShares({ shareIndex, caller }: Poster, sorted: Sorted, verdict: ShareVerdict | undefined): NewShare[] {
    const { share, digest, triage } = sorted
    const row = ({ message }: MessageId, state: ShareState, listed: boolean, under: PublicKeyHex | null) => ({
      ...{ ...share, shareIndex, caller, digest, message, state, listed },
      verifiedUnder: under,
    })
    if (triage.kind === 'late') return [row(triage.wanted, 'late', true, null)]
    if (triage.kind !== 'verify' && triage.kind !== 'candidate') return []
    const found = verdict?.verdict === 'right' ? triage.alternatives[verdict.alternative] : undefined
    if (triage.kind === 'verify') {
      return found === undefined ? [] : [row(found.wanted, 'proven', true, found.publicShare)]
    }
    const publicShares = publicSharesAt(shareIndex, this.#parts.sharings.of(share.publicKey).sharings)
    const canBeTried = this.#parts.signatureThreshold !== undefined
    return (found === undefined ? triage.waiting : [found.wanted]).map((wanted) => {
      const shares = sorted.present.filter(({ message }) => message === wanted.message)
      const listed = isListed(
        { shareIndex, verifiedUnder: found?.publicShare },
        { shares, publicShares, canBeTried },
      )
      const calm = found === undefined ? 'candidate' : 'proven'
      const isDoubted = isDisputed(shares) || (found === undefined && publicShares.length > 0)
      const isShown = found !== undefined || wanted === triage.shown
      return row(wanted, isDoubted ? 'doubted' : calm, listed && isShown, found?.publicShare ?? null)
    })
  }
}

function unknownKey(share: PostedShare): Sorted {
  return { share, digest: '', triage: { kind: 'unknown-key' }, question: '', present: [] }
}

/** Names a share and all that its verdict depends on; empty where nothing is checked. */
function questionOf(digest: string, triage: Triage): string {
  if (triage.kind !== 'verify' && triage.kind !== 'candidate') return ''
  const hash = createHash('sha256').update(digest)
  for (const { wanted, publicShare } of triage.alternatives) hash.update(`${wanted.message} ${publicShare}`)
  return hash.digest('base64')
}

function reasonAgainst(
  triage: Triage,
  verdict: ShareVerdict | RejectionReason | undefined,
): RejectionReason | undefined {
  if (triage.kind === 'unknown-share-index') return 'unknown-share-index'
  if (triage.kind === 'disproven') return 'wrong-signature'
  if (triage.kind !== 'verify' && triage.kind !== 'candidate') return undefined
  if (typeof verdict === 'string') return verdict
  if (verdict?.verdict === 'not-a-point') return 'not-a-point'
  return triage.kind === 'verify' && verdict?.verdict !== 'right' ? 'wrong-signature' : undefined
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
