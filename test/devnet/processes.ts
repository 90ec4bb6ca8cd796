/** Real dvt-exit processes, started from the build, watched and stopped by the demo and the process tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { fileURLToPath } from 'node:url'
import { canaryInUse } from './canary/shared.js'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const EXIT_WITH_PARENT = new URL('./exit-with-parent.mjs', import.meta.url).href

/** One running dvt-exit command. Where a canary is in use, all that it writes is searched for secrets. */
export class DvtExitProcess {
  readonly name: string
  /** Everything written to standard output and error so far. */
  output = ''
  /** Of that, what was written to standard output. */
  stdout = ''
  /** Of that, what was written to standard error. */
  stderr = ''
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly #child: ChildProcess
  readonly #watchers = new Set<() => void>()
  #running = true

  /**
   * @param args the command line after `dvt-exit`
   * @param env the whole environment but PATH and HOME
   */
  constructor(name: string, args: readonly string[], env: Readonly<Record<string, string>>, cwd: string) {
    this.name = name
    const { PATH, HOME } = process.env
    const canary = canaryInUse()
    const record = canary?.watch({ name, args, env, cwd })
    const preloads = record === undefined ? [EXIT_WITH_PARENT] : [EXIT_WITH_PARENT, record.preload]
    this.#child = spawn(
      process.execPath,
      [...preloads.flatMap((module) => ['--import', module]), CLI, ...args],
      {
        cwd,
        env: {
          ...(PATH === undefined ? {} : { PATH }),
          ...(HOME === undefined ? {} : { HOME }),
          // The most that can be in a log is what has to be without secrets.
          ...(record === undefined ? {} : { LOG_LEVEL: 'trace' }),
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        detached: true,
      },
    )
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#read(stream, this.#child[stream], (chunk) => record?.wrote(stream, chunk))
    }
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#running = false
        if (record !== undefined) canary?.ended(record)
        this.#notify()
        resolve({ code, signal })
      })
    })
  }

  get running(): boolean {
    return this.#running
  }

  /** Resolves when the output matches; fails when the process ends without it, or after the time. */
  waitFor(pattern: RegExp, milliseconds = 30_000): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        this.#watchers.delete(check)
        settle()
      }
      const check = () => {
        const match = this.output.match(pattern)
        if (match !== null) finish(() => resolve(match))
        else if (!this.#running) finish(() => reject(new Error(`${this.name} ended:\n${this.output}`)))
      }
      const timer = setTimeout(
        () => finish(() => reject(new Error(`${this.name} did not print ${pattern}:\n${this.output}`))),
        milliseconds,
      )
      this.#watchers.add(check)
      check()
    })
  }

  /** Asks it to stop, and kills it when it does not within ten seconds. */
  async stop(): Promise<void> {
    if (this.#running) this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await this.exited
    clearTimeout(timer)
  }

  /** SIGKILL, as a crash. */
  async kill(): Promise<void> {
    if (this.#running) this.#child.kill('SIGKILL')
    await this.exited
  }

  #read(name: 'stdout' | 'stderr', stream: Readable | null, take: (chunk: Buffer) => void): void {
    const decoder = new StringDecoder('utf8')
    stream?.on('data', (chunk: Buffer) => {
      take(chunk)
      const text = decoder.write(chunk)
      this.output += text
      this[name] += text
      this.#notify()
    })
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }
}

/** A port of the loopback interface that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'))
        else resolve(address.port)
      })
    })
  })
}
