import { connect, type Socket } from 'node:net'

/** A connection that sends what it is told and keeps what comes. */
export class RawClient {
  received = ''
  ended = false
  readonly #socket: Socket

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setEncoding('utf8').on('data', (text: string) => {
      this.received += text
    })
    this.#socket
      .on('error', () => undefined)
      .on('close', () => {
        this.ended = true
      })
  }

  async send(text: string): Promise<void> {
    await new Promise((resolve) => this.#socket.write(text, resolve))
  }

  close(): void {
    this.#socket.destroy()
  }
}
