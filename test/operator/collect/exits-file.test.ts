import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { DvtExitError } from '../../../core/errors.js'
import { type CollectedExits, writeExitsFile } from '../../../operator/collect/exits-file.js'

const exits: CollectedExits = {
  validator_index: 1005,
  public_keys: ['0xaa', '0xbb'],
  deposit_signatures: ['0xcc', '0xdd'],
  public_key_shards: [['0x01'], ['0x02']],
  exit_signature_shards: [['0x03'], ['0x04']],
}

describe('the file of collected exits', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'exits-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('holds the fields of an oracle’s request, for its owner alone', async () => {
    const file = join(folder, 'exits.json')
    await writeExitsFile(file, exits)
    expect(JSON.parse(await readFile(file, 'utf8'))).to.deep.equal(exits)
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    expect(await readdir(folder)).to.deep.equal(['exits.json'])
  })

  it('replaces an older one and what a killed run left', async () => {
    const file = join(folder, 'exits.json')
    await writeFile(file, 'old', { mode: 0o644 })
    await writeFile(join(folder, '.exits.json.tmp'), 'half of it', { mode: 0o644 })
    await writeExitsFile(file, exits)
    expect(JSON.parse(await readFile(file, 'utf8'))).to.deep.equal(exits)
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    expect(await readdir(folder)).to.deep.equal(['exits.json'])
  })

  it('that cannot be written says where', async () => {
    let error: unknown
    await writeExitsFile(join(folder, 'none', 'exits.json'), exits).catch((thrown) => {
      error = thrown
    })
    expect(error).to.be.instanceOf(DvtExitError)
    expect(error).to.include({ code: 'OUTPUT_FAILED' })
    expect((error as DvtExitError).message).to.include(join(folder, 'none', 'exits.json'))
  })
})
