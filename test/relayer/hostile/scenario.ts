/** One exit of a cluster some of whose nodes are bad, from the first post until it is ready. */
import { toHex } from '../../../core/hex.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import type { RejectedShare } from '../../../relayer/exits/service.js'
import type { WantedDeposit } from '../../../relayer/validators/service.js'
import type { Random } from '../../soak/kills/random.js'
import { exitRoot, hoodi } from '../clusters.js'
import { combineParts, type TestRelayer, type TestWorld } from '../relayer.js'
import { type BadPost, type BadSituation, badPosts, poison } from './bad-posts.js'
import { SeededCluster } from './cluster.js'

/**
 * What the relayer knows of the public shares: given, claimed by sidecars, or nothing. Claims alone: no
 * SIGNATURE_THRESHOLD either, so that nothing is tried.
 */
export type Knowledge = 'given' | 'claimed' | 'claims alone' | 'none'

export interface ScenarioSetup {
  readonly nodes: readonly bigint[]
  readonly threshold: number
  readonly bad: readonly bigint[]
  readonly knowledge: Knowledge
  readonly random: Random
}

/** Looks that each honest sidecar needs at most, once the bad nodes have done what they do. */
const MOST_LOOKS = 3

const DEPOSIT: WantedDeposit = { vault: `0x${'ba'.repeat(20)}`, type: '0x01', amount: 32_000_000_000n }

export class Scenario {
  readonly #setup: ScenarioSetup
  readonly #world: TestWorld
  readonly #relayer: TestRelayer
  readonly #cluster: SeededCluster
  readonly #honest: readonly bigint[]
  readonly #name: string
  readonly #bad: readonly BadSituation[]
  /** The bad nodes that post at an honest node's index each time before it looks. */
  readonly #quickest: readonly BadSituation[]
  /** Honest nodes whose share was taken. */
  readonly #posted = new Set<bigint>()
  readonly #exitIndex: number
  /** Honest nodes whose sidecar claims no public shares, as those of v2.0. */
  readonly #quiet: ReadonlySet<bigint>

  constructor(setup: ScenarioSetup, world: TestWorld, relayer: TestRelayer) {
    const { nodes, threshold, bad, knowledge, random } = setup
    this.#setup = setup
    this.#world = world
    this.#relayer = relayer
    this.#cluster = new SeededCluster(random, nodes, threshold)
    this.#honest = nodes.filter((node) => !bad.includes(node))
    this.#name = this.#cluster.publicKey.slice(2, 10)
    this.#exitIndex = world.nextIndex
    this.#bad = bad.map((node) => this.#situationOf(node))
    this.#quickest = this.#bad.filter(() => random.next() < 0.2)
    // Somebody has to claim the right set where nothing else helps.
    const mayBeQuiet = this.#honest.slice(knowledge === 'claims alone' ? 1 : 0)
    this.#quiet = new Set(mayBeQuiet.filter(() => random.next() < 0.3))
  }

  /** @throws Error that names what did not hold */
  async run(): Promise<void> {
    const { random, knowledge } = this.#setup
    if (knowledge === 'given') this.#world.sharings.push(this.#cluster.validator)
    await this.#ask()
    const attacks = this.#bad.flatMap((own) => badPosts(own, this.#areDepositsWanted))
    const events = [
      ...shuffled(random, attacks).map((post) => () => this.#postBad(post)),
      ...shuffled(random, this.#honest).map((node) => () => this.#look(node)),
    ]
    // In every third the bad nodes are first with all that they have.
    if (random.next() < 0.67) events.splice(0, events.length, ...shuffled(random, events))
    for (const event of events) {
      await event()
      if (random.next() < 0.5) await this.#relayer.service.idle()
    }
    for (let looks = 0; looks < MOST_LOOKS && !(await this.#isReady()); looks++) {
      for (const node of shuffled(random, this.#honest)) await this.#look(node)
    }
    if (!(await this.#isReady())) {
      throw new Error(`not ready; of ${this.#honest} only ${[...this.#posted]} posted`)
    }
    await this.#expectRight()
  }

  /** Claims come with dialect 2, which wants deposits too. */
  get #areDepositsWanted(): boolean {
    return this.#setup.knowledge.startsWith('claim')
  }

  #situationOf(node: bigint): BadSituation {
    const { bad, random, nodes, threshold } = this.#setup
    return {
      cluster: this.#cluster,
      node,
      honest: this.#honest,
      bad,
      otherRoot: exitRoot(this.#exitIndex + 1),
      otherCluster: new SeededCluster(random, nodes, threshold),
      random,
    }
  }

  async #ask() {
    const { publicKey } = this.#cluster
    const { service } = this.#relayer
    if (!this.#areDepositsWanted) return (await service.requestExits([publicKey]))[0]
    return (
      await service.requestValidators([{ publicKey, validatorIndex: this.#exitIndex, deposit: DEPOSIT }])
    )[0]
  }

  /** What an honest sidecar does at each look: it posts where its index is not listed. */
  async #look(node: bigint): Promise<void> {
    const { publicKey } = this.#cluster
    const { service } = this.#relayer
    for (const own of this.#quickest) await this.#postBad(poison(own, node))
    const list = this.#areDepositsWanted
      ? (await service.listValidators()).map((own) => ({ ...own, ready: own.isReady }))
      : (await service.listExits()).map((own) => ({ ...own, ready: own.isExitSignatureReady }))
    const wanted = list.find((own) => own.publicKey === publicKey)
    if (wanted === undefined) throw new Error('the exit is not listed')
    if (wanted.ready || wanted.shareIndexesReady.includes(node)) return
    const claimedShares = this.#quiet.has(node) ? undefined : this.#cluster.validator.shares
    const rejected = await this.#post({
      poster: node,
      shareIndex: node,
      sign: this.#cluster.signerOf(node),
      claimedShares,
    })
    if (rejected.length > 0)
      throw new Error(`the right share of ${node} was rejected: ${rejected[0]?.reason}`)
    this.#posted.add(node)
    if (this.#posted.size < this.#setup.threshold) return
    await service.idle()
    if (!(await this.#isReady()))
      throw new Error('the shares of enough honest nodes are there, and it is not ready')
  }

  async #postBad(post: BadPost): Promise<void> {
    const rejected = await this.#post(post)
    if (this.#setup.knowledge !== 'given') return
    const right = toHex(this.#cluster.signerOf(post.shareIndex)(exitRoot(this.#exitIndex)))
    const isRight = toHex(post.sign(exitRoot(this.#exitIndex))) === right
    if (rejected.length !== (isRight ? 0 : 1))
      throw new Error(`'${post.kind}' was ${isRight ? '' : 'not '}rejected`)
  }

  #post({ poster, shareIndex, sign, claimedShares }: PostedBy): Promise<readonly RejectedShare[]> {
    const { service } = this.#relayer
    const { publicKey } = this.#cluster
    const caller = `token ${this.#name} ${poster}`
    const exitSignature = sign(exitRoot(this.#exitIndex))
    if (!this.#areDepositsWanted) {
      return service.postShares(shareIndex, [{ publicKey, signature: exitSignature }], caller)
    }
    const depositSignature = sign(this.#depositRoot())
    return service.postSignatures(
      shareIndex,
      [{ publicKey, exitSignature, depositSignature, claimedShares }],
      caller,
    )
  }

  #depositRoot(): Uint8Array {
    const { vault, type, amount } = DEPOSIT
    const { publicKey } = this.#cluster
    return depositSigningRoot(hoodi, {
      publicKey,
      withdrawalCredentials: withdrawalCredentials(type, vault),
      amount,
    })
  }

  async #isReady(): Promise<boolean> {
    await this.#relayer.service.idle()
    const validator = await this.#ask()
    if (validator?.oracleShares == null) return false
    return !('depositSignature' in validator) || validator.depositSignature !== null
  }

  /** What comes out is exactly what the whole key signs. */
  async #expectRight(): Promise<void> {
    const validator = await this.#ask()
    if (validator?.oracleShares == null) throw new Error('not ready any more')
    const { publicKey } = this.#cluster
    const whole = this.#cluster.signerOf(0n)
    const made = combineParts(this.#world.oracles, validator.oracleShares, publicKey, this.#exitIndex)
    if (made !== toHex(whole(exitRoot(this.#exitIndex))))
      throw new Error('the oracles’ parts make another signature')
    if ('depositSignature' in validator && validator.depositSignature !== toHex(whole(this.#depositRoot()))) {
      throw new Error('the deposit has another signature')
    }
  }
}

interface PostedBy {
  readonly poster: bigint
  readonly shareIndex: bigint
  readonly sign: (root: Uint8Array) => Uint8Array
  readonly claimedShares?: ReadonlyMap<bigint, `0x${string}`> | undefined
}

export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const left = [...items]
  return items.flatMap(() => left.splice(random.between(0, left.length - 1), 1))
}
