import { expect } from 'chai'
import { loadNetwork } from '../../../core/network.js'
import type { OracleServer } from '../../devnet/evm/oracle-servers.js'
import { ETH, Scene, validatorsOf } from './scene.js'

const hoodi = loadNetwork('hoodi')

const FAULTS: readonly [string, (oracle: OracleServer) => unknown][] = [
  ['down', (oracle) => Object.assign(oracle.faults, { down: true })],
  ['slow', (oracle) => Object.assign(oracle.faults, { delay: 120_000 })],
  ['answering 400', (oracle) => Object.assign(oracle.faults, { status: 400 })],
  ['answering 500', (oracle) => Object.assign(oracle.faults, { status: 500 })],
  ['answering garbage', (oracle) => Object.assign(oracle.faults, { garbage: true })],
  ['naming another content', (oracle) => Object.assign(oracle, { wrong: 'other-cid' })],
  ['naming another deadline', (oracle) => Object.assign(oracle, { wrong: 'other-deadline' })],
  ['signing something else', (oracle) => Object.assign(oracle, { wrong: 'bad-signature' })],
]

function heal(oracle: OracleServer): void {
  Object.assign(oracle.faults, { down: false, delay: 0, status: undefined, garbage: false })
  oracle.wrong = undefined
}

describe('an agent among its oracles', function () {
  this.timeout(120_000)
  let scene: Scene

  beforeEach(async () => {
    const validators = validatorsOf(hoodi, { count: 2 })
    scene = await Scene.start({ kind: 'v5', validators, assets: 64n * ETH, oracles: 5, minOracles: 3 })
  })

  afterEach(() => scene.close())

  for (const [fault, make] of FAULTS) {
    it(`registers with two of five ${fault}`, async () => {
      scene.devnet.oracleServers.first(2, make)
      await scene.registered()
      expect(await scene.publicKeys()).to.have.length(2)
    })
  }

  for (const [fault, make] of FAULTS.filter(([name]) => name !== 'slow')) {
    it(`waits with three of five ${fault}, says so, and registers when they are well again`, async () => {
      const { oracleServers } = scene.devnet
      oracleServers.first(3, make)
      const { code, message } = await scene.notNow()
      expect(code).to.equal('TOO_FEW_APPROVALS')
      expect(message).to.match(/2|1/).and.not.include('\n')
      expect(await scene.publicKeys()).to.deep.equal([])

      oracleServers.first(3, heal)
      await scene.registered()
      expect(await scene.publicKeys()).to.have.length(2)
    })
  }

  it('names a likely index mismatch where they refuse and no deposit landed', async () => {
    const { oracleServers } = scene.devnet
    oracleServers.first(3, (oracle) => Object.assign(oracle.faults, { status: 400 }))
    expect(await scene.failure()).to.match(/most likely they count another index than 1250000/)
  })

  it('asks anew when the approvals have expired before the transaction went', async () => {
    await scene.close()
    let offset = 0
    const clock = {
      now: () => Date.now() + offset,
      sleep: async () => undefined,
    }
    const validators = validatorsOf(hoodi, { count: 1 })
    scene = await Scene.start({ kind: 'v5', validators, assets: 32n * ETH, validityPeriod: 600, clock })
    const { anvil, oracleServers } = scene.devnet
    const asked = () => oracleServers.all.reduce((sum, { approved }) => sum + approved.length, 0)
    // Approved, and then the gas becomes too dear to send.
    oracleServers.first(5, (oracle) => {
      oracle.beforeAnswer = () =>
        anvil.rpc('anvil_setNextBlockBaseFeePerGas', ['0x4a817c800']).then(() => anvil.mine())
    })
    expect((await scene.notNow()).code).to.equal('FEES_TOO_HIGH')
    oracleServers.first(5, (oracle) => {
      oracle.beforeAnswer = () => undefined
    })
    const before = asked()
    await anvil.rpc('anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00'])
    await anvil.mine()
    offset = 601_000
    oracleServers.first(5, (oracle) => Object.assign(oracle, { ahead: offset }))
    await scene.registered()
    expect(asked()).to.be.above(before)
  })
})
