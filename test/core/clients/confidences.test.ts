import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { BeaconEndpoint } from '../../../core/clients/beacon-endpoint.js'
import { leaveOut } from '../../../core/clients/confidences.js'
import { HttpEndpoint } from '../../../core/clients/endpoint.js'
import { IpfsClient } from '../../../core/clients/ipfs.js'
import { quantityField } from '../../../core/clients/json-fields.js'
import { callJsonRpc } from '../../../core/clients/json-rpc.js'
import { RelayerClient } from '../../../core/clients/relayer.js'
import { RelayerValidators } from '../../../core/clients/relayer-validators.js'
import { describeError } from '../../../core/errors.js'
import { Secret } from '../../../core/secret.js'
import { type RecordedRequest, RelayerDouble } from '../../doubles/relayer.js'

const PASSWORD = 'pässword/of#mine'
const KEY = 'ab12CD34ef56GH78ij90'
const TOKEN = `dvtexit_${randomBytes(32).toString('base64url')}`
const SIGNATURE = new Uint8Array(randomBytes(96))
const KEY_OF_VALIDATOR = `0x${'8c'.repeat(48)}` as const
const RETRY = { rounds: 1, delay: 0 }

describe('what an answer repeats of its request', () => {
  let server: RelayerDouble
  let status: number

  beforeEach(async () => {
    status = 500
    server = await new RelayerDouble((request) => ({ status, body: answerTo(request) })).start()
  })
  afterEach(() => server.stop())

  /** Everything that was said, as an error's text in whatever form the peer has one. */
  let answerTo: (request: RecordedRequest) => unknown
  const said = ({ path, headers, body }: RecordedRequest) =>
    `${headers.authorization} for http://${headers.host}${path} with ${body}`

  const url = (path = '') =>
    server.url.replace('http://', `http://me:${encodeURIComponent(PASSWORD)}@`) + path

  const failure = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work
    } catch (error) {
      return describeError(error)
    }
    throw new Error('it did not fail')
  }
  const expectQuoted = (text: string) => {
    expect(text).to.include('[left out]')
    const secrets = [
      PASSWORD,
      encodeURIComponent(PASSWORD),
      Buffer.from(`me:${PASSWORD}`).toString('base64').slice(0, 12),
      KEY,
      TOKEN,
      Buffer.from(SIGNATURE).toString('hex').slice(0, 16),
      Buffer.from(SIGNATURE).toString('hex').slice(-16),
    ]
    for (const secret of secrets) expect(text.toLowerCase()).to.not.include(secret.toLowerCase())
  }

  it('is left out of the errors about nodes and gateways', async () => {
    answerTo = said
    for (const path of [`/v3/${KEY}`, `/?apikey=${KEY}`, `/rpc?a=1&key=${KEY}`]) {
      const endpoint = new HttpEndpoint(url(path), { timeout: 5_000 })
      for (const code of [500, 429, 404, 200]) {
        status = code
        expectQuoted(await failure(callJsonRpc(endpoint, 'eth_chainId', [], quantityField)))
        const beacon = new BeaconEndpoint(url(path), { timeout: 5_000 })
        expectQuoted(await failure(beacon.genesis()))
      }
      status = 403
      const gateway = new IpfsClient([url(path)], { retry: RETRY })
      const cid = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKZTSC'
      expectQuoted(await failure(gateway.fetch(cid)))
    }
  })

  it('is left out of what a node says as a JSON-RPC error', async () => {
    answerTo = (request) => ({ error: { code: -32_000, message: said(request) } })
    status = 200
    const endpoint = new HttpEndpoint(url(`/v3/${KEY}`), { timeout: 5_000 })
    expectQuoted(await failure(callJsonRpc(endpoint, 'eth_chainId', [], quantityField)))
  })

  it('is left out of a relayer’s refusals: tokens and shares, and parts of them', async () => {
    const share = { publicKey: KEY_OF_VALIDATOR, signature: SIGNATURE }
    const deposit = {
      publicKey: KEY_OF_VALIDATOR,
      exitSignature: new Uint8Array(randomBytes(96)),
      depositSignature: SIGNATURE,
      publicShares: new Map(),
    }
    for (const relayer of [
      new RelayerClient(url(`/relayer/${KEY}`)),
      new RelayerClient(server.url, { token: new Secret(TOKEN) }),
    ]) {
      for (const wrap of [said, (request: RecordedRequest) => ({ detail: said(request) })]) {
        for (const [code, cut] of [
          [500, 10_000],
          [502, 350],
          [422, 10_000],
          [401, 330],
        ] as const) {
          status = code
          answerTo = (request) => {
            const answer = wrap(request)
            return typeof answer === 'string' ? answer.slice(0, cut) : answer
          }
          expectQuoted(await failure(relayer.postExitSignatures(3n, [share])))
          expectQuoted(await failure(new RelayerValidators(relayer.connection).post(3n, [deposit])))
        }
      }
    }
  })

  it('is left out of the reasons for which a relayer rejects a share', async () => {
    status = 200
    answerTo = (request) => ({ rejected: [{ public_key: KEY_OF_VALIDATOR, reason: said(request) }] })
    const relayer = new RelayerClient(url())
    const [rejected] = await relayer.postExitSignatures(3n, [
      { publicKey: KEY_OF_VALIDATOR, signature: SIGNATURE },
    ])
    expectQuoted(rejected?.reason ?? '')
    expect(rejected?.reason).to.include(KEY_OF_VALIDATOR)
  })

  it('is nothing where nothing was said in confidence', () => {
    const plain = { url: new URL('http://127.0.0.1:8000/relayer/eth'), authorizations: [], shares: [] }
    const text = `the relayer has 0x${'8c'.repeat(48)} at /relayer/eth already, index 1250000`
    expect(leaveOut(text, plain)).to.equal(text)
  })
})
