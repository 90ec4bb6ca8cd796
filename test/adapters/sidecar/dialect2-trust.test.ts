import { expect } from 'chai'
import { createObolSigners } from '../../../adapters/obol/create.js'
import { obolOptions } from '../../../adapters/obol/options.js'
import { type DepositRequest, judgeDeposit } from '../../../adapters/sidecar/deposit-rules.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { readOptions } from '../../../core/options.js'
import type { ExitSigner } from '../../../core/signer.js'
import { nodeHome } from '../obol/node-directory.js'
import { A, B, network, node, SidecarBench } from './sidecar-bench.js'

const ETH = 1_000_000_000n
const VAULT: Hex = `0x${'be'.repeat(20)}`
const OTHER: Hex = `0x${'cc'.repeat(20)}`
const vaults = new Set([VAULT])

describe('Sidecar, which deposits it trusts', () => {
  let bench: SidecarBench
  const wanted = (publicKey: PublicKeyHex, changes: Partial<DepositRequest> = {}) => ({
    publicKey,
    validatorIndex: 1000,
    vault: VAULT,
    type: '0x01' as const,
    amount: 32n * ETH,
    ...changes,
  })
  const refusals = async () => (await bench.auditLines()).filter(({ verdict }) => verdict === 'refused')

  beforeEach(async () => {
    bench = await new SidecarBench().start()
    bench.wanted = []
  })
  afterEach(() => bench.stop())

  for (const [what, changes, reason] of [
    ['to another vault', { vault: OTHER }, 'deposit-other-vault'],
    ['to another vault, of type 0x02', { vault: OTHER, type: '0x02' }, 'deposit-other-vault'],
    ['of 1 ETH', { amount: ETH }, 'deposit-wrong-amount'],
    ['of 33 ETH for type 0x01', { amount: 33n * ETH }, 'deposit-wrong-amount'],
    ['of nothing', { amount: 0n }, 'deposit-wrong-amount'],
    ['of 31 ETH for type 0x02', { type: '0x02', amount: 31n * ETH }, 'deposit-wrong-amount'],
    ['of 2049 ETH for type 0x02', { type: '0x02', amount: 2049n * ETH }, 'deposit-wrong-amount'],
  ] as const) {
    it(`signs nothing for a deposit ${what}, notes and says that once, also over a restart, and goes on with others`, async () => {
      bench.validators = [wanted(A, changes), wanted(B)]
      const signer = node(1)
      const sidecar = await bench.sidecar([signer], { vaults })
      await bench.round(sidecar)
      await bench.round(sidecar)
      await bench.round(await bench.sidecar([signer], { vaults }))
      expect(bench.postedValidators()).to.deep.equal([[B], [B], [B]])
      expect(bench.posts()).to.deep.equal([])
      expect([...signer.signed, ...signer.signedDeposits].filter((name) => name.startsWith(A))).to.deep.equal(
        [],
      )
      expect(await refusals()).to.have.length(1)
      const { vault, type, amount } = wanted(A, changes)
      expect((await refusals())[0]).to.include({
        reason,
        public_key: A,
        vault,
        validator_type: type,
        amount: Number(amount),
        share_index: 1,
      })
      expect(bench.log.messages('warn')).to.have.length(1)
    })
  }

  it('notes a refusal again when a right deposit of the same validator came between', async () => {
    const sidecar = await bench.sidecar([node(1)], { vaults })
    for (const vault of [OTHER, VAULT, OTHER]) {
      bench.validators = [wanted(A, { vault })]
      await bench.round(sidecar)
    }
    expect(await refusals()).to.have.length(2)
  })

  it('signs no exit either of a validator whose deposit is wrong, where the relayer asks for that alone too', async () => {
    bench.validators = [wanted(A, { vault: OTHER })]
    bench.wanted = [
      { publicKey: A, validatorIndex: 1000 },
      { publicKey: B, validatorIndex: 1001 },
    ]
    const signer = node(1)
    await bench.round(await bench.sidecar([signer], { vaults }))
    expect(bench.postedValidators()).to.deep.equal([])
    expect(signer.signedDeposits).to.deep.equal([])
    expect(signer.signed).to.deep.equal([`${B}/1001`])
    expect(bench.postedKeys()).to.deep.equal([[B]])
    expect((await refusals()).map(({ reason }) => reason)).to.deep.equal(['deposit-other-vault'])
  })

  it('takes exactly the amounts of each type', () => {
    const judge = (type: '0x01' | '0x02', amount: bigint) =>
      judgeDeposit(wanted(A, { type, amount }), node(1), vaults)
    for (const amount of [32n * ETH - 1n, 32n * ETH + 1n]) {
      expect(judge('0x01', amount)).to.equal('deposit-wrong-amount')
    }
    for (const amount of [32n * ETH - 1n, 2048n * ETH + 1n]) {
      expect(judge('0x02', amount)).to.equal('deposit-wrong-amount')
    }
    expect(judge('0x01', 32n * ETH)).to.equal('sign')
    for (const amount of [32n * ETH, 32n * ETH + 1n, 2048n * ETH]) {
      expect(judge('0x02', amount)).to.equal('sign')
    }
  })

  it('lets SIDECAR_VAULTS only narrow what a cluster lock allows', () => {
    const judge = (addresses: readonly Hex[] | undefined, named: Hex[] | undefined, vault: Hex) => {
      const signer = node(1)
      signer.addresses = addresses
      return judgeDeposit(wanted(A, { vault }), signer, named && new Set(named))
    }
    expect(judge([VAULT], undefined, VAULT)).to.equal('sign')
    expect(judge([VAULT], undefined, OTHER)).to.equal('deposit-other-vault')
    expect(judge([VAULT], [VAULT, OTHER], VAULT)).to.equal('sign')
    expect(judge([VAULT], [OTHER], VAULT)).to.equal('deposit-other-vault')
    expect(judge([VAULT], [OTHER], OTHER)).to.equal('deposit-other-vault')
    expect(judge([], [VAULT], VAULT), 'a lock that names no address').to.equal('deposit-other-vault')
    expect(judge(undefined, [VAULT], VAULT)).to.equal('sign')
    expect(judge(undefined, undefined, VAULT)).to.equal('not-configured')
  })

  describe('beside Charon', () => {
    const LOCKED: Hex = '0xba447498dc4c169f2b4f427b2c4d532320457e89'
    let signers: ExitSigner[]
    let keys: PublicKeyHex[]
    before(async () => {
      const env = { OBOL_KEYSTORES_DIR: `${nodeHome('obol-4n3t-hoodi', 1)}/validator_keys` }
      const { logger } = new SidecarBench().log
      signers = await createObolSigners(readOptions(obolOptions, { flags: {}, env }), { network, logger })
      keys = [...(signers[0]?.validators().keys() ?? [])]
    })
    after(() => Promise.all(signers.map((signer) => signer.close())))

    it('signs deposits to the address of the cluster lock and to no other', async () => {
      const [first = '0x', second = '0x'] = keys
      bench.validators = [
        wanted(first, { vault: LOCKED, type: '0x02', amount: 64n * ETH }),
        wanted(second, { vault: OTHER }),
      ]
      await bench.round(await bench.sidecar(signers))
      expect(bench.postedValidators()).to.deep.equal([[first]])
      expect(bench.postedSignatures()[0]?.shares[0]?.public_key_shares).to.have.length(4)
      expect(await refusals()).to.have.length(1)
      expect((await refusals())[0]).to.include({
        reason: 'deposit-other-vault',
        public_key: second,
        vault: OTHER,
      })
    })

    it('signs none that SIDECAR_VAULTS leaves out', async () => {
      bench.validators = keys.map((key) => wanted(key, { vault: LOCKED }))
      await bench.round(await bench.sidecar(signers, { vaults }))
      expect(bench.postedValidators()).to.deep.equal([])
      expect((await refusals()).map(({ reason }) => reason)).to.deep.equal([
        'deposit-other-vault',
        'deposit-other-vault',
      ])
    })
  })
})
