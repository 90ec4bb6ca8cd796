/** A relayer of dialect 1 on loopback that records every request and answers as a test tells it. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** The body as it came, empty where there was none. */
  readonly body: string
}

export interface Answer {
  readonly status?: number
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type Responder = (request: RecordedRequest) => Answer | undefined | Promise<Answer | undefined>

export class RelayerDouble {
  readonly requests: RecordedRequest[] = []
  /** Called for each request; undefined gives 404. */
  respond: Responder
  readonly #server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const request = {
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      }
      this.requests.push(request)
      const answered = async () => {
        const answer = (await this.respond(request)) ?? { status: 404, body: { detail: 'Not Found' } }
        const { status = 200, body = {}, headers = {} } = answer
        outgoing.writeHead(status, { 'content-type': 'application/json', ...headers })
        outgoing.end(typeof body === 'string' ? body : JSON.stringify(body))
      }
      answered().catch((error) => outgoing.destroy(error))
    })
  })
  #port = 0

  constructor(respond: Responder = () => undefined) {
    this.respond = respond
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Listens, on the same port as before when it was stopped. */
  async start(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** The recorded requests of one call. */
  to(method: string, path: string): RecordedRequest[] {
    return this.requests.filter((request) => request.method === method && request.path === path)
  }
}
