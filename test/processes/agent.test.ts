import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '../../core/hex.js'
import { loadNetwork } from '../../core/network.js'
import { ExecutionProxy } from '../devnet/evm/execution-proxy.js'
import { VAULT } from '../devnet/evm/vault-devnet.js'
import { DvtExitProcess } from '../devnet/processes.js'
import { type WrittenWallet, writeWallet } from '../devnet/wallet-file.js'
import { ETH, Scene, validatorsOf } from '../operator/rounds/scene.js'

const hoodi = loadNetwork('hoodi')
const validators = validatorsOf(hoodi, { count: 5 })
const keys = validators.map(({ deposit }) => deposit.publicKey)

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

describe('the operator’s process', function () {
  this.timeout(120_000)
  let scene: Scene
  let node: ExecutionProxy
  let agents: DvtExitProcess[]
  let privateKey: Hex
  let wallet: WrittenWallet

  beforeEach(async () => {
    agents = []
    scene = await Scene.start({ kind: 'v5', validators, assets: 96n * ETH })
    node = await new ExecutionProxy(scene.devnet.anvil).listen()
    privateKey = generatePrivateKey()
    wallet = writeWallet(scene.devnet.folder, 'wallet', privateKey)
    await scene.devnet.anvil.setBalance(privateKeyToAccount(privateKey).address, ETH)
  })

  afterEach(async function () {
    await Promise.all(agents.map((agent) => agent.stop()))
    if (this.currentTest?.state === 'failed') {
      for (const { output } of agents) process.stderr.write(`---\n${output.slice(-4_000)}\n`)
    }
    await node.close()
    await scene.close()
  })

  const start = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) => {
    const agent = new DvtExitProcess(
      'operator',
      ['operator', ...args],
      {
        ...scene.env,
        EXECUTION_ENDPOINTS: node.url,
        WALLET_FILE: wallet.file,
        WALLET_PASSWORD_FILE: wallet.passwordFile,
        POLL_INTERVAL: '0.2',
        ...env,
      },
      scene.devnet.folder,
    )
    agents.push(agent)
    return agent
  }

  /** Runs a command that ends by itself. */
  const read = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const agent = start(args, env)
    const { code } = await agent.exited
    return { code, output: agent.output, stdout: agent.stdout }
  }

  const registered = (count: number) =>
    until(`${count} validators are registered`, async () => (await scene.publicKeys()).length >= count)

  /** Nothing was registered twice, nothing forgotten, and all in the file's order. */
  const expectRegistered = async (count: number) => {
    await registered(count)
    expect(await scene.publicKeys()).to.deep.equal(keys.slice(0, count))
  }

  it('registers as the vault gets assets, says each reason once, and ends gracefully', async () => {
    const agent = start()
    await expectRegistered(3)
    await agent.waitFor(/the vault has 0 ETH/)
    await scene.devnet.world.fund(64n * ETH)
    await expectRegistered(5)
    await agent.waitFor(/every entry of .* was registered/)
    await agent.stop()
    expect(agent.output.match(/every entry of .* was registered/g)).to.have.length(1)
    expect(agent.output.match(/registered 3 validators/g)).to.have.length(1)
    expect(await agent.exited).to.deep.equal({ code: 0, signal: null })
  })

  const clear = () => {
    node.before = () => undefined
    node.after = () => undefined
    scene.relayer.beforeAnswer = () => undefined
    for (const oracle of scene.devnet.oracleServers.all) {
      oracle.beforeCheck = () => undefined
      oracle.beforeAnswer = () => undefined
    }
  }
  const steps: readonly (readonly [string, (now: () => Promise<void>) => void])[] = [
    [
      'while it asks for exits',
      (now) => {
        scene.relayer.beforeAnswer = now
      },
    ],
    [
      'while the oracles are asked',
      (now) => scene.devnet.oracleServers.first(1, (oracle) => Object.assign(oracle, { beforeCheck: now })),
    ],
    [
      'when the oracles have approved',
      (now) => scene.devnet.oracleServers.first(1, (oracle) => Object.assign(oracle, { beforeAnswer: now })),
    ],
    [
      'while the gas is estimated',
      (now) => {
        node.before = (method) => (method === 'eth_estimateGas' ? now() : undefined)
      },
    ],
    [
      'before the transaction has reached a node',
      (now) => {
        node.before = async (method) => {
          if (method !== 'eth_sendRawTransaction') return
          await now()
          throw new Error('lost on the way')
        }
      },
    ],
    [
      'when a node has the transaction and the agent does not know it',
      (now) => {
        node.after = (method) => (method === 'eth_sendRawTransaction' ? now() : undefined)
      },
    ],
    [
      'while it looks for its transaction',
      (now) => {
        node.before = (method) => (method === 'eth_getTransactionReceipt' ? now() : undefined)
      },
    ],
  ]
  for (const [name, arrange] of steps) {
    it(`killed ${name} goes on where it was`, async () => {
      const first = start()
      let killed: Promise<void> | undefined
      arrange(() => {
        killed ??= first.kill()
        return killed
      })
      await first.exited
      expect(killed, 'the step was reached').to.not.equal(undefined)
      clear()
      const second = start()
      await expectRegistered(3)
      await second.waitFor(/the vault has 0 ETH/)
      await expectRegistered(3)
    })
  }

  it('killed with its transaction in no block and lost by all nodes sends the same one again', async () => {
    const { anvil } = scene.devnet
    await anvil.rpc('evm_setAutomine', [false])
    const first = start()
    await first.waitFor(/registration of 3 validators sent/)
    await first.kill()
    await anvil.rpc('anvil_dropAllTransactions')
    const second = start()
    await second.waitFor(/it is sent again/)
    await anvil.mine()
    await anvil.rpc('evm_setAutomine', [true])
    await expectRegistered(3)
    await second.waitFor(/registered 3 validators/)
  })

  it('that is the second one of a database does not start', async () => {
    scene.relayer.withheld.add(keys[0] ?? '0x')
    const first = start()
    await first.waitFor(/waiting|exit/i)
    const { code, output } = await read([])
    expect(code).to.equal(2)
    expect(output.trim())
      .to.match(/^dvt-exit: .*operator\.db/)
      .and.not.include('\n')
  })

  it('shows with --dry-run the transaction and sends nothing, as often as it is asked, and says why there is none', async () => {
    for (let i = 0; i < 2; i++) {
      const { code, stdout } = await read(['--dry-run'])
      expect(code).to.equal(0)
      const { publicKeys, transaction } = JSON.parse(stdout) as {
        publicKeys: string[]
        transaction: { to: string }
      }
      expect(publicKeys).to.deep.equal(keys.slice(0, 3))
      expect(transaction.to.toLowerCase()).to.equal(scene.devnet.world.registry.toLowerCase())
    }
    expect(await scene.publicKeys()).to.deep.equal([])

    // What was printed is a transaction that registers them.
    const { stdout } = await read(['--dry-run'])
    const { transaction } = JSON.parse(stdout) as { transaction: { from: Hex } }
    await scene.devnet.anvil.rpc('anvil_impersonateAccount', [transaction.from])
    await scene.devnet.anvil.rpc('eth_sendTransaction', [transaction])
    await expectRegistered(3)
    const { code, output } = await read(['--dry-run'])
    expect(code).to.equal(1)
    expect(output).to.match(/the vault has 0 ETH for validators/)
  })

  it('shows the vault and the validators before and after a registration', async () => {
    const before = JSON.parse((await read(['status', '--json'])).stdout) as Record<string, unknown>
    expect(before).to.deep.include({ network: 'hoodi', version: 5, token: 'ETH', lastRegistration: null })
    expect(before['assets']).to.equal(String(96n * ETH))
    expect((before['nextKeys'] as { publicKey: string }[]).map(({ publicKey }) => publicKey)).to.deep.equal(
      keys.slice(0, 3),
    )

    const agent = start()
    await agent.waitFor(/the vault has 0 ETH/)
    const { code, stdout } = await read(['status'])
    expect(code).to.equal(0)
    expect(stdout).to.match(/^vault: +0xba44.* on hoodi, version 5$/m)
    expect(stdout).to.match(/^registers by: +the DepositDataRegistry/m)
    expect(stdout).to.match(
      /^last registration: +3 validators from index 1250000 on, mined in block \d+, transaction 0x/m,
    )
    expect(stdout).to.match(/^waits for: +the vault has 0 ETH/m)

    await scene.devnet.beacon.activate(2)
    const entries = JSON.parse((await read(['validators', '--json'])).stdout) as {
      state: string
      index: number | null
    }[]
    expect(entries.map(({ state }) => state)).to.deep.equal([
      'registered',
      'registered',
      'deposited',
      'waiting',
      'waiting',
    ])
    expect(entries.map(({ index }) => index)).to.deep.equal([1_250_000, 1_250_001, null, null, null])
    const list = (await read(['validators'])).stdout.trim().split('\n')
    expect(list).to.have.length(5)
    expect(list[4]).to.include(keys[4]).and.include('waiting')
  })

  const wrong: readonly (readonly [string, () => Readonly<Record<string, string>>, RegExp])[] = [
    [
      'a wrong password',
      () => {
        const file = join(scene.devnet.folder, 'wrong-password.txt')
        writeFileSync(file, 'the password of something else\n')
        return { WALLET_PASSWORD_FILE: file }
      },
      /wrong-password\.txt does not hold the password of .*wallet\.json/,
    ],
    [
      'a wallet that is not there',
      () => ({ WALLET_FILE: '/nowhere/wallet.json' }),
      /\/nowhere\/wallet\.json/,
    ],
    ['the address of another vault', () => ({ VAULT: `0x${'ab'.repeat(20)}` }), /is for another vault/],
    ['a chain of another id', () => ({ NETWORK: 'mainnet', NETWORK_CONFIG_FILE: '' }), /chain id|560048/],
    [
      'a deposit data file that is not there',
      () => ({ DEPOSIT_DATA_FILE: '/nowhere/deposit.json' }),
      /\/nowhere\/deposit\.json/,
    ],
  ]
  for (const [what, env, expected] of wrong) {
    it(`given ${what} ends with 2 and one line`, async () => {
      const { code, output } = await read(['--log-level', 'error'], env())
      expect(output.trim()).to.match(expected).and.not.include('\n')
      expect(code).to.equal(2)
    })
  }

  it('given an address where no vault is ends with 2 and one line', async () => {
    await scene.devnet.anvil.rpc('anvil_setCode', [VAULT, '0x'])
    const { code, output } = await read(['--log-level', 'error'])
    expect(output.trim())
      .to.match(/there is no vault at 0xba44.* on hoodi/)
      .and.not.include('\n')
    expect(code).to.equal(2)
  })

  it('whose relayer works for another network ends with 2 and one line', async () => {
    scene.relayer.network = 'mainnet'
    const { code, output } = await read(['--log-level', 'error'])
    expect(output.trim())
      .to.match(/works for mainnet, this operator for hoodi/)
      .and.not.include('\n')
    expect(code).to.equal(2)
  })
})
