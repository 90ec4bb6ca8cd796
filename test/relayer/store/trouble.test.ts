import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { pino } from 'pino'
import { readOptions } from '../../../core/options.js'
import { relayerOptions, runRelayer } from '../../../relayer/command.js'
import { readContents } from '../../../relayer/maintenance/contents.js'
import { verify } from '../../../relayer/maintenance/verify.js'
import { holdLock } from '../../core/storage/lock-holder.js'
import { failureOf } from '../../doubles/failure.js'
import { until } from '../../doubles/poll.js'
import { hoodi } from '../clusters.js'
import { FilledDatabase } from '../maintenance/filled-database.js'

interface Line {
  readonly level: number
  readonly msg: string
}

describe('a relayer whose database is in trouble', () => {
  let filled: FilledDatabase
  let stop: AbortController
  let running: Promise<void>
  let lines: Line[]
  let url: string
  const cleanUp: (() => unknown)[] = []

  beforeEach(async () => {
    filled = await FilledDatabase.create(2)
    await filled.moveAway()
    running = Promise.resolve()
    stop = new AbortController()
    lines = []
  })
  afterEach(async () => {
    stop.abort()
    await running.catch(() => undefined)
    for (const clean of cleanUp.splice(0).reverse()) await clean()
    await filled.remove()
  })

  const start = async () => {
    const config = join(filled.folder, 'oracles.json')
    writeFileSync(config, JSON.stringify(filled.oraclesJson()))
    const env = {
      NETWORK: 'hoodi',
      RELAYER_PORT: '0',
      // Port 9 of this machine, where nobody listens.
      EXECUTION_ENDPOINT: 'http://127.0.0.1:9',
      CONSENSUS_ENDPOINT: 'http://127.0.0.1:9',
      SIGNATURE_THRESHOLD: '3',
      PROTOCOL_CONFIG_FILE: config,
      DATABASE: filled.file,
      RELAYER_KEY_FILE: filled.keyFile,
    }
    const logger = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) })
    const values = readOptions(relayerOptions, { flags: {}, env })
    let failure: unknown
    running = runRelayer(values, { signal: stop.signal, logger })
    running.catch((error) => {
      failure = error
    })
    await until(() => {
      if (failure !== undefined) throw failure
      url =
        /^listening on (\S+),/.exec(lines.find(({ msg }) => msg.startsWith('listening'))?.msg ?? '')?.[1] ??
        ''
      return url !== ''
    }, 'it listens')
  }
  const post = (node: bigint) =>
    fetch(`${url}/exit-signature`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(filled.exitPost(node)),
    })
  const health = async () => {
    const answer = await fetch(`${url}/health`)
    const { checks } = (await answer.json()) as { checks: { database: string } }
    return { status: answer.status, database: checks.database }
  }
  const shown = async () => {
    const answer = await fetch(`${url}/exits`)
    expect(answer.status).to.equal(200)
    const { exits } = (await answer.json()) as {
      exits: { is_exit_signature_ready: boolean; share_indexes_ready: number[] }[]
    }
    return exits
  }
  const loud = (pattern: RegExp) =>
    lines.filter(({ level, msg }) => level >= 30 && pattern.test(msg)).map(({ msg }) => msg)
  const expectWhole = async () => {
    const parts = { cipher: filled.cipher, network: hoodi, oracles: undefined }
    expect(verify(await readContents(filled.file), parts).problems).to.deep.equal([])
  }
  /** Refuses what changes something, says so once, serves readers. */
  const expectTrouble = async (code: string) => {
    for (let i = 0; i < 4; i++) {
      const answer = await post(3n)
      expect(answer.status).to.equal(503)
      expect(answer.headers.get('x-error-code')).to.equal(code)
      expect(Number(answer.headers.get('retry-after'))).to.be.greaterThan(0)
      expect(await answer.text()).not.to.include(filled.folder)
    }
    expect(await health()).to.deep.equal({ status: 503, database: 'failing' })
    expect((await shown()).map((exit) => exit.share_indexes_ready)).to.deep.equal([
      [1, 2],
      [1, 2],
    ])
    expect(loud(/database/)).to.have.length(1)
    expect(loud(/./).join('\n')).not.to.match(/cannot answer|recovery failed|unexpected/)
  }
  /** Takes posts again, finishes what waits, says so once. */
  const expectWell = async () => {
    expect((await post(3n)).status).to.equal(200)
    expect(await health()).to.deep.equal({ status: 200, database: 'ok' })
    await until(
      async () => (await shown()).every((exit) => exit.is_exit_signature_ready),
      'the exits are ready',
    )
    expect(loud(/database/)).to.have.length(2)
    expect(loud(/database can be written again/)).to.have.length(1)
    await expectWhole()
  }

  it('held by another process answers 503 to what changes it, and works on when that has ended', async () => {
    await start()
    const release = await holdLock(filled.file)
    cleanUp.push(release)
    await expectTrouble('DATABASE_LOCKED')
    expect(loud(/another process holds the relayer’s database/)).to.have.length(1)
    await release()
    await expectWell()
  })

  it('notices by itself that its trouble is over', async () => {
    await start()
    const release = await holdLock(filled.file)
    cleanUp.push(release)
    expect((await post(3n)).status).to.equal(503)
    await release()
    await until(() => loud(/database can be written again/).length === 1, 'it looks again')
    expect(await health()).to.deep.equal({ status: 200, database: 'ok' })
  })

  it('on a full disk answers 503 to what changes it, and works on when there is room', async function () {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) this.skip()
    const disk = join(filled.folder, 'disk')
    mkdirSync(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' })
    } catch {
      this.skip()
    }
    cleanUp.push(() => execFileSync('umount', ['-l', disk]))
    filled.moveTo(join(disk, 'relayer.db'))
    await start()
    const ballast = join(disk, 'ballast')
    // Whole pages alone would leave less than one of the database's.
    for (const size of [65_536, 4_096]) fillUp(ballast, size)
    await expectTrouble('DATABASE_FULL')
    expect(loud(/its disk is full\. Free space/)).to.have.length(1)
    rmSync(ballast)
    await expectWell()
  })

  it('is one relayer’s alone', async () => {
    await start()
    const values = readOptions(relayerOptions, {
      flags: {},
      env: {
        ...{ NETWORK: 'hoodi', RELAYER_PORT: '0', SIGNATURE_THRESHOLD: '3', DATABASE: filled.file },
        ...{ EXECUTION_ENDPOINT: 'http://127.0.0.1:9', CONSENSUS_ENDPOINT: 'http://127.0.0.1:9' },
      },
    })
    const second = runRelayer(values, { signal: stop.signal, logger: pino({ level: 'silent' }) })
    expect((await failureOf(second)).code).to.equal('DATABASE_IN_USE')
    expect((await post(3n)).status).to.equal(200)
  })
})

function fillUp(file: string, size: number): void {
  try {
    for (;;) writeFileSync(file, new Uint8Array(size), { flag: 'a' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
