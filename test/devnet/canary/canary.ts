/**
 * Secrets are let into every process of a test, and afterwards looked for in everything that the processes wrote:
 * output, HTTP answers, databases, logs. Whoever starts a DvtExitProcess has it recorded; at the end of each test
 * mocha-hooks.ts has the canary look.
 */
import { addGivenSecrets, addRelayerKey } from './given-secrets.js'
import { OracleParts } from './oracle-parts.js'
import { ProcessRecord, type ProcessStart } from './process-record.js'
import { describePlace, type Recorded } from './records.js'
import { type Leak, Scanner } from './scan.js'
import { type Allowance, SecretRegister } from './secrets.js'
import { ValidatorKeys } from './validator-keys.js'
import { wantedSignatures } from './wanted-signatures.js'
import { WrittenFiles } from './written-files.js'

/** What waits to be searched may have so many bytes before it is searched without being asked for. */
const MOST_PENDING = 64 * 1024 * 1024
/** Leaks that a message lists. */
const MOST_LISTED = 20

export class Canary {
  readonly secrets = new SecretRegister()
  readonly validators = new ValidatorKeys(this.secrets)
  readonly oracles = new OracleParts(this.secrets)
  readonly #scanner = new Scanner(this.secrets)
  readonly #files = new WrittenFiles()
  readonly #running = new Set<ProcessRecord>()
  readonly #seen = new Set<string>()
  #processes = 0
  #pending: Recorded[] = []
  #pendingBytes = 0
  readonly #found: Leak[] = []
  readonly #failures: unknown[] = []

  /** Records a process from its start on. What it is told in confidence becomes secrets. */
  watch(start: ProcessStart): ProcessRecord {
    this.#processes += 1
    const record = new ProcessRecord(start, this.#processes)
    addGivenSecrets(this.secrets, record.options)
    this.#running.add(record)
    return record
  }

  /** Takes what an ended process wrote, as long as its files are there. What fails here is told by leaks(). */
  ended(record: ProcessRecord): void {
    if (!this.#running.delete(record)) return
    try {
      this.#take(record)
    } catch (error) {
      this.#failures.push(error)
    }
    record.forget()
  }

  /** Has something searched that no process wrote: log lines and error texts of the test's own process. */
  note(...recorded: readonly Recorded[]): void {
    for (const one of recorded) {
      this.#pending.push(one)
      this.#pendingBytes += one.bytes.length
    }
    if (this.#pendingBytes > MOST_PENDING) this.#search()
  }

  /** As note, for texts. */
  noteText(what: string, text: string): void {
    this.note({ place: { kind: 'text', what }, bytes: Buffer.from(text, 'utf8') })
  }

  /** As note, for all files below a folder. */
  noteFolder(folder: string): void {
    this.note(...this.#files.changed([folder]))
  }

  /**
   * Searches everything that was recorded since the last time. Processes that still run are searched up to now.
   * @throws AggregateError where something could not be read, and so not be searched
   */
  leaks(): Leak[] {
    for (const record of this.#running) this.#take(record)
    this.#search()
    this.#files.forget()
    const failures = this.#failures.splice(0)
    if (failures.length > 0)
      throw new AggregateError(failures, `not everything was searched: ${failures.join('; ')}`)
    return this.#found.splice(0)
  }

  /** @throws Error that lists what was found where, without the secrets */
  assertNothingLeaked(): void {
    const leaks = this.leaks()
    if (leaks.length === 0) return
    const lines = leaks
      .slice(0, MOST_LISTED)
      .map(
        ({ secret, form, place, offset, length }) =>
          `  ${secret}: ${length} bytes, ${form}, at ${offset} of ${describePlace(place)}`,
      )
    const more = leaks.length > MOST_LISTED ? [`  and ${leaks.length - MOST_LISTED} more`] : []
    throw new Error(['secrets were written in the clear:', ...lines, ...more].join('\n'))
  }

  #take(record: ProcessRecord): void {
    this.#learnFrom(record)
    this.note(...record.recorded(), ...this.#files.changed(record.folders))
  }

  #learnFrom(record: ProcessRecord): void {
    addRelayerKey(this.secrets, record.options)
    const token = record.makesToken ? record.stdout.trim() : ''
    if (token === '' || /\s/.test(token)) return
    const printed: Allowance = (place) =>
      place.kind === 'output' && place.process === record.label && place.stream === 'stdout'
    this.secrets.addText('a token', token, printed)
  }

  #search(): void {
    const recorded = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    for (const wanted of recorded.flatMap((one) => wantedSignatures(one, this.#seen)))
      this.validators.sign(wanted)
    for (const one of recorded) this.oracles.learnFrom(one)
    for (const one of recorded) this.#found.push(...this.#scanner.find(one))
  }
}
