import { readFile, stat } from 'node:fs/promises'
import { expect } from 'chai'
import { AuditLog } from '../../../adapters/sidecar/audit-log.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { A, B, C, HOUR, KEYS, network, node, SidecarBench } from './sidecar-bench.js'

describe('Sidecar, what it trusts', () => {
  let bench: SidecarBench
  beforeEach(async () => {
    bench = await new SidecarBench().start()
  })
  afterEach(() => bench.stop())

  describe('trusts nobody about an index', () => {
    it('refuses the exit of an active validator: audit line, nothing posted for it, the others go on', async () => {
      bench.registry.keys.add(B)
      const running = await bench.sidecar([node(1)])
      await bench.round(running)
      await bench.round(running)
      expect(bench.postedKeys()).to.deep.equal([
        [A, C],
        [A, C],
      ])
      const lines = await bench.auditLines()
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
      expect(bench.log.messages('warn')).to.have.length(1)
      expect(bench.log.messages('warn')[0]).to.include(`--allow-active ${B}`)
    })

    it('refuses an index that exists', async () => {
      bench.registry.length = 1001
      await bench.round(await bench.sidecar([node(1)]))
      expect(bench.postedKeys()).to.deep.equal([[B, C]])
      expect((await bench.auditLines()).find(({ verdict }) => verdict === 'refused')).to.include({
        public_key: A,
        validator_index: 1000,
        reason: 'index-exists',
      })
    })

    it('refuses an index that can never be, without asking', async () => {
      bench.wanted = [{ publicKey: A, validatorIndex: 2 ** 41 }]
      await bench.round(await bench.sidecar([node(1)]))
      expect(bench.posts()).to.have.length(0)
      expect((await bench.auditLines())[0]).to.include({ verdict: 'refused', reason: 'impossible-index' })
      expect(bench.registry.questions).to.have.length(0)
    })

    it('asks again before each new signing: what was safe may not be any more', async () => {
      const running = await bench.sidecar([node(1)])
      await bench.round(running)
      bench.registry.keys.add(A)
      bench.wanted = [
        { publicKey: A, validatorIndex: 1005 },
        { publicKey: B, validatorIndex: 1005 },
      ]
      await bench.round(running)
      expect(bench.postedKeys()[1]).to.deep.equal([B])
    })

    it('asks again about a refused exit only after a while, and adds no second line', async () => {
      bench.registry.keys.add(A)
      bench.wanted = [{ publicKey: A, validatorIndex: 1000 }]
      const running = await bench.sidecar([node(1)])
      for (let i = 0; i < 5; i++) await bench.round(running)
      expect(bench.registry.questions).to.have.length(1)
      bench.clock.advance(HOUR / 2)
      await bench.round(running)
      expect(bench.registry.questions).to.have.length(2)
      await bench.round(await bench.sidecar([node(1)]))
      expect(await bench.auditLines()).to.have.length(1)
    })

    it('signs for a key of --allow-active all the same', async () => {
      bench.registry.keys.add(A)
      bench.registry.length = 5000
      await bench.round(
        await bench.sidecar([node(1)], { rules: { registry: bench.registry, allowActive: new Set([A]) } }),
      )
      expect(bench.postedKeys()).to.deep.equal([[A]])
      expect((await bench.auditLines())[0]).to.include({ verdict: 'signed', reason: 'allow-active' })
    })

    it('without a bench.registry signs everything and says so in the audit log', async () => {
      await bench.round(await bench.sidecar([node(1)], { rules: { allowActive: new Set() } }))
      expect((await bench.auditLines()).map(({ reason }) => reason)).to.deep.equal([
        'unchecked',
        'unchecked',
        'unchecked',
      ])
    })

    it('signs nothing while the beacon node is away, says it once, and goes on when it is back', async () => {
      bench.registry.down = true
      const signer = node(1)
      const running = await bench.sidecar([signer])
      for (let i = 0; i < 4; i++) {
        await bench.round(running)
        bench.clock.advance(2000)
      }
      expect(bench.posts()).to.have.length(0)
      expect(signer.signed).to.have.length(0)
      expect(bench.log.messages('warn')).to.have.length(1)
      expect(bench.log.messages('warn')[0]).to.include('syncing')
      bench.registry.down = false
      bench.clock.advance(120_000)
      await bench.round(running)
      expect(bench.postedKeys()).to.deep.equal([[A, B, C]])
      expect(bench.log.messages('info')).to.include('the beacon node answers again')
    })
  })

  describe('the audit log', () => {
    it('has each signature before it leaves, never the signature, and is private', async () => {
      let linesAtPost = 0
      const respond = bench.relayer.respond
      bench.relayer.respond = async (request) => {
        if (request.path === '/exit-signature') linesAtPost = (await bench.auditLines()).length
        return respond(request)
      }
      await bench.round(await bench.sidecar([node(1)]))
      expect(linesAtPost).to.equal(3)
      expect((await bench.auditLines())[0]).to.have.all.keys(
        'time',
        'verdict',
        'reason',
        'public_key',
        'validator_index',
        'epoch',
        'signing_root',
        'share_index',
      )
      const text = (await readFile(bench.auditFile, 'utf8')) + bench.log.lines.join()
      for (const { exit_signature } of bench.posts()[0]?.shares ?? []) {
        expect(text).to.not.include(exit_signature.slice(2, 40))
      }
      expect((await stat(bench.auditFile)).mode & 0o777).to.equal(0o600)
    })

    it('that cannot be written keeps everything back', async () => {
      let full = true
      const audit = new AuditLog(bench.auditFile)
      const append = async (entries: Parameters<AuditLog['append']>[0]) => {
        if (full) throw new Error('no space left on device')
        await audit.append(entries)
      }
      const running = await bench.sidecar([node(1)], { audit: { append } })
      await bench.round(running)
      await bench.round(running)
      expect(bench.posts()).to.have.length(0)
      expect(bench.log.messages('error')).to.deep.equal(['no space left on device'])
      full = false
      await bench.round(running)
      expect(bench.postedKeys()).to.deep.equal([[A, B, C]])
    })
  })

  describe('the limit of new exits in an hour', () => {
    it('keeps the rest waiting, also over a restart, and lets it go on later', async () => {
      const running = await bench.sidecar([node(1)], { maxPerHour: 2 })
      await bench.round(running)
      await bench.round(running)
      expect(bench.postedKeys()).to.deep.equal([
        [A, B],
        [A, B],
      ])
      expect(bench.log.messages('warn')).to.have.length(1)
      expect(bench.log.messages('warn')[0]).to.include('MAX_EXITS_PER_HOUR')

      bench.clock.advance(HOUR / 2)
      bench.relayer.requests.length = 0
      await bench.round(await bench.sidecar([node(1)], { maxPerHour: 2 }))
      expect(bench.postedKeys(), 'after a restart only what was signed before').to.deep.equal([[A, B]])

      bench.clock.advance(HOUR / 2)
      bench.relayer.requests.length = 0
      await bench.round(await bench.sidecar([node(1)], { maxPerHour: 3 }))
      expect(bench.postedKeys()).to.deep.equal([[A, B, C]])
    })

    it('counts an exit once, whichever nodes of the process sign it', async () => {
      await bench.round(await bench.sidecar([node(1), node(2), node(3)], { maxPerHour: 3 }))
      expect(bench.postedKeys()).to.deep.equal([KEYS, KEYS, KEYS])
      expect(bench.log.messages('warn')).to.deep.equal([])
    })
  })
})
