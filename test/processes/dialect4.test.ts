import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type ClusterDevnet, startClusterDevnet } from '../devnet/cluster-devnet.js'
import { BUNDLED_CLUSTERS, bundledValidators } from '../devnet/clusters.js'
import { VAULT } from '../devnet/evm/vault-devnet.js'
import { startObolSidecar, startRelayer, startSsvSidecar } from '../devnet/procedure.js'
import { type DvtExitProcess, freePort } from '../devnet/processes.js'

const ETH = 10n ** 18n

describe('relayer, sidecars and agent as processes, where the relayer chooses the validators', function () {
  this.timeout(180_000)
  const all = bundledValidators()
  /** One of each cluster. */
  const validators = [all[0], all[2]].filter((validator) => validator !== undefined)
  const running: DvtExitProcess[] = []
  let devnet: ClusterDevnet

  beforeEach(async () => {
    devnet = await startClusterDevnet(validators, { managed: true })
  })

  afterEach(async function () {
    const children = running.splice(0)
    await Promise.all(children.map((child) => child.stop()))
    if (this.currentTest?.state === 'failed') {
      for (const { name, output } of children) process.stderr.write(`--- ${name}\n${output.slice(-4_000)}\n`)
    }
    await devnet.close()
  })

  it('register two compounding ones, with 2048 and 64 ETH, one of each cluster', async () => {
    const { net, sidecarNet, vault, agentEnv, managerFiles } = devnet
    const { world, folder, oracleServers } = vault
    const database = join(folder, 'relayer.db')
    const newToken = net.run(
      'token',
      ['relayer', 'token', 'new', '--role', 'operator', '--name', 'agent'],
      folder,
      {
        DATABASE: database,
      },
    )
    await newToken.exited
    const token = newToken.stdout.trim()
    const publicKeys = join(folder, 'public_keys.csv')
    writeFileSync(publicKeys, `${validators.map(({ publicKey }) => publicKey).join('\n')}\n`)
    const relayer = await startRelayer(net, folder, await freePort(), {
      ...BUNDLED_CLUSTERS,
      ...managerFiles,
      VAULTS: VAULT,
      PUBLIC_KEYS_FILE: publicKeys,
    })
    running.push(relayer.process)
    running.push(
      ...[0, 2, 3].map((index) => startObolSidecar(sidecarNet, folder, relayer.url, index)),
      ...[11, 42, 350].map((id) =>
        startSsvSidecar(sidecarNet, folder, relayer.url, id, { SIDECAR_VAULTS: VAULT }),
      ),
    )
    await world.fund(2112n * ETH)
    const agent = net.run('operator', ['operator'], folder, {
      ...agentEnv,
      DEPOSIT_DATA_FILE: '',
      RELAYER_ENDPOINT: relayer.url.replace('http://', `http://operator:${token}@`),
      VALIDATOR_TYPE: '0x02',
      MAX_VALIDATOR_BALANCE_GWEI: '2048000000000',
    })
    running.push(agent)
    await agent.waitFor(/registered 2 validators/, 120_000)

    const registered = await world.registered()
    expect(registered.map(({ publicKey }) => publicKey)).to.have.members(
      validators.map(({ publicKey }) => publicKey),
    )
    expect(registered.map(({ amount }) => amount)).to.deep.equal([2_048_000_000_000n, 64_000_000_000n])
    expect(registered.every(({ credentials }) => credentials.startsWith('0x02'))).to.equal(true)
    expect(await world.managerNonce()).to.equal(1n)
    const exits = new Map(
      oracleServers.recoverableExits().map((exit) => [exit.publicKey, exit.validatorIndex]),
    )
    expect(registered.map(({ publicKey }) => exits.get(publicKey))).to.deep.equal([1_250_000, 1_250_001])
    for (const { output } of running) expect(output).to.not.include(token)
  })
})
