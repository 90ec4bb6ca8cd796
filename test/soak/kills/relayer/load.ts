/** Clients that keep a relayer busy: operators that ask, honest nodes that sign, one of them always late. */
import { toHex } from '../../../../core/hex.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../../core/messages/deposit.js'
import type { Network } from '../../../../core/network.js'
import { type Oracles, recombine } from '../../../devnet/oracles.js'
import { exitRoot } from '../../../relayer/clusters.js'
import type { Random } from '../random.js'
import { VAULT } from '../vault.js'
import { pause } from '../waiting.js'
import type { Calls } from './calls.js'
import type { Ledger, Message } from './ledger.js'
import { claimOf, type LoadValidator, makeValidators, NODES } from './validators.js'

/** Validators that are asked for together, in one order: their indexes follow each other. */
export type Wave = readonly LoadValidator[]

export interface LoadParts {
  readonly calls: Calls
  readonly ledger: Ledger
  readonly network: Network
  readonly oracles: Oracles
  /** The index that the next validator gets. */
  readonly nextIndex: number
  /** Those of the relayer's cluster lock; each wave takes two. */
  readonly given: readonly LoadValidator[]
  /** Those of its PUBLIC_KEYS_FILE. */
  readonly pool: readonly LoadValidator[]
  readonly random: Random
}

const OF_A_KIND = 2
const LATE_NODE = NODES[3]
const TYPE = '0x02'
/** Gwei: each round of registrations asks for one less, so that new deposits are wanted. */
const HIGHEST_AMOUNT = 2_048_000_000_000n

export class Load {
  readonly waves: Wave[] = []
  /** Wrong signatures that were served. */
  readonly wrong: string[] = []
  readonly #parts: LoadParts
  readonly #validators = new Map<string, LoadValidator>()
  readonly #pooled: ReadonlySet<string>
  #given: readonly LoadValidator[]
  #amount = HIGHEST_AMOUNT
  #stopped = false
  #running: Promise<unknown> = Promise.resolve()

  constructor(parts: LoadParts) {
    this.#parts = parts
    this.#given = parts.given
    this.#pooled = new Set(parts.pool.map(({ publicKey }) => publicKey))
    for (const validator of parts.pool) this.#validators.set(validator.publicKey, validator)
  }

  start(): void {
    this.#stopped = false
    this.#running = Promise.all([
      this.#keep(() => this.#askNext()),
      this.#keep(() => this.register()),
      ...NODES.flatMap((node) => [
        this.#keep(() => this.#signExits(node)),
        ...(node === LATE_NODE ? [] : [this.#keep(() => this.#signDeposits(node))]),
      ]),
    ])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  /** Asks for a wave. @returns whether it is ready; undefined where there was no answer */
  async ask(wave: Wave): Promise<boolean | undefined> {
    const { calls, ledger, nextIndex } = this.#parts
    const answer = await calls.ask(wave.map(({ publicKey }) => publicKey))
    if (answer === undefined) return undefined
    let ready = true
    for (const [i, { publicKey }] of wave.entries()) {
      const message = exitOf(publicKey, nextIndex + i)
      ledger.noteAsked(message)
      const shares = answer[i]?.oracles_exit_signature_shares ?? undefined
      if (shares === undefined) ledger.noteMissing(message)
      else ledger.noteServed(message, shares)
      ready &&= shares !== undefined
    }
    const first = answer[0]?.oracles_exit_signature_shares
    if (ready && wave === this.waves.at(-1) && wave[0] !== undefined && first) {
      this.#checkExit(wave[0], nextIndex, first)
    }
    return ready
  }

  /** Asks for the pool's validators with their deposits. @returns whether all is there */
  async register(): Promise<boolean | undefined> {
    const { calls, ledger, nextIndex, pool } = this.#parts
    const amount = this.#amount
    const answer = await calls.register({
      vault: VAULT,
      validators_start_index: nextIndex,
      amounts: pool.map(() => amount),
      validator_type: TYPE,
    })
    if (answer === undefined) return undefined
    let ready = answer.length === pool.length
    for (const [i, validator] of answer.entries()) {
      const exit = exitOf(validator.public_key, nextIndex + i)
      const deposit = depositOf(validator.public_key, validator.amount)
      for (const [message, content] of [
        [exit, validator.oracles_exit_signature_shares],
        [deposit, validator.deposit_signature],
      ] as const) {
        ledger.noteAsked(message)
        if (content === null || content === undefined) ledger.noteMissing(message)
        else ledger.noteServed(message, content)
        ready &&= content !== null && content !== undefined
      }
      if (validator.deposit_signature) this.#checkDeposit(validator.public_key, validator)
    }
    if (ready) this.#amount = amount - 1n
    return ready
  }

  async #askNext(): Promise<void> {
    const wave = this.waves.at(-1) ?? this.#nextWave()
    if ((await this.ask(wave)) === true) this.#nextWave()
  }

  #nextWave(): Wave {
    const given = this.#given.slice(0, OF_A_KIND)
    this.#given = this.#given.slice(OF_A_KIND)
    const wave = [...given, ...makeValidators(OF_A_KIND, 'claimed'), ...makeValidators(OF_A_KIND, 'none')]
    for (const validator of wave) this.#validators.set(validator.publicKey, validator)
    this.waves.push(wave)
    return wave
  }

  async #signExits(node: bigint): Promise<void> {
    const exits = await this.#parts.calls.exits()
    const missing = (exits ?? []).flatMap((exit) => {
      const validator = this.#validators.get(exit.public_key)
      if (validator === undefined || this.#pooled.has(exit.public_key)) return []
      const isDue = exit.is_exit_signature_ready === (node === LATE_NODE)
      if (!isDue || exit.share_indexes_ready.includes(node)) return []
      return { validator, validatorIndex: exit.validator_index }
    })
    const claiming = missing.filter(({ validator }) => validator.knowledge === 'claimed')
    const others = missing.filter(({ validator }) => validator.knowledge !== 'claimed')
    const posted = (signed: typeof missing) =>
      signed.map(({ validator, validatorIndex }) => exitOf(validator.publicKey, validatorIndex))
    if (others.length > 0) {
      const shares = others.map(({ validator, validatorIndex }) => ({
        public_key: validator.publicKey,
        exit_signature: toHex(validator.sign(node, validatorIndex)),
      }))
      await this.#post('/exit-signature', node, shares, posted(others))
    }
    if (claiming.length > 0) {
      const shares = claiming.map(({ validator, validatorIndex }) => {
        const exit = toHex(validator.sign(node, validatorIndex))
        return {
          public_key: validator.publicKey,
          public_key_shares: claimOf(validator),
          exit_signature: exit,
          deposit_signature: exit,
        }
      })
      await this.#post('/signatures', node, shares, posted(claiming))
    }
  }

  async #signDeposits(node: bigint): Promise<void> {
    const wanted = (await this.#parts.calls.wanted()) ?? []
    const missing = wanted.filter(
      (one) =>
        this.#pooled.has(one.public_key) &&
        one.is_signatures_ready !== true &&
        !one.share_indexes_ready.includes(node),
    )
    const signed = missing.flatMap((one) => {
      const validator = this.#validators.get(one.public_key)
      return validator === undefined ? [] : { validator, one }
    })
    if (signed.length === 0) return
    const shares = signed.map(({ validator, one }) => ({
      public_key: validator.publicKey,
      public_key_shares: claimOf(validator),
      exit_signature: toHex(validator.sign(node, one.validator_index)),
      deposit_signature: toHex(validator.signRoot(node, this.#depositRoot(validator, one.amount))),
    }))
    const messages = signed.flatMap(({ validator, one }) => [
      exitOf(validator.publicKey, one.validator_index),
      depositOf(validator.publicKey, one.amount),
    ])
    await this.#post('/signatures', node, shares, messages)
  }

  async #post(
    path: '/exit-signature' | '/signatures',
    node: bigint,
    shares: readonly unknown[],
    messages: readonly Message[],
  ): Promise<void> {
    const { calls, ledger } = this.#parts
    const rejected = await calls.post(path, { share_index: node, shares })
    if (rejected === undefined) return
    for (const key of rejected) this.wrong.push(`node ${node}: a right share of ${key} was rejected`)
    for (const message of messages) {
      if (!rejected.includes(message.publicKey)) ledger.noteShare(message, node)
    }
  }

  #checkExit(
    validator: LoadValidator,
    validatorIndex: number,
    parts: { readonly public_keys: readonly string[]; readonly encrypted_exit_signatures: readonly string[] },
  ): void {
    const root = exitRoot(validatorIndex)
    const made = recombine(this.#parts.oracles, parts.encrypted_exit_signatures, parts.public_keys, root)
    if (toHex(made) !== toHex(validator.signRoot(0n, root))) {
      this.wrong.push(`the oracles’ parts of ${validator.publicKey} make another signature`)
    }
  }

  #checkDeposit(
    publicKey: string,
    { amount, deposit_signature }: { readonly amount: bigint; readonly deposit_signature?: unknown },
  ): void {
    const validator = this.#validators.get(publicKey)
    if (validator === undefined) return
    const right = toHex(validator.signRoot(0n, this.#depositRoot(validator, amount)))
    if (deposit_signature !== right) this.wrong.push(`the deposit signature of ${publicKey} is wrong`)
  }

  #depositRoot({ publicKey }: LoadValidator, amount: bigint): Uint8Array {
    const credentials = withdrawalCredentials(TYPE, VAULT)
    return depositSigningRoot(this.#parts.network, { publicKey, withdrawalCredentials: credentials, amount })
  }

  /** Does something again and again, at no even pace. */
  async #keep(work: () => Promise<unknown>): Promise<void> {
    while (!this.#stopped) {
      await work()
      await pause(this.#parts.random.between(5, 60))
    }
  }
}

const exitOf = (publicKey: LoadValidator['publicKey'], index: number): Message => ({
  publicKey,
  message: `exit/${index}`,
})
const depositOf = (publicKey: LoadValidator['publicKey'], amount: bigint): Message => ({
  publicKey,
  message: `deposit/${VAULT}/${TYPE}/${amount}`,
})
