import { expect } from 'chai'
import type { PublicKeyHex } from '../../../core/hex.js'
import type { DistributedValidator } from '../../../core/signer.js'
import { notesLateShare, roomFor } from '../../../relayer/exits/candidates.js'
import { exitMessage } from '../../../relayer/exits/message.js'
import { nextStep } from '../../../relayer/exits/next-step.js'
import type {
  DisprovenShare,
  MessageRecord,
  ShareRecord,
  ShareState,
} from '../../../relayer/exits/records.js'
import { planRequest } from '../../../relayer/exits/request.js'
import { triageShare } from '../../../relayer/exits/triage.js'

const publicKey: PublicKeyHex = `0x${'aa'.repeat(48)}`
const publicShare = (n: number): PublicKeyHex => `0x${n.toString(16).padStart(96, '0')}`
const exit = (validatorIndex: number, askedOrder: number): MessageRecord => ({
  publicKey,
  message: exitMessage(validatorIndex),
  createdAt: 100,
  askedAt: 100,
  askedOrder,
})
const share = (
  shareIndex: number,
  state: ShareState = 'candidate',
  more: Partial<ShareRecord> = {},
): ShareRecord => ({
  publicKey,
  message: exitMessage(1),
  shareIndex: BigInt(shareIndex),
  digest: `${shareIndex}`,
  order: shareIndex,
  state,
  listed: true,
  verifiedUnder: null,
  caller: 'token a',
  ...more,
})
const sharing = (entries: Record<number, number>, threshold = 2): DistributedValidator => ({
  publicKey,
  threshold,
  source: 'test',
  shares: new Map(Object.entries(entries).map(([index, n]) => [BigInt(index), publicShare(n)])),
})
const verified = (shareIndex: number, n: number) =>
  share(shareIndex, 'proven', { verifiedUnder: publicShare(n) })

const given = (...sharings: DistributedValidator[]) => ({ sharings, given: true })
const claimed = (...sharings: DistributedValidator[]) => ({ sharings, given: false })

describe('a request', () => {
  const times = { now: 200, order: 9, touchAfter: 60 }
  const asked = (validatorIndex: number) => [{ publicKey, message: exitMessage(validatorIndex) }]

  it('writes nothing for an exit that is shown and was asked for a moment ago', () => {
    const plan = planRequest([exit(1, 1), exit(2, 2)], asked(2), { ...times, now: 159 })
    expect(plan).to.deep.equal({ insert: [], touch: [], shownAgain: [], remove: [] })
  })

  it('notes the time of an exit that is shown, and shows an older one again', () => {
    const noted = planRequest([exit(1, 1), exit(2, 2)], asked(2), times)
    expect(noted.touch).to.deep.equal([{ ...exit(2, 9), askedAt: 200 }])
    expect(noted.shownAgain).to.deep.equal([])
    const again = planRequest([exit(1, 1), exit(2, 2)], asked(1), { ...times, now: 100 })
    expect(again.shownAgain).to.deep.equal([exit(1, 9)])
  })

  it('lets a fifth index take the place of that asked for longest ago', () => {
    const plan = planRequest([exit(1, 5), exit(2, 2), exit(3, 3), exit(4, 4)], asked(5), times)
    expect(plan.remove).to.deep.equal([exit(2, 2)])
    expect(plan.insert.map((inserted) => inserted.message)).to.deep.equal([exitMessage(5)])
  })
})

describe('slots', () => {
  const posted = (shareIndex: bigint, caller = 'token a') => ({ shareIndex, caller })
  const evicted = (shareIndex: bigint, shares: readonly ShareRecord[], caller?: string) => {
    const room = roomFor(posted(shareIndex, caller), shares)
    if (room.kind === 'full') throw new Error('there is no room')
    return room.evict
  }
  const at = (order: number, state: ShareState = 'candidate', caller = 'token a') =>
    share(7, state, { order, digest: `${order}`, caller })

  it('of a caller and index are four: what was tried makes room first, then the oldest', () => {
    expect(evicted(7n, [at(1), at(2), at(3)])).to.deep.equal([])
    expect(evicted(7n, [at(1), at(2), at(3), at(4)])).to.deep.equal([at(1)])
    expect(evicted(7n, [at(1), at(2), at(3, 'tried'), at(4)])).to.deep.equal([at(3, 'tried')])
    expect(evicted(7n, [at(1, 'proven'), at(2), at(3), at(4), at(5)])).to.deep.equal([at(2)])
    expect(evicted(8n, [at(1), at(2), at(3), at(4)])).to.deep.equal([])
  })

  it('are each caller’s own: nobody pushes out what another sent', () => {
    const others = Array.from({ length: 40 }, (_, i) => at(i + 1, 'tried', `10.0.0.${i % 20}`))
    expect(evicted(7n, others)).to.deep.equal([])
    const own = [at(100), at(101), at(102), at(103)]
    expect(evicted(7n, [...others, ...own])).to.deep.equal([at(100)])
  })

  it('of a caller are 32 at all indexes', () => {
    const many = Array.from({ length: 32 }, (_, i) => share(i + 1, i === 20 ? 'tried' : 'candidate'))
    expect(evicted(100n, many)).to.deep.equal([share(21, 'tried')])
    expect(evicted(100n, many.slice(1))).to.deep.equal([])
    expect(evicted(100n, many, 'token b')).to.deep.equal([])
  })

  it('of a message are 256: a token’s share takes that of an address, an address’s none but its own', () => {
    const caller = (i: number) => `10.0.${i >> 4}.1`
    const full = Array.from({ length: 256 }, (_, i) => share(i + 1, 'candidate', { caller: caller(i) }))
    expect(roomFor(posted(300n, '10.9.9.9'), full)).to.deep.equal({ kind: 'full' })
    expect(evicted(300n, full, caller(255))).to.deep.equal([full[240]])
    expect(evicted(300n, full, 'token a')).to.deep.equal([full[0]])
    const tokens = full.map((own) => ({ ...own, caller: `token ${own.caller}` }))
    expect(roomFor(posted(300n), tokens)).to.deep.equal({ kind: 'full' })
    expect(evicted(300n, tokens.slice(1))).to.deep.equal([])
    expect(notesLateShare(300n, full)).to.equal(false)
    expect(notesLateShare(300n, full.slice(1))).to.equal(true)
    expect(notesLateShare(5n, full.slice(1))).to.equal(false)
  })
})

describe('the next step', () => {
  it('waits for a threshold of right shares of one sharing', () => {
    const sharings = [sharing({ 1: 11, 2: 12, 3: 13 }), sharing({ 1: 21, 2: 22, 3: 13 })]
    expect(nextStep([verified(1, 11), verified(2, 22)], given(...sharings), 2).kind).to.equal('wait')
    const step = nextStep([verified(1, 11), verified(2, 22), verified(3, 13)], given(...sharings), 2)
    expect(step).to.deep.include({ kind: 'recover', threshold: 2, sharing: sharings[0] })
    expect('shares' in step && step.shares).to.deep.equal([verified(1, 11), verified(3, 13)])
  })

  it('checks what no public share has proven yet, before anything else', () => {
    const shares = [verified(1, 11), verified(2, 12), share(3), share(4, 'late'), verified(5, 99)]
    expect(nextStep(shares, given(sharing({ 1: 11, 2: 12, 3: 13 })), 2)).to.deep.equal({
      kind: 'verify',
      shares: shares.slice(2),
    })
  })

  it('tries where no sharing is known, a threshold of indexes is there and something is new', () => {
    const shares = [share(1, 'tried'), share(2, 'tried'), share(2, 'candidate', { digest: 'other' })]
    expect(nextStep(shares, claimed(), 2)).to.deep.equal({ kind: 'try', shares, threshold: 2 })
    expect(nextStep(shares, claimed(), 3).kind).to.equal('wait')
    expect(nextStep(shares.slice(0, 2), claimed(), 2).kind).to.equal('wait')
    expect(nextStep(shares, claimed(), undefined).kind).to.equal('wait')
  })

  it('needs no trial once a signature has proven enough', () => {
    const proven = [share(1, 'proven'), share(2, 'proven')]
    expect(nextStep([...proven, share(3)], claimed(), 2)).to.deep.equal({
      kind: 'recover',
      shares: proven,
      threshold: 2,
      sharing: undefined,
    })
  })
})

describe('a posted share', () => {
  const key = {
    messages: [exit(1, 1), exit(2, 2)],
    shares: [] as ShareRecord[],
    disproven: [] as DisprovenShare[],
    known: claimed(),
    isReady: () => false,
  }

  it('of a key that nobody asked for is left alone', () => {
    expect(triageShare(1n, 'd', { ...key, messages: [] })).to.deep.equal({ kind: 'unknown-key' })
  })

  it('is a repeat where any exit of the key has it at that index', () => {
    const shares = [share(1, 'candidate', { digest: 'd', message: exitMessage(1) })]
    expect(triageShare(1n, 'd', { ...key, shares })).to.deep.equal({ kind: 'repeat' })
    expect(triageShare(2n, 'd', { ...key, shares }).kind).to.equal('candidate')
  })

  it('may belong to any exit of the key, the one asked for last first', () => {
    const known = given(sharing({ 1: 11 }), sharing({ 1: 21 }))
    const triage = triageShare(1n, 'd', { ...key, known })
    expect(triage).to.deep.equal({
      kind: 'verify',
      alternatives: [
        { wanted: exit(2, 2), publicShare: publicShare(11) },
        { wanted: exit(2, 2), publicShare: publicShare(21) },
        { wanted: exit(1, 1), publicShare: publicShare(11) },
        { wanted: exit(1, 1), publicShare: publicShare(21) },
      ],
    })
    expect(triageShare(1n, 'd', key)).to.deep.equal({
      kind: 'candidate',
      alternatives: [],
      waiting: [exit(1, 1), exit(2, 2)],
      shown: exit(2, 2),
    })
  })

  it('is late when the exit is ready', () => {
    expect(triageShare(1n, 'd', { ...key, isReady: () => true })).to.deep.equal({
      kind: 'late',
      wanted: exit(2, 2),
    })
    const isReady = (candidate: MessageRecord) => candidate.message === exitMessage(2)
    expect(triageShare(1n, 'd', { ...key, isReady }).kind).to.equal('late')
  })
})
