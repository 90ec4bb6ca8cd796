import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { pino } from 'pino'
import { loadNetwork } from '../../core/network.js'
import type { DistributedValidator } from '../../core/signer.js'
import { loadClusterFiles, OwnersFollower, splitSsvClusters } from '../../relayer/clusters.js'
import { GivenClusters } from '../../relayer/given-clusters.js'
import { SsvChainDouble } from '../core/clusters/ssv-chain-double.js'
import { EXPECTED, LOGS } from '../core/clusters/ssv-fixture.js'
import { readFixture } from './clusters.js'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const logger = pino({ level: 'silent' })
const hoodi = loadNetwork('hoodi')

describe('the relayer’s clusters', () => {
  it('come from cluster locks and keyshares files, with the threshold of each', async () => {
    const clusters = await loadClusterFiles(
      {
        locks: [
          fixture('obol/obol-4n3t-hoodi/node0/cluster-lock.json'),
          fixture('obol/obol-4n3t-hoodi/node1/cluster-lock.json'),
          fixture('obol/obol-16n10t-hoodi/node0/cluster-lock.json'),
        ],
        keyshares: [fixture('ssv/ssv-4op/keyshares/keyshares-V0-V1-nonce1-2.json')],
      },
      hoodi,
      logger,
    )
    const [first] = EXPECTED.validators
    const sharings = clusters.sharingsOf(first?.publicKey ?? '0x')
    expect(sharings.map(({ threshold }) => threshold)).to.deep.equal([3])
    expect([...(sharings[0]?.shares.keys() ?? [])]).to.deep.equal([11n, 27n, 42n, 350n])
    const thresholds = new Set<number>()
    const counts = new Set<number>()
    for (const lock of ['obol-4n3t-hoodi', 'obol-16n10t-hoodi']) {
      const { validators } = readFixture(`obol/${lock}.EXPECTED.json`) as {
        validators: { distributed_public_key: `0x${string}` }[]
      }
      for (const { distributed_public_key } of validators) {
        const found = clusters.sharingsOf(distributed_public_key)
        counts.add(found.length)
        for (const { threshold } of found) thresholds.add(threshold)
      }
    }
    // The lock is the same at every node, so it counts once.
    expect([...counts]).to.deep.equal([1])
    expect([...thresholds]).to.deep.equal([3, 10])
  })

  it('keeps sharings of one key apart, and replaces those of one source', () => {
    const clusters = new GivenClusters()
    let changes = 0
    clusters.onChange(() => {
      changes++
    })
    const sharing = (share: `0x${string}`): DistributedValidator => ({
      publicKey: '0xaa',
      threshold: 1,
      shares: new Map([[1n, share]]),
      source: 'test',
    })
    clusters.set('old', [sharing('0x01')])
    clusters.set('new', [sharing('0x02'), sharing('0x01')])
    expect(clusters.sharingsOf('0xaa')).to.have.length(2)
    clusters.set('old', [])
    expect(clusters.sharingsOf('0xaa')).to.have.length(2)
    clusters.set('new', [sharing('0x02')])
    expect(clusters.sharingsOf('0xaa')).to.have.length(1)
    expect(clusters.sharingsOf('0xbb')).to.deep.equal([])
    expect([changes, clusters.size]).to.deep.equal([4, 1])
  })

  it('tells owners to follow from files', () => {
    const owner = '0x603038E87f022257240b19090384fA1EcECF91f0'
    expect(splitSsvClusters([owner, 'keyshares.json', './0x12.json'])).to.deep.equal({
      owners: [owner.toLowerCase()],
      files: ['keyshares.json', './0x12.json'],
    })
  })

  it('of owners are followed on the chain, without those that can never sign', async () => {
    const clusters = new GivenClusters()
    const stop = new AbortController()
    const follower = await OwnersFollower.open(clusters, {
      owners: Object.keys(EXPECTED.ownerNonces).map((owner) => owner.toLowerCase() as `0x${string}`),
      network: hoodi,
      chain: new SsvChainDouble(LOGS),
      databaseFile: ':memory:',
      logger,
    })
    const read = new Promise<void>((resolve) => clusters.onChange(resolve))
    const following = follower.run(stop.signal)
    await read
    stop.abort()
    await following
    await follower.close()
    const [keys] = Object.values(EXPECTED.finalByOperator)
    for (const [publicKey, final] of Object.entries(keys ?? {})) {
      const [sharing] = clusters.sharingsOf(publicKey as `0x${string}`)
      expect(sharing !== undefined, publicKey).to.equal(final.sharesInterpolateToPublicKey)
      if (sharing === undefined) continue
      expect(sharing.shares.get(11n)).to.equal(final.sharePublicKey)
      expect(sharing.source).to.contain(final.owner.toLowerCase())
    }
  })
})
