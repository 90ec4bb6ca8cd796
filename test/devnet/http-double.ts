/** What the doubles of nodes share: a server on loopback that counts requests and can be made to fail. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An answer; text bodies are sent as they are, anything else as JSON. */
export interface DoubleAnswer {
  readonly status: number
  readonly body: unknown
}

export interface DoubleRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: string
}

/** What goes wrong, until it is set back. */
export interface Faults {
  /** Connections are cut. */
  down: boolean
  /** Milliseconds that every answer waits. */
  delay: number
  /** Every answer has this status and no sense. */
  status: number | undefined
  /** Every answer is 200 and not what was asked for. */
  garbage: boolean
}

export abstract class HttpDouble {
  readonly faults: Faults = { down: false, delay: 0, status: undefined, garbage: false }
  /** Changes right answers into wrong ones. */
  alter: (request: DoubleRequest, answer: DoubleAnswer) => DoubleAnswer = (_, answer) => answer
  /** Requests served or failed, by kind. */
  readonly requests = new Map<string, number>()
  readonly #server: Server
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error))
      })
    })
  }

  /** What a request is counted as. */
  protected abstract kindOf(request: DoubleRequest): string
  protected abstract answer(request: DoubleRequest): DoubleAnswer | Promise<DoubleAnswer>

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  /** All requests since the counts were cleared. */
  get total(): number {
    return [...this.requests.values()].reduce((sum, count) => sum + count, 0)
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const url = new URL(request.url ?? '/', 'http://localhost')
    const asked: DoubleRequest = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body: Buffer.concat(chunks).toString('utf8'),
    }
    const kind = this.kindOf(asked)
    this.requests.set(kind, (this.requests.get(kind) ?? 0) + 1)
    if (this.faults.down) {
      request.socket.destroy()
      return
    }
    if (this.faults.delay > 0) await this.#pause(this.faults.delay)
    const { status, body } = this.#faultyAnswer() ?? this.alter(asked, await this.answer(asked))
    const text = Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  }

  #faultyAnswer(): DoubleAnswer | undefined {
    if (this.faults.status !== undefined) return { status: this.faults.status, body: 'out of order' }
    return this.faults.garbage ? { status: 200, body: '<html>sign in</html>' } : undefined
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        resolve()
      }, milliseconds)
      this.#timers.add(timer)
    })
  }
}
