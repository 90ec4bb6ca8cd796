import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { lockDatabase } from '../../../core/storage/lock.js'
import { failureOf } from '../../doubles/failure.js'

const LOCK_MODULE = new URL('../../../core/storage/lock.ts', import.meta.url).href
/** A process that locks a file, says so and stays, until its parent is gone. */
const LOCKS_AND_STAYS = `
  const { lockDatabase } = await import(${JSON.stringify(LOCK_MODULE)})
  globalThis.unlock = await lockDatabase(process.argv[1])
  process.stdin.resume().on('end', () => process.exit())
  console.log('locked')`

describe('the lock of a database', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dvt-exit-lock-'))
    file = join(folder, 'new', 'operator.sqlite')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is one process’s alone, until it is given back', async () => {
    const unlock = await lockDatabase(file)
    const failure = await failureOf(lockDatabase(file))
    expect(failure.code).to.equal('DATABASE_IN_USE')
    expect(failure.message).to.equal(`another dvt-exit uses ${file}`)
    if (process.platform !== 'win32') expect(statSync(`${file}.lock`).mode & 0o777).to.equal(0o600)
    unlock()
    const again = await lockDatabase(file)
    again()
  })

  it('is another process’s until that is killed', async () => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', LOCKS_AND_STAYS, file],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    const ended = new Promise((resolve) => child.once('close', resolve))
    try {
      await new Promise((resolve, reject) => {
        child.stdout.once('data', resolve)
        child.once('close', () => reject(new Error('it ended without the lock')))
      })
      expect((await failureOf(lockDatabase(file))).code).to.equal('DATABASE_IN_USE')
    } finally {
      child.kill('SIGKILL')
      await ended
    }
    const unlock = await lockDatabase(file)
    unlock()
  })

  it('that cannot be made is named', async () => {
    writeFileSync(join(folder, 'file'), '')
    const failure = await failureOf(lockDatabase(join(folder, 'file', 'operator.sqlite')))
    expect(failure.code).to.equal('DATABASE_UNREADABLE')
    expect(failure.message).to.include('operator.sqlite.lock')
  })
})
