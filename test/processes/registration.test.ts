import { expect } from 'chai'
import { type ClusterDevnet, startClusterDevnet } from '../devnet/cluster-devnet.js'
import { BUNDLED_CLUSTERS, bundledValidators } from '../devnet/clusters.js'
import { startObolSidecar, startRelayer, startSsvSidecar } from '../devnet/procedure.js'
import { type DvtExitProcess, freePort } from '../devnet/processes.js'
import { registeringTransactions } from '../devnet/registered.js'

const ETH = 10n ** 18n

describe('relayer, sidecars and agent as processes', function () {
  this.timeout(180_000)
  const validators = bundledValidators()
  const running: DvtExitProcess[] = []
  let devnet: ClusterDevnet

  beforeEach(async () => {
    devnet = await startClusterDevnet(validators)
  })

  afterEach(async function () {
    const children = running.splice(0)
    await Promise.all(children.map((child) => child.stop()))
    if (this.currentTest?.state === 'failed') {
      for (const { name, output } of children) process.stderr.write(`--- ${name}\n${output.slice(-4_000)}\n`)
    }
    await devnet.close()
  })

  it('register the validators of both clusters, with a node of each away, and agent and relayer killed on the way', async () => {
    const { net, sidecarNet, vault, agentEnv } = devnet
    const { world, folder, oracleServers } = vault
    const port = await freePort()
    let relayer = await startRelayer(net, folder, port, BUNDLED_CLUSTERS)
    running.push(relayer.process)
    const startAgent = () => {
      const agent = net.run('operator', ['operator'], folder, { ...agentEnv, RELAYER_ENDPOINT: relayer.url })
      running.push(agent)
      return agent
    }
    await world.fund(160n * ETH)
    const first = startAgent()
    await first.waitFor(/exit signatures ready; waiting for/)
    running.push(
      ...[0, 1].map((index) => startObolSidecar(sidecarNet, folder, relayer.url, index)),
      ...[11, 27].map((id) => startSsvSidecar(sidecarNet, folder, relayer.url, id)),
    )
    await first.waitFor(/shares? 1, 2 are there|shares? 2, 1 are there/)
    await first.kill()
    await relayer.process.kill()

    relayer = await startRelayer(net, folder, port, BUNDLED_CLUSTERS)
    running.push(relayer.process)
    const second = startAgent()
    running.push(startObolSidecar(sidecarNet, folder, relayer.url, 3))
    running.push(startSsvSidecar(sidecarNet, folder, relayer.url, 350))
    await second.waitFor(/registered 5 validators/, 120_000)

    const transactions = await registeringTransactions(vault)
    const keys = validators.map(({ publicKey }) => publicKey)
    expect(transactions.map(({ publicKeys }) => publicKeys)).to.deep.equal([keys])
    const exits = new Map(
      oracleServers.recoverableExits().map((exit) => [exit.publicKey, exit.validatorIndex]),
    )
    expect(keys.map((key) => exits.get(key))).to.deep.equal(keys.map((_, i) => 1_250_000 + i))
  })
})
