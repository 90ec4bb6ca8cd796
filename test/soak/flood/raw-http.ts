/** HTTP as bytes on a socket: sends whatever it is given, reads whatever comes back. */
import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** Names in lower case; of a repeated one the last. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export interface Exchange {
  readonly answers: readonly RawAnswer[]
  /** What followed the last answer and is none. */
  readonly rest: string
  /** Whether the server said nothing more in time. */
  readonly timedOut: boolean
}

export interface ExchangeOptions {
  readonly port: number
  /** Answers after which nothing more is waited for. */
  readonly expected: number
  /** Whether what is sent has no bodies in its answers (HEAD). */
  readonly bodiless: boolean
  /** Milliseconds of silence after which the client ends its half: whether the request is whole is not known. */
  readonly endAfter?: number
  /** Milliseconds for all of it; 30 s unless given. */
  readonly timeout?: number
}

/** Sends the bytes on a connection of their own. Never rejects. */
export function exchange(bytes: Uint8Array, options: ExchangeOptions): Promise<Exchange> {
  const { port, expected, bodiless, endAfter, timeout = 30_000 } = options
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let received = Buffer.alloc(0)
    const finish = (timedOut: boolean) => {
      clearTimeout(limit)
      socket.destroy()
      resolve({ ...parseAnswers(received, bodiless), timedOut })
    }
    const limit = setTimeout(() => finish(true), timeout)
    if (endAfter !== undefined) socket.setTimeout(endAfter, () => socket.end())
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (parseAnswers(received, bodiless).answers.length >= expected) finish(false)
    })
    // The server may close, or reset, before it has read all of the request.
    socket
      .on('end', () => finish(false))
      .on('close', () => finish(false))
      .on('error', () => undefined)
    socket.write(bytes)
  })
}

/** The whole answers at the beginning of what came, interim ones (100 Continue) left out. */
export function parseAnswers(received: Buffer, bodiless: boolean): Pick<Exchange, 'answers' | 'rest'> {
  const answers: RawAnswer[] = []
  let position = 0
  for (;;) {
    const headEnd = received.indexOf('\r\n\r\n', position)
    if (headEnd === -1) break
    const [line = '', ...fields] = received.toString('latin1', position, headEnd).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1])
    if (Number.isNaN(status)) break
    const headers = new Map(fields.map(fieldOf))
    const start = headEnd + 4
    const empty = bodiless || status === 204 || status === 304 || status < 200
    const length = empty ? 0 : Number(headers.get('content-length') ?? Number.NaN)
    if (!(start + length <= received.length)) break
    position = start + length
    if (status >= 200) answers.push({ status, headers, body: received.toString('utf8', start, position) })
  }
  return { answers, rest: received.toString('latin1', position) }
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}
