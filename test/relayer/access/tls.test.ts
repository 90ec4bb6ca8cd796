import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, createServer as createTlsServer } from 'node:tls'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { RelayerClient } from '../../../core/clients/relayer.js'
import { createRelayerClient, relayerClientOptions } from '../../../core/clients/relayer-options.js'
import { describeError } from '../../../core/errors.js'
import { readOptions } from '../../../core/options.js'
import { Secret } from '../../../core/secret.js'
import type { App } from '../../../relayer/http/fastify.js'
import { listen } from '../../../relayer/http/listen.js'
import { loadTls } from '../../../relayer/http/tls.js'
import {
  type Certificate,
  type CertificateOptions,
  makeAuthority,
  makeCertificate,
} from '../../doubles/certificates.js'
import { failureOf } from '../../doubles/failure.js'
import { until } from '../../doubles/poll.js'
import { MemoryService } from '../http/memory-service.js'
import { type TestAppOptions, testApp } from '../http/test-app.js'

const authority = makeAuthority('authority of the tests')
const stranger = makeAuthority('another authority')
const signed = (options: Partial<CertificateOptions> = {}): Certificate =>
  makeCertificate({ name: 'someone', issuer: authority, ...options })
const PAST = { validFrom: -3, validTo: -1 }
const FUTURE = { validFrom: 1, validTo: 3 }

describe('relayer’s https', () => {
  let folder: string
  let app: App | undefined
  let lines: Record<string, unknown>[]
  const others: Server[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'relayer-tls-'))
    lines = []
  })
  afterEach(async () => {
    app?.server.closeAllConnections()
    await app?.close()
    app = undefined
    await Promise.all(others.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
    rmSync(folder, { recursive: true, force: true })
  })

  const write = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const filesOf = (name: string, { cert, key }: Certificate) => ({
    cert: write(`${name}.pem`, cert),
    key: write(`${name}.key`, key),
  })
  const serve = async (certificate: Certificate, clientCa?: string, options: TestAppOptions = {}) => {
    const { cert, key } = filesOf('server', certificate)
    const tls = loadTls({ tlsCertFile: cert, tlsKeyFile: key, tlsClientCaFile: clientCa })
    app = await testApp(new MemoryService(), { tls, log: (line) => lines.push(line), ...options })
    return listen(app, '127.0.0.1', 0)
  }
  /** A client as sidecars and operators make it from their environment. */
  const clientOf = (url: string, env: Record<string, string> = {}): Promise<RelayerClient> =>
    createRelayerClient(
      readOptions(relayerClientOptions, { flags: {}, env: { RELAYER_ENDPOINT: url, ...env } }),
    )
  const trusting = (): Record<string, string> => ({ RELAYER_CA_FILE: write('ca.pem', authority.cert) })
  const showing = (certificate: Certificate): Record<string, string> => {
    const { cert, key } = filesOf('client', certificate)
    return { ...trusting(), RELAYER_CLIENT_CERT_FILE: cert, RELAYER_CLIENT_KEY_FILE: key }
  }
  const failure = async (url: string, env: Record<string, string> = {}) =>
    failureOf((await clientOf(url, env)).info())
  /** What comes back of a request made past our own client; undefined where the connection was cut. */
  const status = (url: string, options: ConnectionOptions, headers: Record<string, string> = {}) =>
    new Promise<number | undefined>((resolve) => {
      const asked = request(`${url}/metrics`, { ...options, headers, agent: false }, (response) =>
        resolve(response.resume().statusCode),
      )
      asked.on('error', () => resolve(undefined)).end()
    })

  describe('without client certificates', () => {
    it('is trusted by those who know the authority', async () => {
      const url = await serve(signed())
      expect(await (await clientOf(url, trusting())).info()).to.deep.equal({ network: 'hoodi' })
    })

    for (const { what, certificate, env, code, says } of [
      {
        what: 'of an authority that nobody named',
        certificate: () => signed(),
        env: () => ({}),
        code: 'RELAYER_CERTIFICATE_UNTRUSTED',
        says: /RELAYER_CA_FILE/,
      },
      {
        what: 'of another authority than the one named',
        certificate: () => signed({ issuer: stranger }),
        env: trusting,
        code: 'RELAYER_CERTIFICATE_UNTRUSTED',
        says: /RELAYER_CA_FILE.*stand between/,
      },
      {
        what: 'that is over',
        certificate: () => signed(PAST),
        env: trusting,
        code: 'RELAYER_CERTIFICATE_EXPIRED',
        says: /CERT_HAS_EXPIRED.*renew/,
      },
      {
        what: 'that is not good yet',
        certificate: () => signed(FUTURE),
        env: trusting,
        code: 'RELAYER_CERTIFICATE_EXPIRED',
        says: /CERT_NOT_YET_VALID.*clock/,
      },
      {
        what: 'for another host',
        certificate: () => signed({ hosts: ['relayer.example'] }),
        env: trusting,
        code: 'RELAYER_CERTIFICATE_WRONG_HOST',
        says: /RELAYER_ENDPOINT/,
      },
    ]) {
      it(`a certificate ${what} is refused, saying what to do`, async () => {
        const error = await failure(await serve(certificate()), env())
        expect(error).to.include({ name: 'UnavailableError', code })
        expect(describeError(error)).to.match(says)
      })
    }

    it('is proven also where Node is told to prove none', async () => {
      const url = await serve(signed())
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
      try {
        const client = new RelayerClient(url)
        expect((await failureOf(client.info())).code).to.equal('RELAYER_CERTIFICATE_UNTRUSTED')
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      }
    })

    it('a port that speaks no https is named as such', async () => {
      app = await testApp(new MemoryService())
      const url = await listen(app, '127.0.0.1', 0)
      const error = await failure(url.replace('http:', 'https:'), trusting())
      expect(error.code).to.equal('RELAYER_NOT_HTTPS')
    })
  })

  describe('with client certificates', () => {
    const serveSigned = (options?: TestAppOptions) =>
      serve(signed(), write('clients.pem', authority.cert), options)

    it('lets in who shows one that the authority signed', async () => {
      const url = await serveSigned()
      expect(await (await clientOf(url, showing(signed()))).info()).to.deep.equal({ network: 'hoodi' })
    })

    it('lets in who shows one of any authority in the file', async () => {
      const url = await serve(signed(), write('clients.pem', `${stranger.cert}\n${authority.cert}`))
      for (const issuer of [authority, stranger]) {
        expect(await (await clientOf(url, showing(signed({ issuer })))).info()).to.have.property('network')
      }
    })

    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`answers nothing over ${maxVersion} to who shows none, or a wrong one`, async () => {
        const url = await serveSigned()
        const shown = {
          none: {},
          'of another authority': signed({ issuer: stranger }),
          'signed by itself under the authority’s name': makeCertificate({ name: authority.name }),
          over: signed(PAST),
          'not good yet': signed(FUTURE),
        }
        const found: Record<string, unknown> = {}
        for (const [name, certificate] of Object.entries(shown)) {
          found[name] = await status(url, { ca: authority.cert, maxVersion, ...certificate })
        }
        expect(found).to.deep.equal(Object.fromEntries(Object.keys(shown).map((name) => [name, undefined])))
        expect(await status(url, { ca: authority.cert, maxVersion, ...signed() })).to.equal(200)
      })
    }

    it('a certificate is no token: roles count on top of it', async () => {
      const url = await serveSigned({
        settings: { boundToLoopback: false },
        tokens: { operator: { name: 'op', role: 'operator', shareIndexes: [] } },
      })
      const options = { ca: authority.cert, ...signed(), servername: 'localhost' }
      const elsewhere = { host: 'relayer.example' }
      expect(await status(url, options, elsewhere)).to.equal(401)
      expect(await status(url, options, { ...elsewhere, authorization: 'Bearer operator' })).to.equal(200)
    })

    it('tells its operator once whom it refused and why, and the caller what to do', async () => {
      const url = await serveSigned()
      const none = await failure(url, trusting())
      expect(none.code).to.equal('RELAYER_CLIENT_CERTIFICATE_NEEDED')
      expect(describeError(none)).to.match(/RELAYER_CLIENT_CERT_FILE/)
      const wrong = showing(signed({ issuer: stranger }))
      const refused = await failure(url, wrong)
      expect(refused.code).to.equal('RELAYER_CLIENT_CERTIFICATE_REFUSED')
      expect(describeError(refused)).to.match(/which authority/)
      await failure(url, wrong)
      await until(() => reasons('debug').length === 1, 'the second refusal is told quietly')
      expect(reasons('warn')[0]).to.match(/none was given/)
      expect(reasons('warn')[1]).to.match(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT/)
      expect(reasons('warn')).to.have.length(2)
    })
    const reasons = (level: 'warn' | 'debug'): unknown[] =>
      lines
        .filter(({ msg }) => msg === 'no valid client certificate')
        .filter((line) => line['level'] === (level === 'warn' ? 40 : 20))
        .map(({ reason }) => reason)

    it('a relayer that was reached before and cuts the connection is not said to refuse the certificate', async () => {
      const server = createTlsServer({ ...signed() }, (socket) => {
        let answered = false
        socket.on('data', () => {
          if (answered) return void socket.destroy()
          answered = true
          const body = '{"network":"hoodi"}'
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
        })
        socket.on('error', () => undefined)
      })
      others.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const client = await clientOf(
        `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
        showing(signed()),
      )
      await client.info()
      expect((await failureOf(client.info())).code).to.equal('ENDPOINT_UNREACHABLE')
    })

    it('a caller whose certificate ended while it ran is told the day', async () => {
      const server = createServer((socket) => socket.resetAndDestroy())
      others.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { cert, key } = signed(PAST)
      const client = new RelayerClient(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, {
        tls: { own: { cert, key: new Secret(key), validTo: Date.now() - 86_400_000 } },
      })
      const error = await failureOf(client.info())
      expect(error.code).to.equal('RELAYER_CLIENT_CERTIFICATE_REFUSED')
      expect(error.message).to.match(/expired on \d{4}-\d\d-\d\d/)
    })
  })

  describe('files', () => {
    const codeOf = (run: () => unknown): string => {
      try {
        run()
      } catch (error) {
        expect(error).to.have.property('name', 'ConfigurationError')
        expect(error).to.have.property('hint').that.is.a('string')
        return (error as { code: string }).code
      }
      return 'none'
    }

    it('of the relayer are checked at the start', () => {
      const { cert, key } = filesOf('server', signed())
      const load = (tlsClientCaFile: string | undefined, tlsCertFile?: string, tlsKeyFile?: string) =>
        codeOf(() => loadTls({ tlsClientCaFile, tlsCertFile, tlsKeyFile }))
      const ca = write('ca.pem', authority.cert)
      expect(load(ca, cert, key)).to.equal('none')
      expect(load(ca)).to.equal('INCOMPLETE_TLS')
      expect(load(join(folder, 'nowhere'), cert, key)).to.equal('TLS_FILE_UNREADABLE')
      expect(load(write('text', 'no certificate'), cert, key)).to.equal('INVALID_TLS')
      expect(load(key, cert, key)).to.equal('INVALID_TLS')
      const broken = authority.cert.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA')
      expect(load(write('broken', broken), cert, key)).to.equal('INVALID_TLS')
      const old = makeCertificate({ name: 'old authority', authority: true, ...PAST })
      expect(load(write('old', old.cert), cert, key)).to.equal('CERTIFICATE_EXPIRED')
      expect(load(write('both', old.cert + authority.cert), cert, key)).to.equal('none')
    })

    it('of callers are checked at the start', async () => {
      const url = 'https://127.0.0.1:1'
      const good = showing(signed())
      const code = async (env: Record<string, string>, endpoint = url) => {
        const error = await failureOf(clientOf(endpoint, env))
        expect(error).to.include({ name: 'ConfigurationError' })
        return error.code
      }
      const { cert, key } = filesOf('other', signed())
      expect(await code({ RELAYER_CLIENT_CERT_FILE: cert })).to.equal('INCOMPLETE_TLS')
      expect(await code({ RELAYER_CLIENT_KEY_FILE: key })).to.equal('INCOMPLETE_TLS')
      expect(await code({ ...good, RELAYER_CLIENT_KEY_FILE: key })).to.equal('INVALID_TLS')
      expect(await code({ ...good, RELAYER_CLIENT_CERT_FILE: 'nowhere' })).to.equal('TLS_FILE_UNREADABLE')
      expect(await code({ RELAYER_CA_FILE: key })).to.equal('INVALID_TLS')
      expect(await code(showing(signed(PAST)))).to.equal('CERTIFICATE_EXPIRED')
      expect(await code(trusting(), 'http://127.0.0.1:1')).to.equal('CERTIFICATES_WITHOUT_HTTPS')
    })

    it('never show the key, neither in an error nor in what is made of them', async () => {
      const certificate = signed()
      const client = await clientOf('https://127.0.0.1:1', showing(certificate))
      const tls = loadTls({
        tlsCertFile: write('s.pem', certificate.cert),
        tlsKeyFile: write('s.key', certificate.key),
        tlsClientCaFile: undefined,
      })
      app = await testApp(new MemoryService(), { tls })
      const other = write('other.key', signed().key)
      const mismatch = await failureOf(
        clientOf('https://127.0.0.1:1', { ...showing(certificate), RELAYER_CLIENT_KEY_FILE: other }),
      )
      const unreachable = await failureOf(client.info())
      const secret = certificate.key.split('\n')[1] as string
      for (const thing of [client, tls, app, app.server, mismatch, unreachable]) {
        expect(inspect(thing, { depth: 12, showHidden: true, maxStringLength: null })).to.not.include(secret)
      }
      expect(JSON.stringify([client, tls, mismatch, unreachable])).to.not.include(secret)
    })
  })

  it('plain text on the port is no way past the handshake', async () => {
    const url = await serve(signed(), write('clients.pem', authority.cert))
    const answer = await new Promise<string>((resolve) => {
      let received = ''
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.on('data', (chunk) => {
        received += String(chunk)
      })
      socket.on('close', () => resolve(received)).on('error', () => undefined)
      socket.write('GET /info HTTP/1.1\r\nHost: localhost\r\n\r\n')
    })
    expect(answer).to.not.match(/200|hoodi/)
  })
})
