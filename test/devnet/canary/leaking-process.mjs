// A process that says the secret of its environment in every place where one can be said.
import { writeFileSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { gzipSync } from 'node:zlib'

const { SECRET = '', CERTIFICATE, KEY } = process.env
const answers = {
  '/body': (response) => response.end(JSON.stringify({ detail: SECRET })),
  '/header': (response) => response.setHeader('x-detail', SECRET).end(),
  '/status': (response) => response.writeHead(400, `no ${SECRET}`).end(),
  '/chunks': (response) => {
    const half = SECRET.length >> 1
    response.setHeader('content-length', SECRET.length)
    response.write(SECRET.slice(0, half))
    response.end(SECRET.slice(half))
  },
  '/killed': (response) => response.end(SECRET, () => process.kill(process.pid, 'SIGKILL')),
  '/compressed': (response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(SECRET)),
  '/clean': (response) => response.end('{}'),
}
const serve = (request, response) => answers[request.url.split('?')[0]](response)
const server =
  CERTIFICATE === undefined ? createServer(serve) : createTlsServer({ cert: CERTIFICATE, key: KEY }, serve)
server.on('clientError', (_error, socket) => socket.end(`HTTP/1.1 400 ${SECRET}\r\n\r\n`))
writeSync(1, `${process.argv[2] === 'stdout' ? SECRET : ''}\n`)
writeSync(2, `${process.argv[2] === 'stderr' ? SECRET : ''}\n`)
if (process.argv[2] === 'file') writeFileSync('some.log', SECRET)
server.listen(0, '127.0.0.1', () => writeSync(1, `port ${server.address().port}\n`))
