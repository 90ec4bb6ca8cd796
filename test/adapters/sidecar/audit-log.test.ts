import { appendFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type AuditEntry, AuditLog } from '../../../adapters/sidecar/audit-log.js'
import { DvtExitError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'

const START = Date.UTC(2026, 10, 20, 10)
const entry = (number: number, changes: Partial<AuditEntry> = {}): AuditEntry => ({
  time: START + number * 1000,
  verdict: 'signed',
  reason: 'not-on-chain',
  publicKey: `0x${number.toString(16).padStart(96, '0')}`,
  validatorIndex: number,
  epoch: 194_048,
  signingRoot: `0x${'12'.repeat(32)}` as Hex,
  shareIndex: 2n ** 64n - 1n,
  ...changes,
})

describe('AuditLog', () => {
  let folder: string
  let file: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'audit-'))
    file = join(folder, 'audit.log')
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('writes one line of JSON an entry, share indexes exact', async () => {
    await new AuditLog(file).append([entry(1), entry(2, { verdict: 'refused', reason: 'index-exists' })])
    const lines = (await readFile(file, 'utf8')).split('\n')
    expect(lines).to.have.length(3)
    expect(lines[0]).to.equal(
      `{"time":"2026-11-20T10:00:01.000Z","verdict":"signed","reason":"not-on-chain","public_key":"0x${'1'.padStart(96, '0')}","validator_index":1,"epoch":194048,"signing_root":"0x${'12'.repeat(32)}","share_index":18446744073709551615}`,
    )
    expect(lines[1]).to.include('"refused"')
  })

  it('never changes what stands there, and reads its tail back, the newest first', async () => {
    const log = new AuditLog(file)
    const entries = Array.from({ length: 1000 }, (_, i) => entry(i))
    await log.append(entries.slice(0, 500))
    const before = await readFile(file, 'utf8')
    await new AuditLog(file).append(entries.slice(500))
    expect((await readFile(file, 'utf8')).startsWith(before)).to.equal(true)

    const all = await log.entriesSince(START)
    expect(all.map(({ validatorIndex }) => validatorIndex)).to.deep.equal(
      entries.map(({ validatorIndex }) => validatorIndex).reverse(),
    )
    expect(all[0]).to.deep.equal({
      time: START + 999_000,
      verdict: 'signed',
      reason: 'not-on-chain',
      publicKey: entry(999).publicKey,
      validatorIndex: 999,
      shareIndex: 2n ** 64n - 1n,
    })
    const tail = await log.entriesSince(START + 990_000)
    expect(tail.map(({ validatorIndex }) => validatorIndex)).to.deep.equal([
      999, 998, 997, 996, 995, 994, 993, 992, 991, 990,
    ])
  })

  it('starts a new line after one that a crash tore, and skips that one', async () => {
    const log = new AuditLog(file)
    await log.append([entry(1)])
    await appendFile(file, '{"time":"2026-11-20T10:00:0')
    await log.append([entry(2)])
    expect((await log.entriesSince(0)).map(({ validatorIndex }) => validatorIndex)).to.deep.equal([2, 1])
  })

  it('goes on in a new file after the old one was moved away', async () => {
    const log = new AuditLog(file)
    await log.append([entry(1)])
    await rename(file, `${file}.1`)
    await log.append([entry(2)])
    expect(await log.entriesSince(0)).to.have.length(1)
  })

  it('that cannot be opened says so and what follows from it', async () => {
    await writeFile(join(folder, 'not-a-folder'), '')
    const log = new AuditLog(join(folder, 'not-a-folder', 'audit.log'))
    for (const action of [() => log.append([entry(1)]), () => log.entriesSince(0)]) {
      let error: unknown
      await action().catch((thrown) => {
        error = thrown
      })
      expect(error).to.be.instanceOf(DvtExitError)
      expect(error).to.include({ code: 'AUDIT_LOG_FAILED' })
      expect((error as DvtExitError).message).to.include(log.file)
    }
  })
})
