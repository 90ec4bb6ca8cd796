import { expect } from 'chai'
import { ExecutionClient } from '../../../core/clients/execution.js'
import { ConfigurationError, describeError, UnavailableError } from '../../../core/errors.js'
import { loadNetwork } from '../../../core/network.js'
import { Chain, compactRegistry } from '../../devnet/chain.js'
import { signedDeposit } from '../../devnet/deposits.js'
import { ExecutionDouble } from '../../devnet/execution-double.js'
import { failureOf } from '../../doubles/failure.js'

const network = loadNetwork('hoodi')
const contract = network.depositContract.address
const retry = { rounds: 2, delay: 1, sleep: async () => undefined }

describe('ExecutionClient', () => {
  let chain: Chain
  let first: ExecutionDouble
  let second: ExecutionDouble
  const client = (options = {}) => new ExecutionClient([first.url, second.url], { retry, ...options })

  beforeEach(async () => {
    chain = new Chain({ network, registry: compactRegistry(10), head: 100, finalized: 90 })
    first = await new ExecutionDouble(chain).listen()
    second = await new ExecutionDouble(chain).listen()
  })
  afterEach(async () => {
    await Promise.all([first.close(), second.close()])
  })

  it('reads blocks by tag, number and hash', async () => {
    const latest = await client().block('latest')
    expect(latest?.number).to.equal(100n)
    expect(await client().block(100n)).to.deep.equal(latest)
    expect(await client().block(latest?.hash ?? '0x')).to.deep.equal(latest)
    expect((await client().block('finalized'))?.number).to.equal(90n)
    expect(await client().block(101n)).to.equal(null)
  })

  it('reads the logs of a range and of one block', async () => {
    const at = BigInt(chain.land(signedDeposit(network, 'a'), signedDeposit(network, 'b')))
    chain.advance(3)
    const logs = await client().logs({ address: contract, fromBlock: 0n, toBlock: at })
    expect(logs.map((log) => [log.blockNumber, log.logIndex])).to.deep.equal([
      [at, 0],
      [at, 1],
    ])
    const hash = logs[0]?.blockHash ?? '0x'
    expect(await client().logsOfBlock(hash, { address: contract })).to.deep.equal(logs)
    expect(await client().logsOfBlock(hash, { address: network.keeper.address })).to.deep.equal([])
  })

  it('reads storage, zero where nothing was stored', async () => {
    const slot = `0x${'12'.repeat(32)}` as const
    expect(await client().storageAt(contract, slot)).to.equal(`0x${'00'.repeat(32)}`)
    chain.setStorage(contract, slot, `0x${'07'.padStart(64, '0')}`)
    expect(BigInt(await client().storageAt(contract, slot))).to.equal(7n)
  })

  for (const [fault, set] of [
    ['is down', (double: ExecutionDouble) => Object.assign(double.faults, { down: true })],
    ['answers 500', (double: ExecutionDouble) => Object.assign(double.faults, { status: 500 })],
    ['answers 403', (double: ExecutionDouble) => Object.assign(double.faults, { status: 403 })],
    ['answers something else', (double: ExecutionDouble) => Object.assign(double.faults, { garbage: true })],
    ['does not answer in time', (double: ExecutionDouble) => Object.assign(double.faults, { delay: 60_000 })],
  ] as const) {
    it(`takes the second endpoint where the first ${fault}, and says what each one did where both fail`, async () => {
      set(first)
      const both = client({ timeout: 300 })
      expect((await both.block('latest'))?.number).to.equal(100n)
      expect(second.total).to.equal(1)
      set(second)
      const error = await failureOf(both.block('latest'))
      expect(error).to.be.instanceOf(UnavailableError)
      expect(error.code).to.equal('ALL_ENDPOINTS_FAILED')
      expect(describeError(error)).to.include(first.url).and.to.include(second.url)
      const { errors } = error.cause as AggregateError
      expect(errors.map((one) => one instanceof UnavailableError)).to.deep.equal([true, true])
    })
  }

  it('tries again in a second round', async () => {
    first.faults.down = true
    second.faults.down = true
    const sleep = async () => {
      second.faults.down = false
    }
    expect(await client({ retry: { rounds: 2, delay: 1, sleep } }).chainId()).to.equal(network.chainId)
  })

  for (const [what, field, value] of [
    ['of a block outside the range', 'blockNumber', '0x1'],
    ['of another contract', 'address', `0x${'12'.repeat(20)}`],
    ['with another topic', 'topics', [`0x${'12'.repeat(32)}`]],
    ['of no known shape', 'logIndex', null],
  ] as const) {
    it(`takes the second endpoint where the first gives a log ${what}`, async () => {
      const at = BigInt(chain.land(signedDeposit(network, 'a')))
      first.alter = ({ body }, answer) => {
        if (!body.includes('eth_getLogs')) return answer
        const { result } = answer.body as { result: object[] }
        return { status: 200, body: { result: result.map((log) => ({ ...log, [field]: value })) } }
      }
      const topic = (
        await new ExecutionClient([second.url], { retry }).logs({ fromBlock: at, toBlock: at })
      )[0]?.topics[0]
      const filter = { address: contract, topics: [topic ?? null], fromBlock: at, toBlock: at }
      expect(await client().logs(filter)).to.have.length(1)
      expect(first.total).to.equal(1)
      const alone = new ExecutionClient([first.url], { retry }).logs(filter)
      expect((await failureOf(alone)).code).to.equal('ALL_ENDPOINTS_FAILED')
    })
  }

  it('takes the second endpoint where the first gives a log of another block than asked for by hash', async () => {
    chain.land(signedDeposit(network, 'a'))
    first.alter = (_, answer) => {
      const { result } = answer.body as { result: object[] }
      return {
        status: 200,
        body: { result: result.map((log) => ({ ...log, blockHash: `0x${'12'.repeat(32)}` })) },
      }
    }
    const hash = chain.block(chain.head)?.hash ?? '0x'
    expect(await client().logsOfBlock(hash, { address: contract })).to.have.length(1)
    expect([first.total, second.total]).to.deep.equal([1, 1])
  })

  it('takes the second endpoint where the first gives another block than asked for', async () => {
    first.alter = (_, answer) => {
      const { result } = answer.body as { result: object }
      return { status: 200, body: { result: { ...result, number: '0x1', hash: `0x${'12'.repeat(32)}` } } }
    }
    const hash = chain.block(50)?.hash ?? '0x'
    expect((await client().block(50n))?.hash).to.equal(hash)
    expect((await client().block(hash))?.number).to.equal(50n)
    expect([first.total, second.total]).to.deep.equal([2, 2])
  })

  it('asks another endpoint where one refuses', async () => {
    first.maxRange = 5
    expect(await client().logs({ address: contract, fromBlock: 0n, toBlock: 99n })).to.deep.equal([])
  })

  it('says RPC_ERROR with the endpoint’s words, at once, where all refuse', async () => {
    first.maxRange = 5
    second.maxRange = 6
    const error = await failureOf(client().logs({ address: contract, fromBlock: 0n, toBlock: 99n }))
    expect(error.code).to.equal('RPC_ERROR')
    expect(error).not.to.be.instanceOf(UnavailableError)
    expect(error.message).to.include('exceeds the block range')
    expect(first.total).to.equal(1)
  })

  it('says RPC_ERROR where one refuses and the other is down', async () => {
    first.maxRange = 5
    second.faults.down = true
    const error = await failureOf(client().logs({ address: contract, fromBlock: 0n, toBlock: 99n }))
    expect(error.code).to.equal('RPC_ERROR')
  })

  it('never shows the key in an endpoint’s URL', async () => {
    first.faults.status = 500
    const secret = new ExecutionClient([`${first.url.replace('http://', 'http://me:pw5678@')}/v2/key1234`], {
      retry,
    })
    const shown = JSON.stringify(describeError(await failureOf(secret.block('latest'))))
    expect(shown)
      .to.include(first.url)
      .and.not.to.match(/key1234|pw5678/)
  })

  it('refuses an endpoint of another chain, at its first use', async () => {
    const error = await failureOf(client({ chainId: 1 }).block('latest'))
    expect(error).to.be.instanceOf(ConfigurationError)
    expect(error.code).to.equal('WRONG_NETWORK')
  })

  it('asks for the chain only once', async () => {
    const one = client({ chainId: network.chainId })
    await one.block('latest')
    await one.block('latest')
    expect(first.requests.get('eth_chainId')).to.equal(1)
  })
})
