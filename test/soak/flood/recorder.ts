/** A proxy in front of a relayer that keeps every post, with what it was answered. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface RecordedPost {
  readonly path: string
  readonly body: string
  readonly status: number
  readonly answer: string
}

export class Recorder {
  readonly posts: RecordedPost[] = []
  readonly #relayer: string
  readonly #server: Server

  private constructor(relayer: string) {
    this.#relayer = relayer
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy())
    })
  }

  /** @param relayer its URL */
  static async start(relayer: string): Promise<Recorder> {
    const recorder = new Recorder(relayer)
    await new Promise<void>((resolve) => recorder.#server.listen(0, '127.0.0.1', resolve))
    return recorder
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const path = request.url ?? '/'
    const body = Buffer.concat(chunks).toString('utf8')
    const { method = 'GET' } = request
    const { status, answer } =
      method === 'POST' ? await post(this.#relayer, path, body) : await ask(this.#relayer, path)
    if (method === 'POST') this.posts.push({ path, body, status, answer })
    response.writeHead(status, { 'content-type': 'application/json' }).end(answer)
  }
}

interface Answered {
  readonly status: number
  readonly answer: string
}

export async function post(relayer: string, path: string, body: string): Promise<Answered> {
  const headers = { 'content-type': 'application/json' }
  return answered(
    await fetch(relayer + path, { method: 'POST', headers, body, signal: AbortSignal.timeout(60_000) }),
  )
}

async function ask(relayer: string, path: string): Promise<Answered> {
  return answered(await fetch(relayer + path, { signal: AbortSignal.timeout(60_000) }))
}

async function answered(response: Response): Promise<Answered> {
  return { status: response.status, answer: await response.text() }
}
