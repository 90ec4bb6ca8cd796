import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ExecutionClient } from '../../core/clients/execution.js'
import { IpfsClient } from '../../core/clients/ipfs.js'
import { fromHex, type Hex, type PublicKeyHex, toHex } from '../../core/hex.js'
import { parseJson } from '../../core/json.js'
import { KeeperConfigSearch } from '../../core/oracles/keeper.js'
import { parseProtocolConfig } from '../../core/oracles/protocol-config.js'
import { openAsOracle } from '../../core/oracles/seal.js'
import { KeeperOracles } from '../../core/oracles/source.js'
import type { OracleShares } from '../../relayer/exits/service.js'
import type { App } from '../../relayer/http/fastify.js'
import { Checkpoint } from '../../relayer/store/checkpoints.js'
import { Chain, compactRegistry } from '../devnet/chain.js'
import { ExecutionDouble } from '../devnet/execution-double.js'
import { IpfsDouble } from '../devnet/ipfs-double.js'
import { TestLog } from '../doubles/log.js'
import { fourNodeValidators, hoodi, type TestValidator } from './clusters.js'
import { testApp } from './http/test-app.js'
import { combineParts, createOracles, type TestRelayer, TestWorld } from './relayer.js'

const HEAD = hoodi.keeper.block + 1_000
const LOCAL = { host: 'localhost' }
const ONCE = { retry: { rounds: 1, delay: 1 } }
const [first, second] = fourNodeValidators as [TestValidator, TestValidator]
interface Oracle {
  /** 64 bytes, as in a protocol config. */
  readonly publicKey: Hex
  readonly secretKey: Uint8Array
}
const honest = oraclesWithKeys(7)
const liars = oraclesWithKeys(12)

/** Five oracles of which three recover an exit. */
const TRUTH = configOf(honest.slice(0, 5), 3)

function oraclesWithKeys(count: number): Oracle[] {
  const { config, secretKeys } = createOracles(count, 1)
  return secretKeys.map((secretKey, i) => ({
    publicKey: toHex(config.oracles[i]?.publicKey.subarray(1) ?? new Uint8Array()),
    secretKey,
  }))
}
function configOf(oracles: readonly Oracle[], threshold: number, firstPort = 20_000): string {
  return JSON.stringify({
    oracles: oracles.map(({ publicKey }, i) => ({
      public_key: publicKey,
      endpoints: [`http://127.0.0.1:${firstPort + i}`],
    })),
    exit_signature_recover_threshold: threshold,
  })
}
function setHash(config: string): Hex {
  return parseProtocolConfig(parseJson(config), 'test').setHash
}
/** The first so many honest oracles, then liars up to five. */
function mixed(honestCount: number, threshold = 3, from = 0): string {
  return configOf([...honest.slice(0, honestCount), ...liars.slice(from, from + 5 - honestCount)], threshold)
}

interface Answer {
  readonly status: number
  readonly code: string | undefined
  readonly publicKey: PublicKeyHex
  readonly shares: OracleShares | null
}

describe('an execution endpoint that names other oracles', () => {
  let folder: string
  let world: TestWorld
  /** What honest and lying endpoints believe. */
  let chain: Chain
  let lies: Chain
  let nodes: ExecutionDouble[]
  let gateway: IpfsDouble
  let running: { relayer: TestRelayer; oracles: KeeperOracles; app: App } | undefined
  let logged: TestLog

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lying-endpoint-'))
    world = new TestWorld()
    world.sharings = [first, second].map(({ validator }) => validator)
    const registry = compactRegistry(1)
    chain = new Chain({ network: hoodi, registry, head: HEAD, finalized: HEAD })
    lies = new Chain({ network: hoodi, registry, head: HEAD, finalized: HEAD })
    nodes = []
    gateway = await new IpfsDouble().listen()
    chain.updateConfig(gateway.add(TRUTH), HEAD - 500)
  })
  afterEach(async () => {
    await stop()
    await Promise.all([...nodes, gateway].map((double) => double.close()))
    rmSync(folder, { recursive: true, force: true })
  })

  const nodeOf = async (believes: Chain) => {
    const node = await new ExecutionDouble(believes).listen()
    nodes.push(node)
    return node
  }
  /** Starts the relayer as a person does, on the same database each time. */
  const start = async (acceptHash?: Hex, ipfs: readonly IpfsDouble[] = [gateway]): Promise<void> => {
    logged = new TestLog()
    let oracles: KeeperOracles | undefined
    const execution = new ExecutionClient(
      nodes.map(({ url }) => url),
      { ...ONCE, chainId: hoodi.chainId },
    )
    const relayer = await world.open({
      file: join(folder, 'relayer.db'),
      oracles: (database) => {
        oracles = new KeeperOracles({
          searches: execution.endpoints.map((endpoint) => new KeeperConfigSearch(endpoint, hoodi.keeper)),
          ipfs: new IpfsClient(
            ipfs.map(({ url }) => url),
            ONCE,
          ),
          store: new Checkpoint(database, 'oracles'),
          acceptHash,
          logger: logged.logger,
          interval: 3_600_000,
        })
        return oracles
      },
    })
    if (oracles === undefined) throw new Error('the relayer asked for no oracles')
    running = { relayer, oracles, app: await testApp(relayer.service) }
    await oracles.start()
    await relayer.service.idle()
  }
  const stop = async (): Promise<void> => {
    await running?.oracles.close()
    await running?.app.close()
    await running?.relayer.close()
    running = undefined
  }
  const restart = async (acceptHash?: Hex) => {
    await stop()
    await start(acceptHash)
  }
  const parts = () => {
    if (running === undefined) throw new Error('the relayer does not run')
    return running
  }
  /** A chain names a config in a new final block, and the relayer looks. */
  const publish = async (where: Chain, config: string): Promise<void> => {
    where.advance(100)
    where.updateConfig(gateway.add(config))
    where.finalize(where.head)
    await look()
  }
  const look = async (): Promise<void> => {
    await parts().oracles.refresh()
    await parts().relayer.service.idle()
  }
  const ask = async ({ validator }: TestValidator = first): Promise<Answer> => {
    const answer = await parts().app.inject({
      method: 'POST',
      url: '/validators',
      headers: LOCAL,
      payload: { public_keys: [validator.publicKey] },
    })
    const shares = answer.json().validators?.[0]?.oracles_exit_signature_shares ?? null
    return {
      status: answer.statusCode,
      code: answer.headers['x-error-code'] as string | undefined,
      publicKey: validator.publicKey,
      shares: shares && {
        publicKeys: shares.public_keys,
        encryptedExitSignatures: shares.encrypted_exit_signatures,
      },
    }
  }
  /** Asks for an exit and has three nodes sign it. */
  const collect = async (one: TestValidator = first): Promise<Answer> => {
    await ask(one)
    await post(one)
    return ask(one)
  }
  const post = async (one: TestValidator): Promise<void> => {
    for (const node of [1, 2, 3]) {
      const signature = toHex(one.sign(BigInt(node), world.nextIndex))
      await parts().app.inject({
        method: 'POST',
        url: '/exit-signature',
        headers: LOCAL,
        payload: {
          share_index: node,
          shares: [{ public_key: one.validator.publicKey, exit_signature: signature }],
        },
      })
    }
    await parts().relayer.service.idle()
  }
  /** How many of the parts one of these opens. */
  const opened = (sealed: readonly string[], oracles: readonly Oracle[]): number =>
    sealed.filter((part) => oracles.some((oracle) => opens(oracle, part))).length
  const opens = ({ secretKey }: Oracle, part: string): boolean => {
    try {
      return openAsOracle(secretKey, fromHex(part)).length === 96
    } catch {
      return false
    }
  }
  const sealedRows = () => parts().relayer.database.selectFrom('sealed_parts').selectAll().execute()
  /** That liars could recover nothing of what the database or an answer ever held. */
  const expectNothingForLiars = async (): Promise<void> => {
    for (const row of await sealedRows()) {
      const sealed = parseJson(row.encrypted_signatures) as string[]
      expect(opened(sealed, liars), 'parts that liars open').to.be.lessThan(3)
    }
  }
  /** That each of these opens its own part, so many of them make the exit, and liars open no other. */
  const expectFor = (
    { status, shares, publicKey }: Answer,
    oracles: readonly Oracle[],
    threshold: number,
  ): void => {
    expect(status).to.equal(200)
    if (shares === null) throw new Error('the exit is not ready')
    const config = parseProtocolConfig(parseJson(configOf(oracles, threshold)), 'test')
    const secretKeys = oracles.map(({ secretKey }) => secretKey)
    combineParts({ config, secretKeys }, shares, publicKey, world.nextIndex)
    const theirs = oracles.filter((oracle) => liars.includes(oracle)).length
    expect(opened(shares.encryptedExitSignatures, liars)).to.equal(theirs)
  }
  const current = async () => (await parts().oracles.current()).setHash

  describe('at the first start', () => {
    it('nothing is sealed for them, however often they are named and asked for', async () => {
      await nodeOf(lies)
      lies.updateConfig(gateway.add(mixed(0)), HEAD - 10)
      await start()
      expect(await collect()).to.include({ status: 503, code: 'ORACLES_NOT_ACCEPTED' })
      await restart()
      await publish(lies, mixed(0, 2))
      expect(await collect()).to.include({ status: 503, code: 'ORACLES_NOT_ACCEPTED' })
      expect(await sealedRows()).to.deep.equal([])
    })

    it('what waits is told with everything that a person compares', async () => {
      await nodeOf(lies)
      lies.updateConfig(gateway.add(mixed(1)), HEAD - 10)
      await start()
      const line = logged.lines.join()
      expect(line)
        .to.include(setHash(mixed(1)))
        .and.to.include('--accept-oracles')
      for (const oracle of parseProtocolConfig(parseJson(mixed(1)), 'test').oracles) {
        expect(line).to.include(oracle.address)
      }
    })

    it('the hash that a person accepted does not let another set in', async () => {
      await nodeOf(lies)
      lies.updateConfig(gateway.add(mixed(4)), HEAD - 10)
      await start(setHash(TRUTH))
      expect(await collect()).to.include({ status: 503, code: 'ORACLES_NOT_ACCEPTED' })
      await publish(lies, TRUTH)
      expectFor(await collect(), honest.slice(0, 5), 3)
    })

    it('a set of the same oracles with a lower threshold, or in another order, is another set', async () => {
      await nodeOf(lies)
      lies.updateConfig(gateway.add(configOf(honest.slice(0, 5), 2)), HEAD - 10)
      await start(setHash(TRUTH))
      expect(await collect()).to.include({ status: 503, code: 'ORACLES_NOT_ACCEPTED' })
      await publish(lies, configOf(honest.slice(0, 5).reverse(), 3))
      expect(await collect()).to.include({ status: 503, code: 'ORACLES_NOT_ACCEPTED' })
      expect(await sealedRows()).to.deep.equal([])
    })
  })

  describe('later', () => {
    /** A relayer that a person set up with the truth, with an exit that is ready. */
    const setUp = async (endpoint: Chain = chain): Promise<Answer> => {
      await nodeOf(endpoint)
      await start(setHash(TRUTH))
      const ready = await collect()
      expectFor(ready, honest.slice(0, 5), 3)
      return ready
    }

    it('all at once: what was sealed stays, and new exits are sealed for the accepted ones', async () => {
      const ready = await setUp()
      await publish(chain, mixed(0))
      expect(await ask()).to.deep.equal(ready)
      expectFor(await collect(second), honest.slice(0, 5), 3)
      await restart()
      expect(await ask()).to.deep.equal(ready)
      await restart(setHash(TRUTH))
      expect(await ask()).to.deep.equal(ready)
      await expectNothingForLiars()
    })

    it('one by one: it ends at the second, counted from what a person accepted', async () => {
      const ready = await setUp()
      let last = ready
      for (const honestLeft of [4, 3]) {
        await publish(chain, mixed(honestLeft))
        last = await ask()
        expectFor(last, [...honest.slice(0, honestLeft), ...liars.slice(0, 5 - honestLeft)], 3)
        await expectNothingForLiars()
      }
      for (const honestLeft of [2, 1, 0]) {
        await publish(chain, mixed(honestLeft))
        expect(await ask()).to.deep.equal(last)
        await restart(honestLeft === 1 ? setHash(TRUTH) : undefined)
        expect(await ask()).to.deep.equal(last)
      }
      expect(await current()).to.equal(setHash(mixed(3)))
      await expectNothingForLiars()
    })

    it('one by one, always others: each set holds too few of them', async () => {
      await setUp()
      for (const from of [0, 2, 4, 6, 8]) {
        await publish(chain, mixed(3, 3, from))
        expectFor(await ask(), [...honest.slice(0, 3), ...liars.slice(from, from + 2)], 3)
        await publish(chain, mixed(2, 3, from))
        expect(await current()).to.equal(setHash(mixed(3, 3, from)))
      }
      await expectNothingForLiars()
    })

    it('beside the right ones, in a set that grows', async () => {
      await setUp()
      const grown = (count: number) => configOf([...honest.slice(0, 5), ...liars.slice(0, count)], 3)
      await publish(chain, grown(2))
      expect(await current()).to.equal(setHash(grown(2)))
      for (const count of [3, 4, 12]) {
        await publish(chain, grown(count))
        expect(await current()).to.equal(setHash(grown(2)))
      }
      await expectNothingForLiars()
    })

    it('with a threshold that is lowered, at once or in steps', async () => {
      const ready = await setUp()
      for (const threshold of [2, 1]) {
        await publish(chain, configOf(honest.slice(0, 5), threshold))
        await publish(chain, mixed(4, threshold))
        expect(await ask()).to.deep.equal(ready)
      }
      await expectNothingForLiars()
    })

    it('with a threshold that is raised for many new ones, and then lowered for them', async () => {
      await setUp()
      await publish(chain, mixed(1, 5))
      expect(await current()).to.equal(setHash(mixed(1, 5)))
      for (const threshold of [4, 3, 2]) {
        await publish(chain, mixed(1, threshold))
        await restart()
        expect(await current()).to.equal(setHash(mixed(1, 5)))
      }
      // Four of five parts are theirs, and five are needed.
      const sealed = (await ask()).shares?.encryptedExitSignatures ?? []
      expect(opened(sealed, liars)).to.equal(4)
      await publish(chain, TRUTH)
      expectFor(await ask(), honest.slice(0, 5), 3)
    })

    it('what a person accepts is what later sets are measured by', async () => {
      await setUp()
      await publish(chain, configOf(honest.slice(0, 7), 4))
      expect(await current()).to.equal(setHash(configOf(honest.slice(0, 7), 4)))
      await restart(setHash(mixed(2)))
      expect(await current()).to.equal(setHash(configOf(honest.slice(0, 7), 4)))
      const next = configOf([...honest.slice(2, 7), ...liars.slice(0, 2)], 4)
      await publish(chain, next)
      await restart(setHash(next))
      expect(await current()).to.equal(setHash(next))
      await restart()
      // Five of the seven are new since the set accepted first, three since this one.
      const after = configOf([...honest.slice(5, 7), ...liars.slice(0, 5)], 4)
      await publish(chain, after)
      expect(await current()).to.equal(setHash(after))
    })

    it('the same oracles at other addresses are the same set: nothing is sealed anew', async () => {
      const ready = await setUp()
      await publish(chain, configOf(honest.slice(0, 5), 3, 30_000))
      expect(await ask()).to.deep.equal(ready)
      expect(await sealedRows()).to.have.length(1)
    })

    it('a config that is none changes nothing', async () => {
      const ready = await setUp()
      const twice = liars.slice(0, 1)
      for (const wrong of [
        'not JSON',
        '{}',
        configOf([], 1),
        configOf(honest.slice(0, 2), 3),
        configOf(honest.slice(0, 5), 0),
        configOf([...honest.slice(0, 3), ...twice, ...twice], 3),
      ]) {
        await publish(chain, wrong)
        expect(await ask()).to.deep.equal(ready)
      }
      await expectNothingForLiars()
    })

    it('content that is not that of the CID is never taken, whoever serves it', async () => {
      const ready = await setUp()
      const cid = gateway.add(mixed(4))
      gateway.put(cid, mixed(0))
      chain.advance(100)
      chain.updateConfig(cid)
      chain.finalize(chain.head)
      await look()
      expect(await ask()).to.deep.equal(ready)
      // It is asked for again, and taken where somebody has it unaltered.
      gateway.put(cid, mixed(4))
      await look()
      expect(await current()).to.equal(setHash(mixed(4)))
    })

    it('a name that is no CID, or of a kind that cannot be checked, is never fetched', async () => {
      const ready = await setUp()
      const before = gateway.total
      for (const cid of [
        '',
        '../../evil',
        'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG?x=/../y',
        'bagaaiera',
      ]) {
        chain.advance(100)
        chain.updateConfig(cid)
        chain.finalize(chain.head)
        await look()
      }
      expect(gateway.total).to.equal(before)
      expect(await ask()).to.deep.equal(ready)
    })
  })

  describe('among several', () => {
    const setUp = async (...believes: Chain[]): Promise<void> => {
      for (const chain of believes) await nodeOf(chain)
      await start(setHash(TRUTH))
    }

    it('one of three changes nothing, not even what a person need not accept', async () => {
      lies.updateConfig(gateway.add(TRUTH), HEAD - 500)
      await setUp(chain, lies, chain)
      await publish(lies, mixed(4))
      expect(await current()).to.equal(setHash(TRUTH))
      expectFor(await collect(), honest.slice(0, 5), 3)
      await expectNothingForLiars()
    })

    it('one of two, or of two that are left, stops what is new and loses nothing', async () => {
      lies.updateConfig(gateway.add(TRUTH), HEAD - 500)
      await setUp(chain, lies)
      await publish(lies, mixed(4))
      expect(await current()).to.equal(setHash(TRUTH))
      expect(logged.lines.join()).to.match(/no majority/)
      await stop()
      const gone = await nodeOf(chain)
      await gone.close()
      nodes.pop()
      await start()
      expect(await current()).to.equal(setHash(TRUTH))
    })

    it('most of them still need a person for as many new ones as recover an exit', async () => {
      lies.updateConfig(gateway.add(TRUTH), HEAD - 500)
      await setUp(lies, chain, lies)
      await publish(lies, mixed(2))
      expect(await current()).to.equal(setHash(TRUTH))
      expectFor(await collect(), honest.slice(0, 5), 3)
      await expectNothingForLiars()
    })

    it('one of another network has no say', async () => {
      await nodeOf(chain)
      const other = await nodeOf(lies)
      other.alter = ({ body }, answer) =>
        body.includes('eth_chainId')
          ? {
              status: 200,
              body: { jsonrpc: '2.0', id: (parseJson(body) as { id: number }).id, result: '0x1' },
            }
          : answer
      lies.updateConfig(gateway.add(TRUTH), HEAD - 500)
      await start(setHash(TRUTH))
      // A majority of two is two.
      expect(await ask()).to.include({ status: 503, code: 'ORACLES_UNKNOWN' })
    })
  })

  describe('what is kept', () => {
    it('a set that could not be kept is looked at again', async () => {
      await nodeOf(chain)
      await start(setHash(TRUTH))
      const { database } = parts().relayer
      await database.schema.alterTable('checkpoints').renameTo('elsewhere').execute()
      await publish(chain, mixed(4))
      expect(await current()).to.equal(setHash(TRUTH))
      await database.schema.alterTable('elsewhere').renameTo('checkpoints').execute()
      await look()
      expect(await current()).to.equal(setHash(mixed(4)))
    })

    it('a config that cannot be read any more is read from the chain again', async () => {
      await nodeOf(chain)
      await start(setHash(TRUTH))
      const checkpoint = new Checkpoint(parts().relayer.database, 'oracles')
      const kept = (await checkpoint.load()) as object
      await checkpoint.save({ ...kept, config: '{}' })
      await restart()
      expect(await current()).to.equal(setHash(TRUTH))
    })

    it('without chain the set in use is used again, and none that a person has not accepted', async () => {
      const node = await nodeOf(chain)
      await start(setHash(TRUTH))
      const ready = await collect()
      await publish(chain, mixed(0))
      node.faults.down = true
      await restart()
      expect(await ask()).to.deep.equal(ready)
    })
  })
})
