/** A devnet with one relayer that is killed again and again, and the clients that it serves in between. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Devnet, startDevnet } from '../../../devnet/devnet.js'
import { runRelayer } from '../../../devnet/procedure.js'
import { type DvtExitProcess, freePort } from '../../../devnet/processes.js'
import type { Random } from '../random.js'
import { VAULT } from '../vault.js'
import { awaited } from '../waiting.js'
import { Calls } from './calls.js'
import { Ledger } from './ledger.js'
import { Load } from './load.js'
import { makeValidators, writeLock, writePublicKeys } from './validators.js'

const ORACLES = 5
const POOL = 4

export class RelayerScene {
  readonly devnet: Devnet
  readonly ledger = new Ledger()
  readonly calls: Calls
  readonly load: Load
  readonly oracles = ORACLES
  readonly #folder: string
  readonly #port: number
  readonly #env: Readonly<Record<string, string>>
  #others = 0

  private constructor(parts: {
    devnet: Devnet
    folder: string
    port: number
    token: string
    validators: number
    random: Random
  }) {
    const { devnet, folder, port, token, random } = parts
    this.devnet = devnet
    this.#folder = folder
    this.#port = port
    const given = makeValidators(parts.validators, 'given')
    const pool = makeValidators(POOL, 'claimed')
    this.calls = new Calls(`http://127.0.0.1:${port}`, token)
    const { ledger, calls } = this
    this.load = new Load({ ...devnet, ledger, calls, given, pool, random })
    this.#env = {
      CLUSTER_LOCK_FILES: writeLock(folder, devnet.network, given),
      PUBLIC_KEYS_FILE: writePublicKeys(folder, pool),
      VAULTS: VAULT,
      RELAYER_MAX_REQUESTS_PER_SECOND: '100000',
    }
  }

  /** @param validators how many are in the relayer's cluster lock */
  static async start(validators: number, random: Random): Promise<RelayerScene> {
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-kills-'))
    const devnet = await startDevnet({ oracles: ORACLES, threshold: 3 })
    const database = join(folder, 'relayer.db')
    const args = ['relayer', 'token', 'new', '--role', 'operator', '--name', 'load']
    const made = devnet.run('token', args, folder, { DATABASE: database })
    await made.exited
    const token = made.stdout.trim()
    return new RelayerScene({ devnet, folder, port: await freePort(), token, validators, random })
  }

  get database(): string {
    return join(this.#folder, 'relayer.db')
  }

  /** Starts the relayer on the database that it always has. */
  run(): DvtExitProcess {
    return runRelayer(this.devnet, this.#folder, this.#port, this.#env)
  }

  /** A relayer in a folder of its own, where there is nothing yet. */
  another(): { readonly database: string; readonly run: () => DvtExitProcess } {
    this.#others += 1
    const folder = join(this.#folder, `other-${this.#others}`)
    const env = { ...this.#env, DATABASE: join(folder, 'relayer.db') }
    const run = () =>
      runRelayer(this.devnet, this.#folder, this.#port, {
        ...env,
        RELAYER_KEY_FILE: join(folder, 'relayer.key'),
      })
    return { database: env.DATABASE, run }
  }

  /** What the running relayer does not say any more of what it has said. */
  async forgotten(waves: number, random: Random): Promise<string[]> {
    const { calls, ledger, load } = this
    const known = [...ledger.asked.values()]
    const shares = new Map([...ledger.shares].map(([name, indexes]) => [name, [...indexes]]))
    const exits = await awaited('the list of exits is served', () => calls.exits())
    const listed = new Map(exits.map((exit) => [`${exit.public_key} exit/${exit.validator_index}`, exit]))
    const missing = known.flatMap(({ publicKey, message }) => {
      if (!message.startsWith('exit/')) return []
      const name = `${publicKey} ${message}`
      const exit = listed.get(name)
      if (exit === undefined) return [`${name} is not listed`]
      if (exit.is_exit_signature_ready) return []
      const there = exit.share_indexes_ready.map(String)
      const gone = (shares.get(name) ?? []).filter((index) => !there.includes(index))
      return gone.map((index) => `${name} lacks share ${index}`)
    })
    // A different answer than before becomes a contradiction in the ledger.
    const sample = new Set([...load.waves.slice(-2), ...some(load.waves, waves, random)])
    for (const wave of sample) {
      await awaited('the exits of a wave are served', () => load.ask(wave))
    }
    await awaited('a registration is served', () => load.register())
    return [
      ...missing,
      ...ledger.contradictions.splice(0),
      ...calls.unexpected.splice(0),
      ...load.wrong.splice(0),
    ]
  }

  async close(): Promise<void> {
    await this.devnet.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function some<T>(items: readonly T[], count: number, random: Random): T[] {
  if (items.length <= count) return [...items]
  const first = random.between(0, items.length - count)
  return items.slice(first, first + count)
}
