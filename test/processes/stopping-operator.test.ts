import { expect } from 'chai'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { loadNetwork } from '../../core/network.js'
import { ExecutionProxy } from '../devnet/evm/execution-proxy.js'
import { DvtExitProcess } from '../devnet/processes.js'
import { type WrittenWallet, writeWallet } from '../devnet/wallet-file.js'
import { ETH, Scene, validatorsOf } from '../operator/rounds/scene.js'

const GRACEFUL = { code: 0, signal: null }

describe('an operator agent that is told to stop', function () {
  this.timeout(90_000)
  const validators = validatorsOf(loadNetwork('hoodi'), { count: 2 })
  let scene: Scene
  let node: ExecutionProxy
  let wallet: WrittenWallet
  const agents: DvtExitProcess[] = []

  before(async () => {
    scene = await Scene.start({ kind: 'v5', validators, assets: 32n * ETH })
    node = await new ExecutionProxy(scene.devnet.anvil).listen()
    const privateKey = generatePrivateKey()
    wallet = writeWallet(scene.devnet.folder, 'wallet', privateKey)
    await scene.devnet.anvil.setBalance(privateKeyToAccount(privateKey).address, ETH)
  })

  afterEach(async function () {
    node.before = () => undefined
    node.after = () => undefined
    for (const agent of agents.splice(0)) {
      await agent.kill()
      if (this.currentTest?.state === 'failed') process.stderr.write(agent.output.slice(-3_000))
    }
  })

  after(async () => {
    await node.close()
    await scene.close()
  })

  const start = () => {
    const env = {
      ...scene.env,
      EXECUTION_ENDPOINTS: node.url,
      WALLET_FILE: wallet.file,
      WALLET_PASSWORD_FILE: wallet.passwordFile,
      POLL_INTERVAL: '0.2',
    }
    const agent = new DvtExitProcess('operator', ['operator'], env, scene.devnet.folder)
    agents.push(agent)
    return agent
  }

  it('while its transaction is on the way ends gracefully, and the next one finds it', async () => {
    const first = start()
    let stopped: Promise<void> | undefined
    node.after = (method) => {
      if (method === 'eth_sendRawTransaction') stopped ??= first.stop()
    }
    expect(await first.exited).to.deep.equal(GRACEFUL)
    expect(stopped, 'it sent its transaction').to.not.equal(undefined)
    const second = start()
    await second.waitFor(/registered 1 validators/)
    expect(await scene.publicKeys()).to.have.length(1)
  })

  it('while a node never answers ends all the same', async () => {
    const agent = start()
    await scene.devnet.world.fund(32n * ETH)
    let stopped: Promise<void> | undefined
    node.before = (method) => {
      if (method !== 'eth_estimateGas') return undefined
      stopped ??= agent.stop()
      return agent.exited
    }
    expect(await agent.exited).to.deep.equal(GRACEFUL)
    await stopped
    expect(await scene.publicKeys()).to.have.length(1)
  })
})
