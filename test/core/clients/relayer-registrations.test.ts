import { expect } from 'chai'
import { RelayerConnection } from '../../../core/clients/relayer-connection.js'
import { RelayerError } from '../../../core/clients/relayer-errors.js'
import { RelayerRegistrations } from '../../../core/clients/relayer-registrations.js'
import { describeError, UnavailableError } from '../../../core/errors.js'
import type { PublicKeyHex } from '../../../core/hex.js'
import { RelayerDouble } from '../../doubles/relayer.js'
import { comparable, readRecording } from '../../doubles/wire-recordings.js'

const VAULT = `0x${'BE'.repeat(20)}` as const
const KEY = `0x${'aa'.repeat(48)}` as PublicKeyHex
const OTHER_KEY = `0x${'ab'.repeat(48)}` as PublicKeyHex
const SIGNATURE = `0x${'ee'.repeat(65)}`

describe('RelayerRegistrations', () => {
  let relayer: RelayerDouble
  let client: RelayerRegistrations

  beforeEach(async () => {
    relayer = await new RelayerDouble().start()
    client = new RelayerRegistrations(new RelayerConnection(relayer.url))
  })
  afterEach(() => relayer.stop())

  it('sends what the Python operator v4.2 sends, and reads the answers', async () => {
    const recording = readRecording('operator-v4.2-relayer-client')
    relayer.respond = ({ method, path }) =>
      recording.find(({ request }) => request.method === method && request.path === path)?.response

    const info = await client.info()
    const offer = await client.register({
      vault: VAULT,
      startIndex: 1_234_567,
      amounts: [32_000_000_000n, 2_048_000_000_000n],
      type: '0x02',
    })
    const signatures = [
      await client.fund(VAULT, [{ publicKey: KEY, amount: 1_000_000_000n }]),
      await client.withdraw(VAULT, [
        { publicKey: KEY, amount: 0n },
        { publicKey: OTHER_KEY, amount: 5n },
      ]),
      await client.consolidate(VAULT, [{ source: OTHER_KEY, target: KEY }]),
    ]

    expect(relayer.requests.map(comparable)).to.deep.equal(
      recording.map(({ request }) => comparable(request)),
    )
    expect(info).to.deep.equal({ network: 'hoodi', validatorsManager: `0x${'cd'.repeat(20)}` })
    expect(offer).to.deep.equal({
      validators: [
        {
          publicKey: KEY,
          amount: 32_000_000_000n,
          depositSignature: `0x${'bb'.repeat(96)}`,
          oracleParts: {
            publicKeys: [`0x${'cc'.repeat(48)}`],
            encryptedExitSignatures: [`0x${'dd'.repeat(193)}`],
          },
        },
      ],
      managerSignature: SIGNATURE,
      detail: undefined,
    })
    expect(signatures).to.deep.equal([SIGNATURE, SIGNATURE, SIGNATURE])
  })

  it('reads what is not there yet', async () => {
    relayer.respond = ({ path }) => ({
      status: 200,
      body:
        path === '/register'
          ? { validators: [{ public_key: KEY, amount: 32_000_000_000 }], detail: 'no sidecar\nof dialect 2' }
          : {},
    })
    const request = { vault: VAULT, startIndex: 1, amounts: [32_000_000_000n], type: '0x01' } as const
    expect(await client.register(request)).to.deep.equal({
      validators: [
        { publicKey: KEY, amount: 32_000_000_000n, depositSignature: undefined, oracleParts: undefined },
      ],
      managerSignature: undefined,
      detail: 'no sidecar of dialect 2',
    })
    expect(await client.fund(VAULT, [{ publicKey: KEY, amount: 1n }])).to.equal(undefined)
  })

  for (const [what, body, reason] of [
    ['a cut-off key', { validators: [{ public_key: KEY.slice(0, -2), amount: 1 }] }, /public_key/],
    ['an amount that is no integer', { validators: [{ public_key: KEY, amount: '32' }] }, /Gwei/],
    ['no list', {}, /validators/],
    ['a cut-off signature', { validators: [], validators_manager_signature: '0x11' }, /65 bytes/],
  ] as const) {
    it(`takes an answer with ${what} for none of a relayer’s`, async () => {
      relayer.respond = () => ({ status: 200, body })
      const asked = client.register({ vault: VAULT, startIndex: 1, amounts: [1n], type: '0x01' })
      const error = await asked.then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(error).to.be.instanceOf(UnavailableError)
      expect(describeError(error))
        .to.match(reason)
        .and.to.match(/POST \/register/)
    })
  }

  it('passes on why the relayer refuses', async () => {
    relayer.respond = () => ({ status: 403, body: { detail: 'the vault is not in VAULTS' } })
    const error = await client.withdraw(VAULT, [{ publicKey: KEY, amount: 0n }]).catch((thrown) => thrown)
    expect(error).to.be.instanceOf(RelayerError)
    expect(describeError(error)).to.match(/POST \/withdraw: HTTP 403 the vault is not in VAULTS/)
  })
})
