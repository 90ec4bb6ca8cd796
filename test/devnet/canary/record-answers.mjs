// Loaded into every process that the devnet starts: notes everything that its HTTP servers send, headers and bodies,
// in the file that this module's URL names, before it goes out. A killed process leaves what it said.
import { openSync, writeSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { isMainThread } from 'node:worker_threads'

const file = new URL(import.meta.url).searchParams.get('file')

if (isMainThread && file !== null) {
  const descriptor = openSync(file, 'a')
  const note = (record) => writeSync(descriptor, `${JSON.stringify(record)}\n`)
  const numbers = new WeakMap()
  let connections = 0

  const watch = (socket) => {
    connections += 1
    const connection = connections
    numbers.set(socket, connection)
    // A server writes its answers, and what it says to a peer that does not speak HTTP, through these two.
    for (const name of ['write', 'end']) {
      const send = socket[name]
      socket[name] = function (chunk, encoding, ...rest) {
        if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
          const bytes =
            typeof chunk === 'string'
              ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8')
              : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
          note({ connection, sent: bytes.toString('base64') })
        }
        return send.call(this, chunk, encoding, ...rest)
      }
    }
  }

  for (const [server, connected] of [
    [http.Server, 'connection'],
    [https.Server, 'secureConnection'],
  ]) {
    const emit = server.prototype.emit
    server.prototype.emit = function (event, ...values) {
      if (event === connected) watch(values[0])
      if (event === 'request') {
        const { method, url, socket } = values[0]
        note({ connection: numbers.get(socket), asked: `${method} ${url.split('?')[0]}` })
      }
      return emit.call(this, event, ...values)
    }
  }
}
