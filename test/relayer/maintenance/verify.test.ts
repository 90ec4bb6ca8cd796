import { expect } from 'chai'
import { Secret } from '../../../core/secret.js'
import { runVerify } from '../../../relayer/maintenance/command.js'
import { readContents } from '../../../relayer/maintenance/contents.js'
import { verify } from '../../../relayer/maintenance/verify.js'
import { ShareCipher } from '../../../relayer/store/share-cipher.js'
import { failureOf } from '../../doubles/failure.js'
import { hoodi } from '../clusters.js'
import { FilledDatabase } from './filled-database.js'

describe('relayer verify', () => {
  let filled: FilledDatabase
  beforeEach(async () => {
    filled = await FilledDatabase.create()
  })
  afterEach(() => filled.remove())

  const oracles = () => {
    const { setHash, oracles: all, exitSignatureRecoverThreshold: threshold } = filled.world.oracles.config
    return { setHash, count: all.length, threshold }
  }
  const verified = async (cipher = filled.cipher) =>
    verify(await readContents(filled.file), { cipher, network: hoodi, oracles: oracles() })
  const keyOf = (n: number) => filled.validators[n]?.validator.publicKey ?? ''
  const exitOf = (n: number) => `exit/${filled.world.nextIndex + n}`
  const row = (n: number) => `public_key = '${keyOf(n)}' AND message = '${exitOf(n)}'`

  it('finds nothing while a relayer with everything in it runs, and counts it', async () => {
    const { problems, counts } = await verified()
    expect(problems).to.deep.equal([])
    expect(counts).to.deep.equal({
      exits: 2,
      deposits: 2,
      shares: 16,
      verifiedShares: counts.verifiedShares,
      parts: 2,
      depositSignatures: 2,
      claimedSharings: 2,
    })
    expect(counts.verifiedShares).to.be.at.least(12)
  })

  it('writes what there is, and changes nothing', async () => {
    const values = { network: 'hoodi', networkConfigFile: undefined, protocolConfigFile: undefined }
    let text = ''
    await runVerify({ ...values, database: filled.file, keyFile: filled.keyFile }, undefined, (line) => {
      text += line
    })
    expect(text)
      .to.match(/all is well/)
      .and.match(/16 shares/)
    filled.tamper(`DELETE FROM deposit_signatures`, `PRAGMA user_version = 5`)
    await runVerify({ ...values, database: filled.file, keyFile: filled.keyFile }, undefined, () => undefined)
  })

  it('ends as a failure that counts the problems, after a line for each', async () => {
    const other = `(SELECT signature FROM deposit_signatures WHERE public_key = '${keyOf(1)}')`
    filled.tamper(`UPDATE deposit_signatures SET signature = ${other} WHERE public_key = '${keyOf(0)}'`)
    const lines: string[] = []
    const values = { network: 'hoodi', networkConfigFile: undefined, protocolConfigFile: undefined }
    const failure = await failureOf(
      runVerify({ ...values, database: filled.file, keyFile: filled.keyFile }, undefined, (line) =>
        lines.push(line),
      ),
    )
    expect(failure.name).to.equal('DvtExitError')
    expect(failure.code).to.equal('DATABASE_FAULTY')
    expect(lines).to.have.length(1)
    expect(lines[0]).to.include(keyOf(0)).and.include('deposit/').and.include('does not verify')
  })

  it('names key, message and share index of each share that was altered, swapped or put elsewhere', async () => {
    const sealedOf = (n: number, index: number) =>
      `(SELECT sealed FROM signature_shares WHERE ${row(n)} AND share_index = '${index}')`
    const cases: readonly [string, RegExp][] = [
      [`sealed = ${sealedOf(0, 2)}`, /does not open/],
      [`sealed = ${sealedOf(1, 1)}`, /does not open/],
      [`sealed = zeroblob(124)`, /does not open/],
      [`sealed = x'00'`, /does not open/],
      [`share_index = '77'`, /does not open/],
      [`digest = '${'00'.repeat(32)}'`, /digest/],
      [`verified_under = '${keyOf(1)}'`, /does not verify under its public share/],
      [`verified_under = '0x12'`, /public key/],
    ]
    const backup = `CREATE TABLE kept AS SELECT * FROM signature_shares WHERE ${row(0)}`
    filled.tamper(backup)
    for (const [change, problem] of cases) {
      filled.tamper(`UPDATE signature_shares SET ${change} WHERE ${row(0)} AND share_index = '1'`)
      const { problems } = await verified()
      const index = change.startsWith('share_index') ? 77 : 1
      expect(problems, change).to.have.length(1)
      expect(problems[0]).to.include(`${keyOf(0)} ${exitOf(0)}, share index ${index}: `)
      expect(problems[0]).to.match(problem)
      filled.tamper(
        `DELETE FROM signature_shares WHERE ${row(0)}`,
        `INSERT INTO signature_shares SELECT * FROM kept`,
      )
    }
    expect((await verified()).problems).to.deep.equal([])
  })

  it('names the exit whose parts are too few, of a wrong length, or under keys that are not the validator’s', async () => {
    const other = (column: string) => `(SELECT ${column} FROM sealed_parts WHERE ${row(1)})`
    const key = `"${keyOf(0)}"`
    const cases: readonly [string, RegExp][] = [
      [`encrypted_signatures = json_remove(encrypted_signatures, '$[0]')`, /3 public keys and 2 ciphertexts/],
      [`public_key_shares = json_remove(public_key_shares, '$[2]')`, /2 public keys and 3 ciphertexts/],
      [`encrypted_signatures = json_replace(encrypted_signatures, '$[1]', '0x00')`, /oracle 2 is not 193/],
      [`encrypted_signatures = 'nothing'`, /cannot be read/],
      [
        `public_key_shares = json_replace(public_key_shares, '$[1]', '0x00')`,
        /oracle 2 is not a valid point/,
      ],
      [`public_key_shares = json_replace(public_key_shares, '$[2]', '${keyOf(0)}')`, /not shares of/],
      [`public_key_shares = ${other('public_key_shares')}`, /not shares of/],
      [`public_key_shares = '[${key},${key},${key}]'`, /fewer than 2 oracles/],
    ]
    filled.tamper(`CREATE TABLE kept AS SELECT * FROM sealed_parts WHERE ${row(0)}`)
    for (const [change, problem] of cases) {
      filled.tamper(`UPDATE sealed_parts SET ${change} WHERE ${row(0)}`)
      const { problems } = await verified()
      expect(problems, change).to.have.length(1)
      expect(problems[0]).to.include(`${keyOf(0)} ${exitOf(0)}`)
      expect(problems[0]).to.match(problem)
      filled.tamper(`DELETE FROM sealed_parts WHERE ${row(0)}`, `INSERT INTO sealed_parts SELECT * FROM kept`)
    }
    expect((await verified()).problems).to.deep.equal([])
  })

  it('checks parts for oracles of former times by the threshold that their keys have', async () => {
    filled.tamper(`UPDATE sealed_parts SET set_hash = '0x${'11'.repeat(32)}'`)
    expect((await verified()).problems).to.deep.equal([])
    filled.tamper(
      `UPDATE sealed_parts SET public_key_shares =
        json_replace(public_key_shares, '$[2]', '${keyOf(1)}', '$[1]', '${keyOf(1)}') WHERE ${row(0)}`,
    )
    expect((await verified()).problems[0]).to.match(/not shares of/)
  })

  it('finds what belongs to nothing, and what must not be there', async () => {
    filled.tamper(
      `PRAGMA foreign_keys = OFF; DELETE FROM messages WHERE public_key = '${keyOf(1)}'`,
      `INSERT INTO deposit_signatures VALUES ('${keyOf(0)}', '${exitOf(0)}', '0x00')`,
      `UPDATE claimed_sharings SET threshold = 2 WHERE public_key = '${keyOf(0)}'`,
      `INSERT INTO messages VALUES ('${keyOf(0)}', 'transfer/1', 1, 1, 1)`,
    )
    const text = (await verified()).problems.join('\n')
    expect(text).to.match(/of signature_shares belongs to a message that is not there/)
    expect(text).to.match(/of sealed_parts belongs to a message/)
    expect(text).to.match(/whole exit signature must not be kept/)
    expect(text).to.match(/do not make the validator’s key/)
    expect(text).to.match(/transfer\/1: no message has that name/)
  })

  it('says so of another key, once', async () => {
    const { problems } = await verified(new ShareCipher(new Secret(new Uint8Array(32).fill(9))))
    expect(problems).to.deep.equal(['the shares were encrypted with another key than this one'])
  })

  it('neither makes a key nor a database, and names files that it cannot use', async () => {
    const values = { network: 'hoodi', networkConfigFile: undefined, protocolConfigFile: undefined }
    const codeOf = async (database: string, keyFile: string) =>
      (await failureOf(runVerify({ ...values, database, keyFile }, undefined, () => undefined))).code
    expect(await codeOf(filled.file, `${filled.keyFile}.none`)).to.equal('KEY_FILE_UNREADABLE')
    expect(await codeOf(`${filled.file}.none`, filled.keyFile)).to.equal('NO_DATABASE')
    expect(await codeOf(filled.keyFile, filled.keyFile)).to.equal('DATABASE_UNREADABLE')
    filled.tamper(`DELETE FROM kysely_migration WHERE name = '005-manager-audit'`)
    expect(await codeOf(filled.file, filled.keyFile)).to.equal('OLDER_DATABASE')
    filled.tamper(`INSERT INTO kysely_migration VALUES ('999-later', '')`)
    expect(await codeOf(filled.file, filled.keyFile)).to.equal('NEWER_DATABASE')
  })
})
