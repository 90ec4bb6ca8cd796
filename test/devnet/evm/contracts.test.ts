import { expect } from 'chai'
import { ContractScene, depositOf, depositsOf, ETH } from './contract-scene.js'

describe('what is done to the devnet’s contracts', function () {
  this.timeout(120_000)
  let scene: ContractScene

  before(async () => {
    scene = await ContractScene.start()
    await scene.place({ kind: 'v5' })
  })
  beforeEach(() => scene.reset())
  after(() => scene.anvil.stop())

  for (const [when, method, value, back] of [
    ['no block is made by itself', 'evm_setAutomine', false, true],
    ['a block is made once an hour', 'evm_setIntervalMining', 3600, 0],
  ] as const) {
    it(`is in a block at once, also where ${when}`, async () => {
      await scene.anvil.rpc(method, [value])
      try {
        await scene.world.fund(ETH)
        expect(await scene.world.withdrawableAssets()).to.equal(ETH)
        for (const deposit of depositsOf(2)) await scene.world.deposit(deposit)
        expect(await scene.world.registered()).to.have.length(2)
      } finally {
        await scene.anvil.rpc(method, [back])
        await scene.anvil.rpc('evm_setAutomine', [true])
      }
    })
  }

  it('fails aloud where a contract refuses it', async () => {
    let message = 'it went on'
    await scene.world.deposit(depositOf(1, '0x01', 1n)).catch((error: Error) => {
      message = error.message
    })
    expect(message).to.match(/revert|failed/)
    expect(await scene.world.registered()).to.deep.equal([])
  })
})
