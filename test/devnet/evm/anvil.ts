/** A real EVM on loopback: anvil's own binary, which ends with the process that started it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Hex } from '../../../core/hex.js'

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
const STARTUP_MILLISECONDS = 30_000

export interface AnvilOptions {
  readonly chainId?: number
  /** Seconds. Absent: a block for each transaction, at once. */
  readonly blockTime?: number
  /** The number of the first block. */
  readonly genesisNumber?: number
}

/** What a JSON-RPC call answered instead of a result. */
export class AnvilError extends Error {
  /** Revert data, where a contract reverted. */
  readonly data: Hex | undefined

  constructor(method: string, error: { message: string; data?: unknown }) {
    super(`${method}: ${error.message}`)
    this.data = typeof error.data === 'string' ? (error.data as Hex) : undefined
  }
}

export class Anvil {
  readonly url: string
  readonly #child: ChildProcess
  readonly #watchdog: ChildProcess
  readonly #exited: Promise<void>
  #lastId = 0

  private constructor(url: string, child: ChildProcess, watchdog: ChildProcess, exited: Promise<void>) {
    this.url = url
    this.#child = child
    this.#watchdog = watchdog
    this.#exited = exited
  }

  /** Starts a chain of its own and resolves when it answers. */
  static async start(options: AnvilOptions = {}): Promise<Anvil> {
    const child = spawn(binary(), commandLine(options), { stdio: ['ignore', 'pipe', 'pipe'] })
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const port = await listeningPort(child)
    return new Anvil(`http://127.0.0.1:${port}`, child, watchOver(child), exited)
  }

  /** @throws AnvilError where the answer is an error */
  async rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    this.#lastId += 1
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: this.#lastId, method, params }),
    })
    const answer = (await response.json()) as {
      result?: unknown
      error?: { message: string; data?: unknown }
    }
    if (answer.error !== undefined) throw new AnvilError(method, answer.error)
    return answer.result
  }

  /** Makes blocks, with the transactions that wait. */
  async mine(blocks = 1): Promise<void> {
    for (let made = 0; made < blocks; made += 1) await this.rpc('evm_mine')
  }

  async setBalance(address: Hex, wei: bigint): Promise<void> {
    await this.rpc('anvil_setBalance', [address, `0x${wei.toString(16)}`])
  }

  async stop(): Promise<void> {
    this.#watchdog.kill('SIGKILL')
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}

function commandLine({ chainId = 31_337, blockTime, genesisNumber }: AnvilOptions): string[] {
  return [
    ...['--host', '127.0.0.1', '--port', '0', '--color', 'never'],
    ...['--chain-id', String(chainId), '--hardfork', 'osaka', '--balance', '10000000'],
    ...(blockTime === undefined ? [] : ['--block-time', String(blockTime)]),
    ...(genesisNumber === undefined ? [] : ['--number', String(genesisNumber)]),
  ]
}

/** The package of this platform holds the binary; it is a dependency of the package @foundry-rs/anvil. */
function binary(): string {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch
  const name = `@foundry-rs/anvil-${process.platform}-${architecture}`
  const anvil = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
  return join(dirname(createRequire(anvil).resolve(`${name}/package.json`)), 'bin', 'anvil')
}

function listeningPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (reason: string) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`anvil ${reason}\n${output}`))
    }
    const timer = setTimeout(() => fail('does not start'), STARTUP_MILLISECONDS)
    const read = (chunk: string) => {
      output = (output + chunk).slice(-10_000)
      const port = output.match(/Listening on 127\.0\.0\.1:(\d+)/)?.[1]
      if (port === undefined) return
      clearTimeout(timer)
      for (const stream of [child.stdout, child.stderr]) stream?.removeAllListeners('data').resume()
      resolve(Number(port))
    }
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', read)
    child.once('error', (error) => fail(`cannot be started: ${error.message}`))
    child.once('exit', (code) => fail(`ended with ${code}`))
  })
}

/** Its standard input ends when this process does, however that happens. */
function watchOver(child: ChildProcess): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$1"', 'watchdog', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.once('exit', () => watchdog.kill('SIGKILL'))
  return watchdog
}
