import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { stringifyJson } from '../../../core/json.js'

const PLATFORM = process.platform === 'win32' ? 'win32' : process.platform
const BINARY = `@foundry-rs/anvil-${PLATFORM}-${process.arch === 'x64' ? 'amd64' : process.arch}/bin/anvil`

/** A real EVM that makes a block only when it is told to. */
export class Anvil {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(url: string, child: ChildProcess) {
    this.url = url
    this.#child = child
  }

  static async start(): Promise<Anvil> {
    const suffix = process.platform === 'win32' ? '.exe' : ''
    const binary = createRequire(import.meta.url).resolve(`${BINARY}${suffix}`)
    const child = spawn(binary, ['--port', '0', '--no-mining'], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    const address = await new Promise<string>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`anvil ended with ${code}: ${output}`)))
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const match = /Listening on (\S+)/.exec(output)
        if (match?.[1] !== undefined) resolve(match[1])
      })
    })
    return new Anvil(`http://${address}`, child)
  }

  async rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: stringifyJson({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } }
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }

  async mine(blocks = 1): Promise<void> {
    await this.rpc('anvil_mine', [`0x${blocks.toString(16)}`])
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }
}
