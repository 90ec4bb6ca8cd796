/** One post of one node's shares: what each of them needs, the checks, and what is stored and answered. */
import { setImmediate } from 'node:timers/promises'
import { fromHex, type PublicKeyHex } from '../core/hex.js'
import type { ExitCrypto, ShareVerdict } from './crypto/exit-crypto.js'
import { isExit } from './exits/message.js'
import { byPublicKey, type MessageId, type MessageRecord, type ShareState } from './exits/records.js'
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
  /** Whether a message has its signature; called once for each post. */
  readonly readiness: () => Promise<(wanted: MessageRecord) => boolean>
}

export interface PostResult {
  readonly rejected: readonly RejectedShare[]
  /** Messages that have a new share, not looked at further. */
  readonly changed: readonly MessageId[]
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

  /** Takes shares of exits, or of deposits. What is good is stored when this returns. */
  async take(
    kind: 'exit' | 'deposit',
    shareIndex: bigint,
    shares: readonly PostedShare[],
  ): Promise<PostResult> {
    const results: PostResult[] = []
    for (let start = 0; start < shares.length; start += SHARES_AT_A_TIME) {
      if (start > 0) await setImmediate()
      results.push(await this.#takeSome(kind, shareIndex, shares.slice(start, start + SHARES_AT_A_TIME)))
    }
    return {
      rejected: results.flatMap((result) => result.rejected),
      changed: results.flatMap((result) => result.changed),
    }
  }

  async #takeSome(
    kind: 'exit' | 'deposit',
    shareIndex: bigint,
    shares: readonly PostedShare[],
  ): Promise<PostResult> {
    const sorted = await this.#sort(kind, shareIndex, shares)
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
    const isReady = await readiness()
    return shares.map((share) => {
      const ofKey = messages.get(share.publicKey)
      if (ofKey === undefined) return unknownKey(share)
      const digest = store.digest(share.publicKey, shareIndex, share.signature)
      const triage = triageShare(shareIndex, digest, {
        messages: ofKey,
        shares: stored.get(share.publicKey) ?? [],
        known: sharings.of(share.publicKey),
        isReady,
      })
      const names = ofKey.map(({ message }) => message).join()
      return { share, digest, triage, question: `${digest} ${names} ${sharings.version}` }
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
    { message }: MessageId,
    state: ShareState,
    listed: boolean,
    verifiedUnder: PublicKeyHex | null,
  ): NewShare => ({ ...share, shareIndex, digest, message, state, listed, verifiedUnder })
  switch (triage.kind) {
    case 'late':
      return [row(triage.wanted, 'late', true, null)]
    case 'candidate':
    case 'verify': {
      const found = verdict?.verdict === 'right' ? triage.alternatives[verdict.alternative] : undefined
      if (found !== undefined) return [row(found.wanted, 'proven', true, found.publicShare)]
      if (triage.kind === 'verify') return []
      return triage.waiting.map((wanted) => row(wanted, 'candidate', wanted === triage.shown, null))
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
