import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { RelayerClient, type RelayerClientOptions, readTokenFile } from '../../../core/clients/relayer.js'
import { RelayerError } from '../../../core/clients/relayer-errors.js'
import { ConfigurationError, DvtExitError, describeError, UnavailableError } from '../../../core/errors.js'
import { fromHex, type PublicKeyHex } from '../../../core/hex.js'
import { Secret } from '../../../core/secret.js'
import { RelayerDouble } from '../../doubles/relayer.js'
import { comparable, readRecording } from '../../doubles/wire-recordings.js'

const KEY = `0x${'ab'.repeat(48)}` as PublicKeyHex
const OTHER_KEY = `0x${'cd'.repeat(48)}` as PublicKeyHex
const share = (publicKey: PublicKeyHex, byte = '11') => ({ publicKey, signature: fromHex(byte.repeat(96)) })

async function failure(action: () => unknown): Promise<DvtExitError> {
  try {
    await action()
  } catch (error) {
    expect(error).to.be.instanceOf(DvtExitError)
    return error as DvtExitError
  }
  throw new Error('it did not fail')
}

describe('RelayerClient', () => {
  let relayer: RelayerDouble
  let client: RelayerClient

  beforeEach(async () => {
    relayer = await new RelayerDouble().start()
    client = new RelayerClient(relayer.url)
  })
  afterEach(() => relayer.stop())

  describe('sends what the Python peers send', () => {
    for (const name of [
      'sidecar-v0.4.4-obol',
      'sidecar-v0.4.4-ssv',
      'sidecar-v1.0.1-obol',
      'sidecar-v1.0.1-ssv',
    ]) {
      it(`info, exits and shares as recorded in ${name}`, async () => {
        const recording = readRecording(name)
        const post = recording.find(({ request }) => request.method === 'POST')
        const body = JSON.parse(post?.request.body ?? '') as {
          share_index: number
          shares: { public_key: PublicKeyHex; exit_signature: string }[]
        }
        relayer.respond = ({ method, path }) =>
          recording.find(({ request }) => request.method === method && request.path === path)?.response

        const { network } = await client.info()
        const exits = await client.exits()
        await client.postExitSignatures(
          BigInt(body.share_index),
          body.shares.map(({ public_key, exit_signature }) => ({
            publicKey: public_key,
            signature: fromHex(exit_signature, 96),
          })),
        )

        expect(network).to.equal(name.includes('v1') ? 'hoodi' : 'mainnet')
        expect(exits.map(({ validatorIndex }) => validatorIndex)).to.deep.equal([1000, 1001, 1002, 1003])
        const recorded = recording.slice(0, 3).map(({ request }) => comparable(request))
        expect(relayer.requests.map(comparable)).to.deep.equal(recorded)
        expect(relayer.requests[2]?.headers['content-type']).to.equal('application/json')
      })
    }

    it('validators as recorded with the operator, and reads the answers', async () => {
      const recording = readRecording('relayer-v0.3.1-v1-e2e')
      const asked = recording.filter(({ request }) => request.path === '/validators')
      expect(asked.length).to.be.above(4)
      for (const { request, response } of asked) {
        relayer.requests.length = 0
        relayer.respond = () => response
        const { public_keys } = JSON.parse(request.body ?? '') as { public_keys: PublicKeyHex[] }
        const answer = JSON.parse(String(response.body)) as {
          validators: { oracles_exit_signature_shares: { encrypted_exit_signatures: string[] } | null }[]
        }

        const validators = await client.requestValidators(public_keys)

        expect(relayer.requests.map(comparable)).to.deep.equal([comparable(request)])
        expect(validators.map(({ publicKey }) => publicKey)).to.deep.equal(public_keys)
        expect(
          validators.map(({ oracleParts }) => oracleParts?.encryptedExitSignatures ?? null),
        ).to.deep.equal(
          answer.validators.map(
            ({ oracles_exit_signature_shares }) =>
              oracles_exit_signature_shares?.encrypted_exit_signatures ?? null,
          ),
        )
      }
    })
  })

  it('keeps share indexes above 2^53 exact, both ways', async () => {
    const index = 2n ** 64n - 1n
    relayer.respond = ({ method }) =>
      method === 'POST'
        ? {}
        : {
            body: `{"exits":[{"public_key":"${KEY}","validator_index":7,"is_exit_signature_ready":false,"share_indexes_ready":[1,18446744073709551615,9007199254740993]}]}`,
          }
    const [exit] = await client.exits()
    await client.postExitSignatures(index, [share(KEY)])
    expect(exit?.shareIndexesReady).to.deep.equal([1n, index, 9007199254740993n])
    expect(relayer.requests[1]?.body).to.include('"share_index":18446744073709551615,')
  })

  it('asks with the ETag and takes 304 for the same list', async () => {
    const body = {
      exits: [
        { public_key: KEY, validator_index: 7, is_exit_signature_ready: false, share_indexes_ready: [2] },
      ],
    }
    relayer.respond = ({ headers }) =>
      headers['if-none-match'] === '"a"' ? { status: 304, body: '' } : { body, headers: { etag: '"a"' } }
    const first = await client.exits()
    const second = await client.exits()
    expect(second).to.equal(first)
    expect(second).to.have.length(1)
    relayer.respond = () => ({ body: { exits: [] }, headers: { etag: '"b"' } })
    expect(await client.exits()).to.deep.equal([])
    expect(relayer.requests.map(({ headers }) => headers['if-none-match'])).to.deep.equal([
      undefined,
      '"a"',
      '"a"',
    ])
  })

  it('leaves out items that nobody could sign, and share indexes that cannot be', async () => {
    const good = { public_key: KEY, validator_index: 7, is_exit_signature_ready: false }
    relayer.respond = () => ({
      body: {
        exits: [
          { ...good, public_key: '0x123', share_indexes_ready: [] },
          { ...good, validator_index: -1, share_indexes_ready: [] },
          { ...good, share_indexes_ready: [0, 3, 'x'] },
        ],
      },
    })
    expect(await client.exits()).to.deep.equal([
      { publicKey: KEY, validatorIndex: 7, isExitSignatureReady: false, shareIndexesReady: [3n] },
    ])
  })

  it('posts large batches in several requests and gathers what was rejected', async () => {
    client = new RelayerClient(relayer.url, { batchSize: 2 })
    relayer.respond = ({ body }) => {
      const { shares } = JSON.parse(body) as { shares: { public_key: string }[] }
      return { body: { rejected: [{ public_key: shares[0]?.public_key, reason: 'wrong-signature' }] } }
    }
    const rejected = await client.postExitSignatures(3n, [share(KEY), share(KEY), share(OTHER_KEY)])
    expect(relayer.requests).to.have.length(2)
    expect(rejected).to.deep.equal([
      { publicKey: KEY, reason: 'wrong-signature' },
      { publicKey: OTHER_KEY, reason: 'wrong-signature' },
    ])
  })

  describe('refusals', () => {
    const cases: [status: number, code: string][] = [
      [401, 'RELAYER_UNAUTHORIZED'],
      [403, 'RELAYER_FORBIDDEN'],
      [404, 'RELAYER_NOT_FOUND'],
      [409, 'RELAYER_CONFLICT'],
      [422, 'RELAYER_REJECTED_REQUEST'],
      [413, 'RELAYER_REFUSED'],
    ]
    for (const [status, code] of cases) {
      it(`${status} is ${code} with the relayer's detail on one line`, async () => {
        relayer.respond = () => ({ status, body: { detail: 'not\nyou\u001b[2J, ever' } })
        const error = await failure(() => client.info())
        expect(error).to.be.instanceOf(RelayerError)
        expect(error.code).to.equal(code)
        expect(error.message).to.include(`HTTP ${status} not you [2J, ever`)
      })
    }

    it('names the field of a shape error', async () => {
      relayer.respond = () => ({
        status: 422,
        body: { detail: [{ loc: ['body', 'public_keys', 0], msg: 'invalid BLS public key', type: 'x' }] },
      })
      const error = await failure(() => client.requestValidators([KEY]))
      expect(error.message).to.include('body.public_keys.0: invalid BLS public key')
    })

    it('an overloaded or broken relayer is unavailable', async () => {
      for (const answer of [
        { status: 429 },
        { status: 500 },
        { status: 503 },
        { body: 'no json' },
        { body: { exits: 'none' } },
      ]) {
        relayer.respond = () => answer
        expect(await failure(() => client.exits())).to.be.instanceOf(UnavailableError)
      }
      await relayer.stop()
      expect((await failure(() => client.exits())).code).to.equal('ENDPOINT_UNREACHABLE')
      await relayer.start()
    })

    it('an answer for other keys than asked is not believed', async () => {
      relayer.respond = () => ({
        body: { ready: false, validators: [{ public_key: OTHER_KEY, oracles_exit_signature_shares: null }] },
      })
      const error = await failure(() => client.requestValidators([KEY]))
      expect(error.code).to.equal('INVALID_RELAYER_ANSWER')
    })
  })

  describe('credentials', () => {
    const make = (url: string, options: RelayerClientOptions = {}) =>
      failure(() => new RelayerClient(url, options))

    it('go as Basic from the URL, and are shown nowhere', async () => {
      client = new RelayerClient(relayer.url.replace('//', '//operator:s3cr%40t@'))
      const error = await failure(() => client.info())
      expect(relayer.requests[0]?.headers.authorization).to.equal(
        `Basic ${Buffer.from('operator:s3cr@t').toString('base64')}`,
      )
      for (const shown of [
        client.shown,
        describeError(error),
        inspect(error),
        inspect(client, { depth: 9 }),
      ]) {
        expect(shown).to.not.include('s3cr')
      }
    })

    it('go as Bearer from a token file', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'relayer-client-'))
      try {
        await writeFile(join(folder, 'token'), 'dvt_token\n')
        const token = await readTokenFile(join(folder, 'token'))
        client = new RelayerClient(relayer.url, { token })
        const error = await failure(() => client.info())
        expect(relayer.requests[0]?.headers.authorization).to.equal('Bearer dvt_token')
        expect(inspect([error, client], { depth: 9 })).to.not.include('dvt_token')

        await writeFile(join(folder, 'two-lines'), 'one\ntwo\n')
        for (const name of ['two-lines', 'missing']) {
          const refusal = await failure(() => readTokenFile(join(folder, name)))
          expect(refusal).to.be.instanceOf(ConfigurationError)
          expect(refusal.message).to.include(name)
        }
      } finally {
        await rm(folder, { recursive: true })
      }
    })

    it('are not taken twice', async () => {
      const error = await make('https://a:b@relayer.example.org', { token: new Secret('t') })
      expect(error.code).to.equal('TWO_RELAYER_CREDENTIALS')
    })

    it('plain HTTP beyond loopback is refused, saying why and naming the flag', async () => {
      for (const host of ['relayer.example.org', '10.0.0.1:8000', '[2001:db8::1]', 'localhost.example.org']) {
        const error = await make(`http://user:hidden@${host}`)
        expect(error).to.be.instanceOf(ConfigurationError)
        expect(error.code).to.equal('PLAIN_HTTP_RELAYER')
        expect(describeError(error)).to.include('--allow-plain-http').and.to.include('read the shares')
        expect(describeError(error)).to.not.include('hidden')
      }
    })

    it('plain HTTP on loopback, TLS anywhere, and plain HTTP with the flag are taken', () => {
      for (const url of [
        'http://127.0.0.9:1',
        'http://[::1]:1',
        'http://localhost:1',
        'https://relayer.example.org',
      ]) {
        expect(new RelayerClient(url).shown).to.equal(url)
      }
      expect(new RelayerClient('http://10.0.0.1', { allowPlainHttp: true }).shown).to.equal('http://10.0.0.1')
    })
  })
})
