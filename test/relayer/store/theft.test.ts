import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { Secret } from '../../../core/secret.js'
import { ExitStore } from '../../../relayer/store/exit-store.js'
import { ShareCipher } from '../../../relayer/store/share-cipher.js'
import { failureOf } from '../../doubles/failure.js'
import { FilledDatabase } from '../maintenance/filled-database.js'

describe('a stolen database', () => {
  let filled: FilledDatabase
  beforeEach(async () => {
    filled = await FilledDatabase.create()
  })
  afterEach(() => filled.remove())

  /** The file, its log and its index of the log, freed pages included: all that a thief can copy. */
  const stolen = () =>
    ['', '-wal', '-shm', '-journal']
      .map((suffix) => `${filled.file}${suffix}`)
      .filter((file) => existsSync(file))
      .map((file) => ({ file, bytes: readFileSync(file) }))
  /** How something may stand in a file: raw, hex in both cases, and base64 at each of its three alignments. */
  const formsOf = (secret: Uint8Array): (Buffer | string)[] => {
    const bytes = Buffer.from(secret)
    const hex = bytes.toString('hex')
    // A part of 48 bytes is enough to be found, and does not hang on what stands around it.
    const parts = [0, 1, 2].flatMap((skip) =>
      (['base64', 'base64url'] as const).map((encoding) =>
        bytes.subarray(skip, skip + 48).toString(encoding),
      ),
    )
    return [bytes, bytes.subarray(0, 32), hex.slice(0, 64), hex.slice(0, 64).toUpperCase(), ...parts]
  }
  const findings = (secrets: readonly Uint8Array[]) =>
    stolen().flatMap(({ file, bytes }) =>
      secrets
        .flatMap((secret) => formsOf(secret))
        .filter((form) => bytes.includes(form))
        .map(() => file),
    )
  const exitShares = () => filled.posted.filter((_, i) => i % 2 === 0)

  it('shows no share: not in the file, not in the log, not where shares were deleted', async () => {
    expect(filled.posted).to.have.length(16)
    expect(stolen().map(({ file }) => file.slice(filled.file.length))).to.include.members(['', '-wal'])
    expect(findings(filled.posted)).to.deep.equal([])
    await filled.relayer.store.deleteKeys([filled.validators[0]?.validator.publicKey ?? '0x'])
    expect(findings(filled.posted)).to.deep.equal([])
    await filled.close()
    expect(findings(filled.posted)).to.deep.equal([])
  })

  it('shows no whole exit signature and no part of an oracle', async () => {
    const signatures = filled.wholeExitSignatures()
    const answers = await filled.ask()
    const parts = answers.flatMap(({ oracleShares }) => filled.openParts(oracleShares))
    expect(parts).to.have.length(6)
    expect(findings([...signatures, ...parts])).to.deep.equal([])
  })

  it('finds what is there, so that the search is one', async () => {
    const [share] = exitShares()
    if (share === undefined) throw new Error('no share')
    for (const form of formsOf(share)) {
      const text = typeof form === 'string' ? `'${form}'` : `x'${form.toString('hex')}'`
      filled.tamper(`INSERT INTO checkpoints VALUES ('leak ${randomBytes(4).toString('hex')}', ${text})`)
      expect(findings([share])).not.to.deep.equal([])
      filled.tamper(`DELETE FROM checkpoints WHERE name LIKE 'leak%'`)
    }
  })

  it('keeps nothing of a deleted share, sealed or not, in the file that stays', async () => {
    const sealed = async () => {
      const rows = await filled.relayer.database.selectFrom('signature_shares').select('sealed').execute()
      return rows.map((row) => Buffer.from(row.sealed))
    }
    const before = await sealed()
    await filled.relayer.store.deleteKeys(filled.validators.map(({ validator }) => validator.publicKey))
    expect(await sealed()).to.have.length(0)
    await filled.close()
    const bytes = readFileSync(filled.file)
    expect(before).to.have.length(16)
    expect(before.filter((row) => bytes.includes(row))).to.have.length(0)
  })

  it('is not opened with another key', async () => {
    const cipher = new ShareCipher(new Secret(new Uint8Array(randomBytes(32))))
    const failure = await failureOf(ExitStore.open(filled.relayer.database, cipher))
    expect(failure.code).to.equal('FOREIGN_KEY_FILE')
    expect(failure.hint).to.match(/RELAYER_KEY_FILE/)
  })

  it('with rows put into the place of others gives none of them away as another’s', async () => {
    const [one, two] = filled.validators.map(({ validator }) => validator.publicKey)
    const message = `exit/${filled.world.nextIndex}`
    const swap = (from: string) =>
      `UPDATE signature_shares SET sealed = (SELECT sealed FROM signature_shares AS other WHERE ${from})
        WHERE public_key = '${one}' AND message = '${message}' AND share_index = '1'`
    for (const from of [
      `other.public_key = '${one}' AND other.message = '${message}' AND other.share_index = '2'`,
      `other.public_key = '${one}' AND other.message LIKE 'deposit/%' AND other.share_index = '1'`,
      `other.public_key = '${two}' AND other.message LIKE 'exit/%' AND other.share_index = '1'`,
    ]) {
      filled.tamper(swap(from))
      const opening = filled.relayer.store.openSharesOf({ publicKey: one ?? '0x', message })
      const failure = await failureOf(opening)
      expect(failure.code, from).to.equal('SHARE_UNREADABLE')
      expect(failure.message).to.include('share 1').and.to.include(one)
    }
  })
})
