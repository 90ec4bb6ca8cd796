/** kill -9 of one sidecar at random moments, the same for every vendor. */
import { existsSync, readFileSync, truncateSync } from 'node:fs'
import type { PublicKeyHex } from '../../../../core/hex.js'
import type { DvtExitProcess } from '../../../devnet/processes.js'
import { check, type Outcome, sum } from '../../part.js'
import type { Random } from '../random.js'
import { pause, until } from '../waiting.js'
import { AuditFile } from './audit-file.js'
import type { Step, WantingRelayer } from './wanting-relayer.js'

/** What is killed. */
export interface SidecarScene {
  readonly relayer: WantingRelayer
  readonly auditLog: string
  /** Moments of this vendor's own, beside those of all. */
  readonly moments: readonly Moment[]
  run(env?: Readonly<Record<string, string>>): DvtExitProcess
  /** Moves the world on, before each start. @returns the keys that are signed for from now on */
  advance(): readonly PublicKeyHex[]
  /** What is wrong with what a killed sidecar left, beside its audit log. */
  faults(): readonly string[]
}

export type Moment = 'starting' | 'working' | Step

const MOMENTS: readonly [Moment, ...Moment[]] = [
  'starting',
  'starting',
  'working',
  'asks',
  'asks',
  'posts',
  'was answered',
]
/** Milliseconds after the moment until the kill, at most. */
const LATEST = 60
const LONGEST_WORK = 600
/** Every so many kills the last line of the audit log is torn, as a power cut could do. */
const TORN = 4
const LIMIT_ROOM = 4
const OVER_LIMIT = 9
/** The index of the first exit that is wanted: the chain has no validator with it. */
const FIRST_INDEX = 1_300_000

export class SidecarKills {
  readonly #scene: SidecarScene
  readonly #random: Random
  #audit = ''
  /** Torn lines that were made here. */
  #torn = 0
  #startTime = 1_500
  #index = FIRST_INDEX

  constructor(scene: SidecarScene, random: Random) {
    this.#scene = scene
    this.#random = random
  }

  async run(kills: number): Promise<Outcome> {
    const outcomes: Outcome[] = []
    for (let i = 0; i < kills; i++) {
      const moment = this.#random.pick([...MOMENTS, ...this.#scene.moments])
      outcomes.push(await check(`kill ${i}, when it ${moment}`, () => this.#killOnce(moment, i)))
    }
    outcomes.push(await check('all that is wanted is signed after all kills', () => this.#finish()))
    outcomes.push(await check('the signing limit holds over restarts', () => this.#keepLimit()))
    return sum(outcomes)
  }

  async #killOnce(moment: Moment, i: number): Promise<void> {
    this.#want(this.#scene.advance(), this.#random.between(1, 3))
    await this.#killAt(moment)
    this.#assertSound()
    if (i % TORN === TORN - 1) this.#tearLastLine()
  }

  /** Each exit of a key at an index of its own, with its deposit for some. */
  #want(keys: readonly PublicKeyHex[], count: number): void {
    for (let i = 0; i < count; i++) {
      const publicKey = keys[this.#random.between(0, keys.length - 1)]
      if (publicKey === undefined) return
      this.#index += 1
      const withDeposit = this.#random.next() < 0.3
      this.#scene.relayer.want({ publicKey, validatorIndex: this.#index, withDeposit })
    }
  }

  async #killAt(moment: Moment, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { relayer } = this.#scene
    const reached = new Promise<void>((resolve) => {
      relayer.onStep = (step) => {
        if (step !== moment) return undefined
        resolve()
        // A post that is not answered any more; a list that was asked for is answered.
        return step === 'posts' ? sidecar.exited : undefined
      }
    })
    const began = performance.now()
    const sidecar = this.#scene.run(env)
    try {
      if (moment === 'starting') await pause(this.#random.between(0, Math.round(this.#startTime)))
      else if (moment === 'working') {
        await sidecar.waitFor(/relayer http/)
        this.#startTime = performance.now() - began
        await pause(this.#random.between(0, LONGEST_WORK))
      } else {
        await Promise.race([reached, tooLong(sidecar, moment)])
        await pause(this.#random.between(0, LATEST))
      }
      if (!sidecar.running) throw new Error(`it ended by itself:\n${sidecar.output}`)
    } finally {
      relayer.onStep = () => undefined
      await sidecar.kill()
    }
  }

  async #finish(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { relayer } = this.#scene
    this.#scene.advance()
    const sidecar = this.#scene.run(env)
    try {
      await sidecar.waitFor(/relayer http/)
      await until('all is signed', () => relayer.missing.length === 0 || !sidecar.running).catch((error) => {
        throw new Error(`${String(error)}\n${sidecar.output.slice(-2_000)}`)
      })
      await sidecar.stop()
      const { code } = await sidecar.exited
      if (code !== 0) throw new Error(`it ended with ${code}:\n${sidecar.output}`)
    } finally {
      await sidecar.kill()
    }
    this.#assertSound()
  }

  /** So many new exits may be signed, however often it is started anew. */
  async #keepLimit(): Promise<void> {
    const { relayer } = this.#scene
    const limit = this.#readAudit().exits.size + LIMIT_ROOM
    const env = { MAX_EXITS_PER_HOUR: String(limit) }
    const keys = this.#scene.advance()
    this.#want(keys, OVER_LIMIT)
    const wanted = relayer.missing.length
    await this.#killAt('posts', env)
    await this.#killAt('asks', env)
    const sidecar = this.#scene.run(env)
    try {
      await sidecar.waitFor(/limit of new exits in an hour is reached/)
      await until('what may be signed is posted', () => relayer.missing.length === wanted - LIMIT_ROOM)
      await pause(LONGEST_WORK)
    } finally {
      await sidecar.kill()
    }
    this.#assertSound()
    const signed = this.#readAudit().exits.size
    if (signed !== limit) throw new Error(`${signed} exits were signed, the limit was ${limit}`)
    await this.#finish()
  }

  /** Nothing of the log is changed any more, and all of it can be read. */
  #assertSound(): void {
    const { relayer, faults } = this.#scene
    const before = this.#audit
    const { torn } = this.#readAudit()
    if (!this.#audit.startsWith(before))
      throw new Error('the audit log is not what it was, with more behind it')
    if (torn.length > this.#torn) throw new Error(`the audit log has torn lines: ${torn.join(' | ')}`)
    const wrong = [...relayer.faults.splice(0), ...faults()]
    if (wrong.length > 0) throw new Error(wrong.slice(0, 5).join('\n    '))
  }

  #readAudit(): AuditFile {
    const { auditLog } = this.#scene
    this.#audit = existsSync(auditLog) ? readFileSync(auditLog, 'utf8') : ''
    return new AuditFile(this.#audit)
  }

  #tearLastLine(): void {
    const last = this.#audit.trimEnd().split('\n').at(-1) ?? ''
    if (last.length < 2 || !this.#audit.endsWith('\n')) return
    const kept = Buffer.byteLength(this.#audit) - this.#random.between(2, last.length)
    truncateSync(this.#scene.auditLog, kept)
    this.#torn += 2
    this.#readAudit()
  }
}

async function tooLong(sidecar: DvtExitProcess, moment: Moment): Promise<never> {
  const { exited } = sidecar
  await Promise.race([exited, pause(20_000)])
  throw new Error(`it never came to the moment that it ${moment}:\n${sidecar.output}`)
}
