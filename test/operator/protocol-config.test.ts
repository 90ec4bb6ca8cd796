import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ExecutionClient } from '../../core/clients/execution.js'
import { ConfigurationError, UnavailableError } from '../../core/errors.js'
import { protocolConfigSource } from '../../operator/protocol-config.js'
import { Chain, compactRegistry } from '../devnet/chain.js'
import { ExecutionDouble } from '../devnet/execution-double.js'
import { IpfsDouble } from '../devnet/ipfs-double.js'
import { createOracles, protocolConfigOf } from '../devnet/oracles.js'
import { failureOf } from '../doubles/failure.js'
import { hoodi } from './signed-entries.js'

const oracles = createOracles(3, 2)
const HEAD = hoodi.keeper.block + 1_000

describe('who the oracles are', () => {
  let chain: Chain
  let nodes: ExecutionDouble[]
  let gateway: IpfsDouble

  beforeEach(async () => {
    chain = new Chain({ network: hoodi, registry: compactRegistry(1), head: HEAD, finalized: HEAD })
    nodes = await Promise.all([1, 2, 3].map(() => new ExecutionDouble(chain).listen()))
    gateway = await new IpfsDouble().listen()
  })
  afterEach(async () => {
    await Promise.all([...nodes, gateway].map((double) => double.close()))
  })

  const source = (protocolConfigFile?: string) => {
    const urls = nodes.map(({ url }) => url)
    const execution = new ExecutionClient(urls, { retry: { rounds: 1, delay: 1 } })
    return protocolConfigSource({ protocolConfigFile, ipfsFetchEndpoints: [gateway.url] }, hoodi, execution)
  }

  it('is what the Keeper named last, read once', async () => {
    chain.updateConfig(gateway.add(protocolConfigOf(oracles, { approvalBatchLimit: 7 })), HEAD - 10)
    const read = source()
    const config = await read()
    expect(config).to.include({ exitSignatureRecoverThreshold: 2, validatorsApprovalBatchLimit: 7 })
    expect(await read()).to.equal(config)
    expect(gateway.total).to.equal(1)
  })

  it('changes with the Keeper’s next word', async () => {
    chain.updateConfig(gateway.add(protocolConfigOf(oracles)), HEAD - 10)
    const read = source()
    await read()
    chain.advance(5)
    chain.updateConfig(gateway.add(protocolConfigOf(oracles, { approvalBatchLimit: 3 })))
    chain.finalize(chain.head)
    expect(await read()).to.include({ validatorsApprovalBatchLimit: 3 })
  })

  it('is what most nodes say', async () => {
    chain.updateConfig(gateway.add(protocolConfigOf(oracles)), HEAD - 10)
    const [first, second] = nodes
    if (first !== undefined) first.leavesOut = () => true
    expect(await source()()).to.include({ exitSignatureRecoverThreshold: 2 })
    if (second !== undefined) second.leavesOut = () => true
    expect(await failureOf(source()())).to.be.instanceOf(UnavailableError)
  })

  it('is never another content than that of the CID', async function () {
    this.timeout(20_000)
    const cid = gateway.add(protocolConfigOf(oracles))
    gateway.put(cid, protocolConfigOf(createOracles(3, 2)))
    chain.updateConfig(cid, HEAD - 10)
    const error = await failureOf(source()())
    expect(error).to.be.instanceOf(UnavailableError)
    expect(error.message).to.include('not the content of this CID').and.to.include(cid)
  })

  it('is an error that names the file where it cannot be read', async () => {
    const cid = gateway.add('not JSON at all')
    chain.updateConfig(cid, HEAD - 10)
    const error = await failureOf(source()())
    expect(error.code).to.equal('INVALID_PROTOCOL_CONFIG')
    expect(error.message).to.include(cid).and.to.not.include('\n')
  })

  it('may stand in a file, and nobody is asked then', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-protocol-config-'))
    try {
      const file = join(folder, 'config.json')
      writeFileSync(file, protocolConfigOf(oracles))
      expect(await source(file)()).to.include({ exitSignatureRecoverThreshold: 2 })
      expect(nodes.reduce((sum, node) => sum + node.total, gateway.total)).to.equal(0)
      writeFileSync(file, '{')
      expect(() => source(file))
        .to.throw(ConfigurationError)
        .with.property('code', 'INVALID_PROTOCOL_CONFIG')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('must come from somewhere', () => {
    const values = { protocolConfigFile: undefined, ipfsFetchEndpoints: [gateway.url] }
    expect(() => protocolConfigSource(values, hoodi, undefined))
      .to.throw(ConfigurationError)
      .with.property('code', 'NO_PROTOCOL_CONFIG_SOURCE')
  })
})
