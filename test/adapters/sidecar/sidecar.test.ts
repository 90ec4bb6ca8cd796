import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { AuditLog } from '../../../adapters/sidecar/audit-log.js'
import type { ExitRequest, ValidatorRegistry } from '../../../adapters/sidecar/exit-check.js'
import { Sidecar, type SidecarParts } from '../../../adapters/sidecar/sidecar.js'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import { RelayerClient } from '../../../core/clients/relayer.js'
import { ConfigurationError, describeError, UnavailableError } from '../../../core/errors.js'
import { fromHex, type PublicKeyHex } from '../../../core/hex.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../../core/network.js'
import type { ExitSigner } from '../../../core/signer.js'
import { TestClock } from '../../doubles/clock.js'
import { TestLog } from '../../doubles/log.js'
import { RelayerDouble } from '../../doubles/relayer.js'
import { TestSigner } from '../../doubles/signer.js'
import { comparable, readRecording } from '../../doubles/wire-recordings.js'

const network = loadNetwork('hoodi')
const HOUR = 3_600_000

interface PostedBody {
  share_index: number
  shares: { public_key: PublicKeyHex; exit_signature: string }[]
}

/** The distributed validators of the recordings: four nodes; the first three validators are used. */
const cluster = JSON.parse(
  await readFile(new URL('../../fixtures/wire/keys.json', import.meta.url), 'utf8'),
) as { validators: { public_key: PublicKeyHex; shares: { index: number; sk: string; pk: string }[] }[] }
const KEYS = cluster.validators.slice(0, 3).map(({ public_key }) => public_key)
const [A, B, C] = KEYS as [PublicKeyHex, PublicKeyHex, PublicKeyHex]

function node(index: number, sharesOf = index): TestSigner {
  const secret = (shares: { index: number; sk: string }[]) =>
    shares.find((share) => share.index === sharesOf)?.sk ?? ''
  return new TestSigner(
    network,
    BigInt(index),
    cluster.validators.map(({ public_key, shares }) => [public_key, secret(shares)] as const),
  )
}

/** A beacon node's head state: keys and how many validators there are. */
class Registry implements ValidatorRegistry {
  readonly keys = new Set<PublicKeyHex>()
  length = 1000
  down = false
  questions: { publicKeys: readonly PublicKeyHex[]; indexes: readonly number[] }[] = []

  async knownValidators(publicKeys: readonly PublicKeyHex[], indexes: readonly number[]) {
    this.questions.push({ publicKeys, indexes })
    if (this.down) throw new UnavailableError('BEACON_SYNCING', 'the beacon node is syncing')
    return {
      publicKeys: new Set(publicKeys.filter((key) => this.keys.has(key))),
      indexes: new Set(indexes.filter((index) => index < this.length)),
    }
  }
}

describe('Sidecar', () => {
  let folder: string
  let double: RelayerDouble
  let registry: Registry
  let clock: TestClock
  let log: TestLog
  let wanted: (ExitRequest & { ready?: boolean; shares?: (number | string)[] })[]
  let rejectedKeys: Set<string>
  const stop = new AbortController()

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sidecar-'))
    registry = new Registry()
    clock = new TestClock()
    log = new TestLog()
    rejectedKeys = new Set()
    wanted = KEYS.map((publicKey, i) => ({ publicKey, validatorIndex: 1000 + i }))
    double = await new RelayerDouble(({ method, path, body }) => {
      if (path === '/info') return { body: { network: 'hoodi' } }
      if (method === 'GET' && path === '/exits') return { body: { exits: wanted.map(listed) } }
      if (path !== '/exit-signature') return undefined
      const { shares } = JSON.parse(body) as PostedBody
      const rejected = shares.filter(({ public_key }) => rejectedKeys.has(public_key))
      return {
        body: { rejected: rejected.map(({ public_key }) => ({ public_key, reason: 'wrong-signature' })) },
      }
    }).start()
  })
  afterEach(async () => {
    await double.stop()
    await rm(folder, { recursive: true })
  })

  const listed = ({ publicKey, validatorIndex, ready = false, shares = [] }: (typeof wanted)[number]) => ({
    public_key: publicKey,
    validator_index: validatorIndex,
    is_exit_signature_ready: ready,
    share_indexes_ready: shares,
  })

  const auditFile = () => join(folder, 'audit.log')
  async function sidecar(signers: ExitSigner[], changes: Partial<SidecarParts> = {}): Promise<Sidecar> {
    const audit = new AuditLog(auditFile())
    return new Sidecar({
      signers,
      relayer: new RelayerClient(double.url),
      network,
      rules: { registry, allowActive: new Set() },
      audit,
      past: await audit.entriesSince(clock.now() - HOUR),
      maxPerHour: 1000,
      pollInterval: 2000,
      clock,
      logger: log.logger,
      random: () => 0.5,
      ...changes,
    })
  }
  const round = (of: Sidecar) => of.round(stop.signal)
  const posts = () => double.to('POST', '/exit-signature').map(({ body }) => JSON.parse(body) as PostedBody)
  const postedKeys = () => posts().map(({ shares }) => shares.map(({ public_key }) => public_key))
  const auditLines = async () =>
    (await readFile(auditFile(), 'utf8'))
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  describe('signs and posts', () => {
    it('its share of every wanted exit, right under its public share', async () => {
      await round(await sidecar([node(2)]))
      expect(posts()).to.have.length(1)
      const [post] = posts()
      expect(post?.share_index).to.equal(2)
      for (const [i, { public_key, exit_signature }] of (post?.shares ?? []).entries()) {
        const share = cluster.validators[i]?.shares.find(({ index }) => index === 2)
        expect(public_key).to.equal(KEYS[i])
        const message = voluntaryExitSigningRoot(network, presignedExit(network, 1000 + i))
        const publicKey = parsePublicKey(share?.pk ?? '')
        const signature = parseSignature(exit_signature)
        expect(bls.verify({ message, publicKey, signature })).to.equal(true)
      }
      expect(post?.shares).to.have.length(3)
    })

    it('as the recorded Python sidecars do, over their sessions', async () => {
      for (const name of [
        'sidecar-v0.4.4-obol',
        'sidecar-v0.4.4-ssv',
        'sidecar-v1.0.1-obol',
        'sidecar-v1.0.1-ssv',
      ]) {
        const recording = readRecording(name)
        const session = recording.slice(0, 7)
        const signature = new Map(
          session.flatMap(({ request }) =>
            request.method === 'POST'
              ? (JSON.parse(request.body ?? '') as PostedBody).shares.map(
                  (share) => [share.public_key, fromHex(share.exit_signature)] as const,
                )
              : [],
          ),
        )
        const shareIndex = name.includes('ssv') ? 101 : 1
        const signer = new TestSigner(
          network,
          BigInt(shareIndex),
          [...signature.keys()].map((key) => [key, '01'.repeat(32)] as const),
        )
        signer.signExit = async (key) => signature.get(key) ?? new Uint8Array()
        double.requests.length = 0
        double.respond = ({ method, path }) =>
          session.find(({ request }) => request.method === method && request.path === path)?.response
        const end = new AbortController()
        clock = new TestClock()
        clock.onPause = (count) => count === 3 && end.abort()
        const own = loadNetwork(name.includes('v1') ? 'hoodi' : 'mainnet')

        await (await sidecar([signer], { network: own })).run(end.signal)

        expect(double.requests.map(comparable)).to.deep.equal(
          session.map(({ request }) => comparable(request)),
        )
        expect(clock.pauses).to.deep.equal([2000, 2000, 2000])
      }
    })

    it('nothing for exits that are ready, have its share, or whose key it does not hold', async () => {
      wanted = [
        { publicKey: A, validatorIndex: 1000, ready: true },
        { publicKey: B, validatorIndex: 1001, shares: [1, 2] },
        { publicKey: `0x${'aa'.repeat(48)}`, validatorIndex: 1002 },
      ]
      await round(await sidecar([node(2)]))
      expect(double.requests.map(({ path }) => path)).to.deep.equal(['/exits'])
      expect(registry.questions).to.have.length(0)
    })

    it('again what the relayer lost, without asking the beacon node or signing anew', async () => {
      const signer = node(2)
      const running = await sidecar([signer])
      await round(running)
      wanted = wanted.map((exit) => ({ ...exit, shares: [2] }))
      await round(running)
      expect(posts()).to.have.length(1)
      wanted = wanted.map((exit) => ({ ...exit, shares: [] }))
      await round(running)
      expect(posts()[1]).to.deep.equal(posts()[0])
      expect(signer.signed).to.have.length(3)
      expect(registry.questions).to.have.length(1)
      expect(await auditLines()).to.have.length(3)
    })

    it('for several nodes in one process, with one question to the beacon node', async () => {
      await round(await sidecar([node(1), node(2), node(3)]))
      expect(posts().map(({ share_index }) => share_index)).to.deep.equal([1, 2, 3])
      expect(registry.questions).to.deep.equal([{ publicKeys: KEYS, indexes: [1000, 1001, 1002] }])
    })

    it('a new index of a key beside the old one', async () => {
      const running = await sidecar([node(1)])
      await round(running)
      wanted = [{ publicKey: A, validatorIndex: 1005 }]
      await round(running)
      expect(postedKeys()[1]).to.deep.equal([A])
      expect(posts()[1]?.shares[0]?.exit_signature).to.not.equal(posts()[0]?.shares[0]?.exit_signature)
    })

    it('with the new share after the cluster changed', async () => {
      const signer = node(1)
      const running = await sidecar([signer])
      await round(running)
      signer.replaceShare(A, cluster.validators[0]?.shares[3]?.sk ?? '')
      await round(running)
      expect(posts()[1]?.shares[0]?.exit_signature).to.not.equal(posts()[0]?.shares[0]?.exit_signature)
    })
  })

  describe('what one bad item does to the others: nothing', () => {
    it('a key whose signing fails is logged once, the rest is posted', async () => {
      const signer = node(1)
      signer.broken.add(B)
      const running = await sidecar([signer])
      await round(running)
      await round(running)
      expect(postedKeys()[0]).to.deep.equal([A, C])
      expect(log.messages('error')).to.deep.equal(['cannot sign an exit: this node has no share of that key'])
      expect(await auditLines()).to.have.length(2)
    })

    it('a rejected share is logged with its reason, kept back for a minute, then made and posted again', async () => {
      rejectedKeys.add(B)
      const signer = node(1)
      const running = await sidecar([signer])
      await round(running)
      await round(running)
      clock.advance(60_000)
      await round(running)
      expect(postedKeys()).to.deep.equal([
        [A, B, C],
        [A, C],
        [A, C, B],
      ])
      expect(log.messages('warn')).to.deep.equal(['the relayer rejected a share: wrong-signature'])
      expect(signer.signed.filter((exit) => exit.startsWith(B))).to.have.length(2)
    })

    it('a batch that the relayer answers 422 to is posted in halves until the bad item stands alone', async () => {
      const respond = double.respond
      double.respond = (request) =>
        request.path === '/exit-signature' && request.body.includes(B)
          ? { status: 422, body: { detail: [{ loc: ['body'], msg: 'bad share', type: 'x' }] } }
          : respond(request)
      const running = await sidecar([node(1)])
      await round(running)
      await round(running)
      expect(postedKeys().filter((keys) => !keys.includes(B))).to.deep.equal([[A], [C], [A, C]])
      expect(log.messages('warn')).to.have.length(1)
      expect(log.messages('warn')[0]).to.include('bad share')
    })

    it('a node that is refused does not stop the other nodes', async () => {
      const respond = double.respond
      double.respond = (request) =>
        request.body.includes('"share_index":1,')
          ? { status: 403, body: { detail: 'this token is for share index 2' } }
          : respond(request)
      const running = await sidecar([node(1), node(2)])
      let refusal: unknown
      await round(running).catch((error) => {
        refusal = error
      })
      expect(describeError(refusal)).to.include('this token is for share index 2')
      expect(posts().map(({ share_index }) => share_index)).to.deep.equal([1, 2])
    })
  })

  describe('trusts nobody about an index', () => {
    it('refuses the exit of an active validator: audit line, nothing posted for it, the others go on', async () => {
      registry.keys.add(B)
      const running = await sidecar([node(1)])
      await round(running)
      await round(running)
      expect(postedKeys()).to.deep.equal([
        [A, C],
        [A, C],
      ])
      const lines = await auditLines()
      expect(lines.filter(({ verdict }) => verdict === 'refused')).to.deep.equal([
        {
          time: '2026-11-20T10:15:00.000Z',
          verdict: 'refused',
          reason: 'validator-exists',
          public_key: B,
          validator_index: 1001,
          epoch: 0,
          signing_root: `0x${Buffer.from(voluntaryExitSigningRoot(network, presignedExit(network, 1001))).toString('hex')}`,
          share_index: 1,
        },
      ])
      expect(log.messages('warn')).to.have.length(1)
      expect(log.messages('warn')[0]).to.include(`--allow-active ${B}`)
    })

    it('refuses an index that exists', async () => {
      registry.length = 1001
      await round(await sidecar([node(1)]))
      expect(postedKeys()).to.deep.equal([[B, C]])
      expect((await auditLines()).find(({ verdict }) => verdict === 'refused')).to.include({
        public_key: A,
        validator_index: 1000,
        reason: 'index-exists',
      })
    })

    it('refuses an index that can never be, without asking', async () => {
      wanted = [{ publicKey: A, validatorIndex: 2 ** 41 }]
      await round(await sidecar([node(1)]))
      expect(posts()).to.have.length(0)
      expect((await auditLines())[0]).to.include({ verdict: 'refused', reason: 'impossible-index' })
      expect(registry.questions).to.have.length(0)
    })

    it('asks again before each new signing: what was safe may not be any more', async () => {
      const running = await sidecar([node(1)])
      await round(running)
      registry.keys.add(A)
      wanted = [
        { publicKey: A, validatorIndex: 1005 },
        { publicKey: B, validatorIndex: 1005 },
      ]
      await round(running)
      expect(postedKeys()[1]).to.deep.equal([B])
    })

    it('asks again about a refused exit only after a while, and adds no second line', async () => {
      registry.keys.add(A)
      wanted = [{ publicKey: A, validatorIndex: 1000 }]
      const running = await sidecar([node(1)])
      for (let i = 0; i < 5; i++) await round(running)
      expect(registry.questions).to.have.length(1)
      clock.advance(HOUR / 2)
      await round(running)
      expect(registry.questions).to.have.length(2)
      await round(await sidecar([node(1)]))
      expect(await auditLines()).to.have.length(1)
    })

    it('signs for a key of --allow-active all the same', async () => {
      registry.keys.add(A)
      registry.length = 5000
      await round(await sidecar([node(1)], { rules: { registry, allowActive: new Set([A]) } }))
      expect(postedKeys()).to.deep.equal([[A]])
      expect((await auditLines())[0]).to.include({ verdict: 'signed', reason: 'allow-active' })
    })

    it('without a registry signs everything and says so in the audit log', async () => {
      await round(await sidecar([node(1)], { rules: { allowActive: new Set() } }))
      expect((await auditLines()).map(({ reason }) => reason)).to.deep.equal([
        'unchecked',
        'unchecked',
        'unchecked',
      ])
    })

    it('signs nothing while the beacon node is away, says it once, and goes on when it is back', async () => {
      registry.down = true
      const signer = node(1)
      const running = await sidecar([signer])
      for (let i = 0; i < 4; i++) {
        await round(running)
        clock.advance(2000)
      }
      expect(posts()).to.have.length(0)
      expect(signer.signed).to.have.length(0)
      expect(log.messages('warn')).to.have.length(1)
      expect(log.messages('warn')[0]).to.include('syncing')
      registry.down = false
      clock.advance(120_000)
      await round(running)
      expect(postedKeys()).to.deep.equal([[A, B, C]])
      expect(log.messages('info')).to.include('the beacon node answers again')
    })
  })

  describe('the audit log', () => {
    it('has each signature before it leaves, never the signature, and is private', async () => {
      let linesAtPost = 0
      const respond = double.respond
      double.respond = async (request) => {
        if (request.path === '/exit-signature') linesAtPost = (await auditLines()).length
        return respond(request)
      }
      await round(await sidecar([node(1)]))
      expect(linesAtPost).to.equal(3)
      expect((await auditLines())[0]).to.have.all.keys(
        'time',
        'verdict',
        'reason',
        'public_key',
        'validator_index',
        'epoch',
        'signing_root',
        'share_index',
      )
      const text = (await readFile(auditFile(), 'utf8')) + log.lines.join()
      for (const { exit_signature } of posts()[0]?.shares ?? []) {
        expect(text).to.not.include(exit_signature.slice(2, 40))
      }
      expect((await stat(auditFile())).mode & 0o777).to.equal(0o600)
    })

    it('that cannot be written keeps everything back', async () => {
      let full = true
      const audit = new AuditLog(auditFile())
      const append = async (entries: Parameters<AuditLog['append']>[0]) => {
        if (full) throw new Error('no space left on device')
        await audit.append(entries)
      }
      const running = await sidecar([node(1)], { audit: { append } })
      await round(running)
      await round(running)
      expect(posts()).to.have.length(0)
      expect(log.messages('error')).to.deep.equal(['no space left on device'])
      full = false
      await round(running)
      expect(postedKeys()).to.deep.equal([[A, B, C]])
    })
  })

  describe('the limit of new exits in an hour', () => {
    it('keeps the rest waiting, also over a restart, and lets it go on later', async () => {
      const running = await sidecar([node(1)], { maxPerHour: 2 })
      await round(running)
      await round(running)
      expect(postedKeys()).to.deep.equal([
        [A, B],
        [A, B],
      ])
      expect(log.messages('warn')).to.have.length(1)
      expect(log.messages('warn')[0]).to.include('MAX_EXITS_PER_HOUR')

      clock.advance(HOUR / 2)
      double.requests.length = 0
      await round(await sidecar([node(1)], { maxPerHour: 2 }))
      expect(postedKeys(), 'after a restart only what was signed before').to.deep.equal([[A, B]])

      clock.advance(HOUR / 2)
      double.requests.length = 0
      await round(await sidecar([node(1)], { maxPerHour: 3 }))
      expect(postedKeys()).to.deep.equal([[A, B, C]])
    })

    it('counts an exit once, whichever nodes of the process sign it', async () => {
      await round(await sidecar([node(1), node(2), node(3)], { maxPerHour: 3 }))
      expect(postedKeys()).to.deep.equal([KEYS, KEYS, KEYS])
      expect(log.messages('warn')).to.deep.equal([])
    })
  })

  describe('while the relayer is away', () => {
    it('waits longer and longer with jitter, says it once, and once when it is back', async () => {
      const end = new AbortController()
      let random = 0
      const respond = double.respond
      let away = true
      double.respond = (request) => (away ? { status: 502 } : respond(request))
      clock.onPause = (count) => {
        random = count % 2
        if (count === 7) away = false
        if (count === 9) end.abort()
      }
      await (await sidecar([node(1)], { random: () => random })).run(end.signal)
      expect(clock.pauses).to.deep.equal([1000, 6000, 4000, 24_000, 15_000, 45_000, 15_000, 2000, 2000])
      expect(log.messages('warn')).to.have.length(1)
      expect(log.messages('warn')[0]).to.include('HTTP 502')
      expect(log.messages('info').filter((message) => message.endsWith('is back'))).to.have.length(1)
      expect(postedKeys()[0]).to.deep.equal(KEYS)
    })

    it('also when it goes away between reading and posting', async () => {
      const end = new AbortController()
      const respond = double.respond
      let away = true
      double.respond = (request) =>
        away && request.method === 'POST' ? { status: 500, body: { detail: 'boom' } } : respond(request)
      clock.onPause = (count) => {
        if (count === 2) away = false
        if (count === 3) end.abort()
      }
      await (await sidecar([node(1)])).run(end.signal)
      expect(postedKeys()).to.deep.equal([KEYS, KEYS, KEYS])
      expect(log.messages('warn')).to.have.length(1)
    })
  })

  describe('at the start', () => {
    it('refuses a relayer of another network', async () => {
      double.respond = () => ({ body: { network: 'mainnet' } })
      let error: unknown
      await (await sidecar([node(1)])).run(stop.signal).catch((thrown) => {
        error = thrown
      })
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(error).to.include({ code: 'WRONG_NETWORK' })
      expect(describeError(error)).to.include('mainnet').and.to.include('hoodi')
    })

    it('refuses a relayer that refuses it', async () => {
      double.respond = () => ({ status: 401, body: { detail: 'no token' } })
      let error: unknown
      await (await sidecar([node(1)])).run(stop.signal).catch((thrown) => {
        error = thrown
      })
      expect(error).to.be.instanceOf(ConfigurationError)
      expect(describeError(error)).to.include('no token').and.to.include('RELAYER_TOKEN_FILE')
    })

    it('does nothing when it is stopped already', async () => {
      await (await sidecar([node(1)])).run(AbortSignal.abort())
      expect(double.requests).to.have.length(0)
    })
  })
})
