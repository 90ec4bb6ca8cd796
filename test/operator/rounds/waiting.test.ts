import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { loadNetwork } from '../../../core/network.js'
import { depositDataOf, makeValidators } from '../../devnet/evm/relayer-with-keys.js'
import { VAULT } from '../../devnet/evm/vault-devnet.js'
import { protocolConfigOf } from '../../devnet/oracles.js'
import { ETH, Scene, validatorsOf } from './scene.js'

const hoodi = loadNetwork('hoodi')

describe('an agent that has to wait', function () {
  this.timeout(120_000)
  const validators = validatorsOf(hoodi, { count: 3 })
  const keys = validators.map(({ deposit }) => deposit.publicKey)
  let scene: Scene

  beforeEach(async () => {
    scene = await Scene.start({ kind: 'v5', validators, assets: 64n * ETH })
  })

  afterEach(() => scene.close())

  it('for the relayer says so, and registers when it is back', async () => {
    scene.relayer.faults.down = true
    expect(await scene.failure()).to.include(scene.relayer.url)
    scene.relayer.faults.down = false
    await scene.registered()
    expect(await scene.publicKeys()).to.deep.equal(keys.slice(0, 2))
  })

  it('for exits shows which shares are there, and registers when all are', async () => {
    scene.relayer.withheld.add(keys[1] ?? '0x')
    const { code, message } = await scene.notNow()
    expect(code).to.equal('WAITING_FOR_EXITS')
    expect(message).to.include('1, 3')
    scene.relayer.withheld.clear()
    await scene.registered()
    expect(await scene.publicKeys()).to.deep.equal(keys.slice(0, 2))
  })

  it('for gas that costs too much sends nothing, and registers when it is cheaper', async () => {
    const { anvil } = scene.devnet
    await anvil.rpc('anvil_setNextBlockBaseFeePerGas', ['0x4a817c800'])
    await anvil.mine()
    const { code, message } = await scene.notNow()
    expect(code).to.equal('FEES_TOO_HIGH')
    expect(message).to.include('MAX_FEE_PER_GAS_GWEI')
    expect([...scene.relayer.requests.keys()]).to.deep.equal(['GET /info'])
    await anvil.rpc('anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00'])
    await anvil.mine()
    await scene.registered()
  })

  it('for its wallet to be filled names it, and registers when it is', async () => {
    const { anvil } = scene.devnet
    const { address } = scene.keys.wallet
    for (const balance of [0n, 1_000n]) {
      await anvil.setBalance(address, balance)
      const { code, message } = await scene.notNow()
      expect(code).to.equal('WALLET_TOO_POOR')
      expect(message).to.include(address)
    }
    await anvil.setBalance(address, ETH)
    await scene.registered()
  })

  it('for more validators than it may register alone', async () => {
    await scene.close()
    const env = { MIN_VALIDATORS_REGISTRATION: '3' }
    scene = await Scene.start({ kind: 'v5', validators, assets: 64n * ETH, env })
    expect((await scene.notNow()).code).to.equal('BELOW_MINIMUM')
    await scene.devnet.world.fund(32n * ETH)
    await scene.registered()
    expect(await scene.publicKeys()).to.deep.equal(keys)
  })

  it('for the deposit data that the vault has accepted', async () => {
    await scene.devnet.world.setDepositDataRoot(`0x${'00'.repeat(32)}`)
    expect((await scene.notNow()).code).to.equal('NO_DEPOSIT_DATA')
    await scene.devnet.world.setDepositDataRoot(`0x${'31'.repeat(32)}`)
    const { code, message } = await scene.notNow()
    expect(code).to.equal('DEPOSIT_DATA_ROOT')
    expect(message).to.include('31'.repeat(32))
    await scene.accept(validators)
    await scene.registered()
  })

  it('for the manager’s key names both addresses', async () => {
    const other = `0x${'5a'.repeat(20)}` as const
    await scene.devnet.world.setManager(other)
    const { code, message } = await scene.notNow()
    expect(code).to.equal('NOT_THE_MANAGER')
    expect(message.toLowerCase()).to.include(other).and.include(scene.keys.manager.address.toLowerCase())
  })

  it('for its transaction, which a second round does not send again, and replaces it when it is stuck', async () => {
    await scene.close()
    let ahead = 0
    const clock = { now: () => Date.now() + ahead, sleep: async () => undefined }
    scene = await Scene.start({ kind: 'v5', validators, assets: 64n * ETH, clock })
    const { anvil } = scene.devnet
    await anvil.rpc('evm_setAutomine', [false])
    const sent = await scene.run()
    expect(sent.kind).to.equal('sent')
    expect((await scene.notNow()).code).to.equal('TRANSACTION_PENDING')
    ahead = 120_000
    const { code, message } = await scene.notNow()
    expect(code).to.equal('TRANSACTION_PENDING')
    expect(scene.log.messages('info').join('\n')).to.match(/replaced with higher fees/)
    await anvil.mine()
    const { attempts, minedHash } = await scene.registered()
    expect(attempts).to.have.length(2)
    expect(minedHash).to.equal(attempts[1]?.hash)
    expect(message).to.not.include('\n')
    expect(await scene.publicKeys()).to.deep.equal(keys.slice(0, 2))
  })
})

describe('an agent that is given wrong things', function () {
  this.timeout(120_000)
  const validators = validatorsOf(hoodi, { count: 2 })
  let scene: Scene

  beforeEach(async () => {
    scene = await Scene.start({ kind: 'v5', validators, assets: 64n * ETH })
  })

  afterEach(async () => {
    expect(await scene.publicKeys()).to.deep.equal([])
    await scene.close()
  })

  const text = depositDataOf(validators)
  const entries = JSON.parse(text) as { pubkey: string; signature: string }[]
  const files: readonly [string, string, RegExp][] = [
    ['that is not JSON', '[{"pubkey": ', /is not JSON/],
    [
      'with a key twice',
      JSON.stringify([...entries, entries[0]]),
      /entry 2: the key .* stands in entry 0 too/,
    ],
    [
      'of another vault',
      depositDataOf(makeValidators({ network: hoodi, vault: `0x${'77'.repeat(20)}`, count: 2 })),
      /is for another vault: .*7777/,
    ],
    [
      'of another network',
      JSON.stringify([{ ...entries[0], fork_version: '00000000' }, entries[1]]),
      /entry 0: fork_version 0x00000000 is not that of hoodi/,
    ],
  ]
  for (const [what, content, expected] of files) {
    it(`a deposit data file ${what}: one clear line`, async () => {
      writeFileSync(scene.depositDataFile, content)
      const failure = await scene.failure()
      expect(failure).to.match(expected).and.not.include('\n')
    })
  }

  it('a manager’s deposit data with the signatures of another network: one clear line', async () => {
    await scene.devnet.world.setManager(scene.keys.manager.address)
    const foreign = makeValidators({ network: loadNetwork('mainnet'), vault: VAULT, count: 2 })
    writeFileSync(scene.depositDataFile, depositDataOf(foreign))
    const { code, message } = await scene.notNow()
    expect(code).to.equal('ENTRY_UNUSABLE')
    expect(message)
      .to.match(/entry 0 .*signature/)
      .and.not.include('\n')
    expect(scene.log.messages('warn')).to.have.length(2)
  })

  it('a protocol config that is garbage or another content: one clear line', async () => {
    const { ipfs, world } = scene.devnet
    const config = protocolConfigOf(scene.devnet.oracles)
    const cid = ipfs.add(`${config} `)
    await world.updateConfig(cid)
    await scene.devnet.anvil.rpc('anvil_mine', ['0x46'])
    for (const content of ['<html>sign in</html>', config]) {
      ipfs.put(cid, content)
      const failure = await scene.failure()
      expect(failure).to.include(cid).and.not.include('\n')
    }
  })
})
