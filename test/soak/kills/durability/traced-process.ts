/** A dvt-exit command under strace, which writes down what it sends and what it has on the disk by then. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../../../dist/cli.js', import.meta.url))
const EXIT_WITH_PARENT = new URL('../../../devnet/exit-with-parent.mjs', import.meta.url).href
const CALLS = 'write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync'
/** Bytes shown of what is written: enough for a request's head and the beginning of its body. */
const SHOWN = 800

/** Why nothing can be traced here, or undefined where it can. */
export function missingStrace(): string | undefined {
  const { error, status, stderr } = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
  })
  if (error !== undefined) return 'strace is not installed'
  return status === 0 ? undefined : `strace cannot trace here: ${stderr.trim()}`
}

export class TracedProcess {
  output = ''
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #traceFile: string

  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    cwd: string,
    traceFile: string,
  ) {
    this.#traceFile = traceFile
    const { PATH = '', HOME = '' } = process.env
    const strace = [
      '-f',
      '--seccomp-bpf',
      '-yy',
      '-s',
      String(SHOWN),
      '-e',
      `trace=${CALLS}`,
      '-o',
      traceFile,
    ]
    // The channel goes through to the traced process, which ends when it is closed.
    this.#child = spawn('strace', [...strace, process.execPath, '--import', EXIT_WITH_PARENT, CLI, ...args], {
      cwd,
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    // Once the channel is closed from here, Node does not say 'close' any more.
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve))
  }

  /** Ends it. @returns the trace */
  async end(): Promise<string> {
    if (this.#child.connected) this.#child.disconnect()
    await this.#exited
    return readFileSync(this.#traceFile, 'utf8')
  }
}
