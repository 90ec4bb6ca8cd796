import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { obolOptions } from '../../../adapters/obol/options.js'
import { runSidecar, sidecarOptions } from '../../../adapters/sidecar/command.js'
import { ssvOptions } from '../../../adapters/ssv/options.js'
import { describeError, exitCodeOf } from '../../../core/errors.js'
import type { PublicKeyHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { readOptions } from '../../../core/options.js'
import { useCanary } from '../../devnet/canary/shared.js'
import { BeaconDouble } from '../../doubles/beacon.js'
import { TestLog } from '../../doubles/log.js'
import { until } from '../../doubles/poll.js'
import { RelayerDouble } from '../../doubles/relayer.js'
import type { PostedBody } from './sidecar-bench.js'

const fixture = (path: string) => fileURLToPath(new URL(`../../fixtures/obol/${path}`, import.meta.url))

/** The withdrawal address of the cluster lock, with its checksum. */
const VAULT = '0xba447498DC4c169f2b4f427B2c4D532320457E89'

interface Golden {
  validators: {
    distributed_public_key: PublicKeyHex
    golden_exit: {
      validator_index: number
      partial_signatures: { share_index: number; signature: string }[]
    }
    public_shares: string[]
    golden_deposit: { partial_signatures: { share_index: number; signature: string }[] }
  }[]
}

describe('dvt-exit sidecar', () => {
  let folder: string
  let relayer: RelayerDouble
  let beacon: BeaconDouble
  let log: TestLog
  let golden: Golden
  let stop: AbortController

  before(async () => {
    golden = JSON.parse(await readFile(fixture('obol-4n3t-hoodi.EXPECTED.json'), 'utf8')) as Golden
  })
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sidecar-command-'))
    log = new TestLog()
    stop = new AbortController()
    beacon = await new BeaconDouble(loadNetwork('hoodi')).start()
    beacon.length = 1_200_000
    const exits = golden.validators.map(({ distributed_public_key, golden_exit }) => ({
      public_key: distributed_public_key,
      validator_index: golden_exit.validator_index,
      is_exit_signature_ready: false,
      share_indexes_ready: [],
    }))
    relayer = await new RelayerDouble(({ method, path }) => {
      if (path === '/info') return { body: { network: 'hoodi' } }
      if (path === '/validators') return undefined
      return method === 'GET' ? { body: { exits } } : {}
    }).start()
  })
  afterEach(async () => {
    stop.abort()
    await Promise.all([relayer.stop(), beacon.stop()])
    useCanary().noteText('the log', log.lines.join(''))
    useCanary().noteFolder(folder)
    await rm(folder, { recursive: true })
  })

  /** A sidecar beside Charon's node 1, with these changes of its environment. */
  function run(env: Record<string, string | undefined>, flags: Record<string, unknown> = {}): Promise<void> {
    const values = readOptions(
      { ...sidecarOptions, ...obolOptions, ...ssvOptions },
      {
        flags,
        env: {
          NETWORK: 'hoodi',
          CLUSTER_TYPE: 'obol',
          RELAYER_ENDPOINT: relayer.url,
          CONSENSUS_ENDPOINT: beacon.url,
          OBOL_KEYSTORES_DIR: fixture('obol-4n3t-hoodi/node1/validator_keys'),
          AUDIT_LOG: join(folder, 'audit.log'),
          POLL_INTERVAL: '0.05',
          ...env,
        },
      },
    )
    return runSidecar(undefined, values, { signal: stop.signal, logger: log.logger })
  }
  async function refusal(env: Record<string, string | undefined>): Promise<string> {
    try {
      await run(env)
    } catch (error) {
      expect(exitCodeOf(error)).to.equal(2)
      return describeError(error)
    }
    throw new Error('it started')
  }
  const posts = () => relayer.to('POST', '/exit-signature').map(({ body }) => JSON.parse(body) as PostedBody)
  const goldenShares = (shareIndex: number) =>
    golden.validators.map(({ distributed_public_key, golden_exit }) => ({
      public_key: distributed_public_key,
      exit_signature: golden_exit.partial_signatures.find(({ share_index }) => share_index === shareIndex)
        ?.signature,
    }))

  it('posts Charon’s golden shares, says with what it runs, and stops when told to', async () => {
    const running = run({})
    await until(() => posts().length > 1, 'two posts')
    stop.abort()
    await running
    expect(posts()[0]).to.deep.equal({ share_index: 2, shares: goldenShares(2) })
    expect(beacon.questions).to.equal(2)
    const start = log.messages('info').find((message) => message.includes('; relayer '))
    expect(start)
      .to.include('share index 2, 2 key shares')
      .and.to.include(`relayer ${relayer.url}`)
      .and.to.include('checked against the beacon chain')
  })

  it('posts Charon’s golden shares of exits and deposits to the vaults of SIDECAR_VAULTS', async () => {
    const validators = golden.validators.map(({ distributed_public_key, golden_exit }) => ({
      public_key: distributed_public_key,
      validator_index: golden_exit.validator_index,
      vault: VAULT,
      amount: 32_000_000_000,
      validator_type: '0x01',
      is_signatures_ready: false,
      share_indexes_ready: [],
    }))
    relayer.respond = ({ method, path }) => {
      if (path === '/info') return { body: { network: 'hoodi' } }
      if (path !== '/validators') return path === '/signatures' ? {} : undefined
      return method === 'GET' ? { body: { validators } } : undefined
    }
    const other = `0x${'cc'.repeat(20)}`
    const running = run({ SIDECAR_VAULTS: ` ${VAULT}, ${other} ` })
    await until(() => relayer.to('POST', '/signatures').length > 0, 'a post')
    stop.abort()
    await running
    const body: unknown = JSON.parse(relayer.to('POST', '/signatures')[0]?.body ?? '')
    const shareOf = (signatures: Golden['validators'][0]['golden_exit']['partial_signatures']) =>
      signatures.find(({ share_index }) => share_index === 2)?.signature
    expect(body).to.deep.equal({
      share_index: 2,
      shares: golden.validators.map((validator) => ({
        public_key: validator.distributed_public_key,
        public_key_shares: validator.public_shares.map((public_key_share, i) => ({
          share_index: i + 1,
          public_key_share,
        })),
        exit_signature: shareOf(validator.golden_exit.partial_signatures),
        deposit_signature: shareOf(validator.golden_deposit.partial_signatures),
      })),
    })
    expect(log.messages('info').join()).to.include(`deposits to ${VAULT.toLowerCase()}, ${other} alone`)
  })

  it('acts for several nodes with a template', async () => {
    const running = run({
      OBOL_KEYSTORES_DIR: undefined,
      OBOL_KEYSTORES_DIR_TEMPLATE: fixture('obol-4n3t-hoodi/node{node_index}/validator_keys'),
      OBOL_NODE_INDEXES: '0,1,3',
    })
    await until(() => posts().length >= 3, 'three posts')
    stop.abort()
    await running
    const first = posts().slice(0, 3)
    expect(first).to.deep.equal(
      [1, 2, 4].map((index) => ({ share_index: index, shares: goldenShares(index) })),
    )
  })

  it('refuses an active validator and an index that exists, unless a key is allowed', async () => {
    const [a, b] = golden.validators
    if (a === undefined || b === undefined) throw new Error('two validators are needed')
    beacon.known.set(a.distributed_public_key, 5)
    beacon.length = b.golden_exit.validator_index + 1
    const running = run({}, { 'allow-active': [b.distributed_public_key.toUpperCase().replace('0X', '0x')] })
    await until(() => posts().length > 0, 'a post')
    stop.abort()
    await running
    expect(posts()[0]?.shares).to.deep.equal(goldenShares(2).slice(1))
    const audit = await readFile(join(folder, 'audit.log'), 'utf8')
    expect(audit).to.match(/"verdict":"refused","reason":"validator-exists"/)
    expect(audit).to.match(/"verdict":"signed","reason":"allow-active"/)
  })

  it('signs nothing while the beacon node syncs or is optimistic', async () => {
    beacon.syncing = true
    const running = run({})
    await until(() => relayer.to('GET', '/exits').length > 3, 'some polls')
    stop.abort()
    await running
    expect(posts()).to.have.length(0)
    expect(log.messages('warn').some((message) => message.includes('not in sync'))).to.equal(true)

    stop = new AbortController()
    beacon.syncing = false
    beacon.optimistic = true
    relayer.requests.length = 0
    const again = run({})
    await until(() => relayer.to('GET', '/exits').length > 3, 'some polls')
    stop.abort()
    await again
    expect(posts()).to.have.length(0)
  })

  it('wants a beacon node, or to be told that it goes without', async () => {
    const text = await refusal({ CONSENSUS_ENDPOINT: undefined })
    expect(text).to.include('UNCHECKED_EXITS=true').and.to.include('CONSENSUS_ENDPOINT')
    const running = run({ CONSENSUS_ENDPOINT: undefined, UNCHECKED_EXITS: 'true' })
    await until(() => posts().length > 0, 'a post')
    stop.abort()
    await running
    expect(log.messages('info').join()).to.include('NOT checked')
    expect(beacon.questions).to.equal(0)
  })

  it('refuses what does not fit, in one line each', async () => {
    const other = await new BeaconDouble(loadNetwork('mainnet')).start()
    const unwritable = join(folder, 'file')
    await writeFile(unwritable, '')
    const cases: [env: Record<string, string | undefined>, expected: string][] = [
      [{ CONSENSUS_ENDPOINT: other.url }, 'another network'],
      [{ NETWORK: 'nowhere' }, 'unknown network nowhere'],
      [{ RELAYER_ENDPOINT: undefined }, '--relayer-endpoint is missing'],
      [{ RELAYER_ENDPOINT: 'http://192.0.2.1:8000' }, '--allow-plain-http'],
      [{ RELAYER_TOKEN_FILE: join(folder, 'none') }, 'RELAYER_TOKEN_FILE'],
      [{ AUDIT_LOG: join(unwritable, 'audit.log') }, 'AUDIT_LOG'],
      [{ ALLOW_ACTIVE: '0x1234' }, 'ALLOW_ACTIVE: expected BLS public keys'],
      [{ CLUSTER_TYPE: undefined }, 'CLUSTER_TYPE'],
      [{ CLUSTER_TYPE: 'lodestar' }, 'expected one of obol, ssv'],
      [{ SIDECAR_VAULTS: '0x1234' }, 'SIDECAR_VAULTS: expected an address of 20 bytes, got "0x1234"'],
      [
        { SIDECAR_VAULTS: `${VAULT},${VAULT.replace('0xba', '0xBa')}` },
        'SIDECAR_VAULTS: the checksum of 0xBa',
      ],
      [{ SIDECAR_VAULTS: ',' }, 'SIDECAR_VAULTS: expected at least one address'],
      [{ OBOL_KEYSTORES_DIR: folder }, folder],
      [{ POLL_INTERVAL: '0' }, 'POLL_INTERVAL: expected seconds'],
      [{ MAX_EXITS_PER_HOUR: '-1' }, 'MAX_EXITS_PER_HOUR'],
    ]
    try {
      for (const [env, expected] of cases) expect(await refusal(env)).to.include(expected)
    } finally {
      await other.stop()
    }
    relayer.respond = () => ({ body: { network: 'mainnet' } })
    expect(await refusal({})).to.include('works for mainnet, this sidecar for hoodi')
  })
})
