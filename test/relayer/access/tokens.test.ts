import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readOptions } from '../../../core/options.js'
import { runListTokens, runNewToken, runRevokeToken } from '../../../relayer/access/command.js'
import { newTokenOptions, revokeTokenOptions } from '../../../relayer/access/options.js'
import { openRelayerDatabase } from '../../../relayer/store/open.js'
import { TokenStore } from '../../../relayer/store/tokens.js'

const OPERATOR = { name: 'op', role: 'operator', shareIndexes: [] } as const

describe('relayer’s tokens', () => {
  let folder: string
  let database: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tokens-'))
    database = join(folder, 'relayer.db')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const make = async (flags: Record<string, string>): Promise<string> => {
    let written = ''
    const values = readOptions(newTokenOptions, { flags: { database, ...flags }, env: {} })
    await runNewToken(values, undefined, (text) => {
      written += text
    })
    return written.trim()
  }
  const list = async (): Promise<string> => {
    let written = ''
    await runListTokens({ database }, undefined, (text) => {
      written += text
    })
    return written
  }
  const revoke = (name: string) =>
    runRevokeToken(readOptions(revokeTokenOptions, { flags: { database, name }, env: {} }))
  const failure = async (promise: Promise<unknown>): Promise<{ code: string; message: string }> => {
    try {
      await promise
    } catch (error) {
      return error as { code: string; message: string }
    }
    throw new Error('it did not fail')
  }

  it('are shown once and kept as hashes', async () => {
    const token = await make({ role: 'operator', name: 'vault' })
    expect(token).to.match(/^dvtexit_[\w-]{43}$/)
    expect(await make({ role: 'operator', name: 'other' })).not.to.equal(token)
    for (const file of ['relayer.db', 'relayer.db-wal']) {
      let content = ''
      try {
        content = readFileSync(join(folder, file), 'latin1')
      } catch {
        continue
      }
      expect(content).not.to.contain(token.slice(8))
    }
    expect(await list()).not.to.contain(token)
  })

  it('are good and end while the relayer has the database open', async () => {
    const opened = await openRelayerDatabase(database)
    try {
      const store = new TokenStore(opened, () => 1_795_169_700)
      expect(await store.hasRole('operator')).to.equal(false)
      const token = await make({ role: 'operator', name: 'op' })
      expect(await store.identify(token)).to.deep.equal(OPERATOR)
      expect(await store.hasRole('operator')).to.equal(true)
      expect(await store.identify(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).to.equal(
        undefined,
      )
      await revoke('op')
      expect(await store.identify(token)).to.equal(undefined)
      expect(await store.hasRole('operator')).to.equal(false)
    } finally {
      await opened.destroy()
    }
  })

  it('of a sidecar are bound to share indexes to 2^64 - 1', async () => {
    const opened = await openRelayerDatabase(database)
    try {
      const store = new TokenStore(opened, () => 0)
      const token = await make({ role: 'sidecar', name: 'ssv', 'share-index': '42,18446744073709551615' })
      expect((await store.identify(token))?.shareIndexes).to.deep.equal([42n, 2n ** 64n - 1n])
    } finally {
      await opened.destroy()
    }
    expect((await failure(make({ role: 'sidecar', name: 'b' }))).code).to.equal('SHARE_INDEX_NEEDED')
    const other = make({ role: 'viewer', name: 'c', 'share-index': '1' })
    expect((await failure(other)).code).to.equal('SHARE_INDEX_NOT_ALLOWED')
    for (const index of ['0', '18446744073709551616', '-1', 'x', '1.5']) {
      const { code } = await failure(make({ role: 'sidecar', name: 'd', 'share-index': index }))
      expect(code, index).to.equal('INVALID_OPTION')
    }
  })

  it('have names of their own, which are free again once revoked', async () => {
    await make({ role: 'operator', name: 'op' })
    expect((await failure(make({ role: 'viewer', name: 'op' }))).code).to.equal('TOKEN_NAME_TAKEN')
    await revoke('op')
    expect((await failure(revoke('op'))).code).to.equal('UNKNOWN_TOKEN')
    await make({ role: 'viewer', name: 'op' })
    expect(await list()).to.match(/^op: operator, made \d{4}-\d\d-\d\d, revoked .*\nop: viewer, made .*\n$/)
  })

  it('say what is missing', async () => {
    expect((await failure(make({ name: 'op' }))).message).to.equal('--role is missing')
    expect((await failure(make({ role: 'operator' }))).message).to.equal('--name is missing')
    expect((await failure(make({ role: 'admin', name: 'op' }))).message).to.match(/expected one of operator/)
  })
})
