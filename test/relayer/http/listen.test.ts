import { request } from 'node:https'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { App } from '../../../relayer/http/fastify.js'
import { closeGracefully, listen } from '../../../relayer/http/listen.js'
import { loadTls } from '../../../relayer/http/tls.js'
import { MemoryService } from './memory-service.js'
import { type TestAppOptions, testApp } from './test-app.js'

const KEY = `0x${'ab'.repeat(48)}`
const pem = (name: string) => fileURLToPath(new URL(`./tls/${name}.pem`, import.meta.url))
const tls = (cert?: string, key?: string) =>
  loadTls({
    tlsCertFile: cert === undefined ? undefined : pem(cert),
    tlsKeyFile: key === undefined ? undefined : pem(key),
    tlsClientCaFile: undefined,
  })

describe('relayer’s port', () => {
  let app: App | undefined
  const start = async (options?: TestAppOptions, service = new MemoryService()): Promise<string> => {
    app = await testApp(service, options)
    return listen(app, '127.0.0.1', 0)
  }
  afterEach(async () => {
    await app?.close()
    app = undefined
  })
  const codeOf = (run: () => unknown): string => {
    try {
      run()
    } catch (error) {
      return (error as { code: string }).code
    }
    return 'none'
  }

  it('is told as a URL', async () => {
    const url = await start()
    expect(url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await (await fetch(`${url}/info`)).json()).to.deep.equal({ network: 'hoodi' })
  })

  it('that is taken is a configuration error that names it', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    app = await testApp(new MemoryService())
    try {
      await listen(app, '127.0.0.1', port)
      expect.fail('it listened')
    } catch (error) {
      expect(error).to.include({ name: 'ConfigurationError', code: 'CANNOT_LISTEN' })
      expect((error as Error).message).to.contain(`127.0.0.1:${port}`)
    } finally {
      server.close()
    }
  })

  it('closes when the requests under way are answered', async () => {
    const service = new MemoryService()
    let finish = (): void => undefined
    let entered = (): void => undefined
    const inside = new Promise<void>((resolve) => {
      entered = resolve
    })
    service.listExits = async () => {
      entered()
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return []
    }
    const url = await start({}, service)
    const answer = fetch(`${url}/exits`)
    await inside
    const closed = closeGracefully(app as App, 10_000)
    finish()
    expect(await (await answer).text()).to.equal('{"exits":[]}')
    await closed
    app = undefined
  })

  it('cuts off a request that does not end in time', async () => {
    const service = new MemoryService()
    let entered = (): void => undefined
    const inside = new Promise<void>((resolve) => {
      entered = resolve
    })
    service.listExits = () => {
      entered()
      return new Promise(() => undefined)
    }
    const url = await start({}, service)
    const answer = fetch(`${url}/exits`).then(
      () => 'answered',
      () => 'cut off',
    )
    await inside
    await closeGracefully(app as App, 50)
    expect(await answer).to.equal('cut off')
    app = undefined
  })

  it('speaks https with a certificate, and takes tokens then from anywhere', async () => {
    const url = await start({
      tls: tls('cert', 'key'),
      settings: { boundToLoopback: false },
      tokens: { operator: { name: 'op', role: 'operator', shareIndexes: [] } },
    })
    expect(url).to.match(/^https:/)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        host: 'relayer.example',
        authorization: 'Bearer operator',
        'content-type': 'application/json',
      }
      const sent = request(
        `${url}/validators`,
        { method: 'POST', headers, rejectUnauthorized: false, agent: false },
        (response) => resolve(response.resume().statusCode),
      )
      sent.on('error', reject).end(JSON.stringify({ public_keys: [KEY] }))
    })
    expect(status).to.equal(200)
  })

  it('needs a certificate and its own key', () => {
    expect(tls()).to.equal(undefined)
    expect(codeOf(() => tls('cert'))).to.equal('INCOMPLETE_TLS')
    expect(codeOf(() => tls('cert', 'none'))).to.equal('TLS_FILE_UNREADABLE')
    expect(codeOf(() => tls('cert', 'other-key'))).to.equal('INVALID_TLS')
    expect(codeOf(() => tls('key', 'cert'))).to.equal('INVALID_TLS')
  })
})
