import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { DvtExitProcess } from '../../devnet/processes.js'
import { FilledDatabase } from './filled-database.js'

describe('backup, restore and verify beside a relayer’s process', function () {
  this.timeout(120_000)
  let filled: FilledDatabase
  let backup: string
  let env: Record<string, string>
  let relayers: DvtExitProcess[]

  beforeEach(async () => {
    filled = await FilledDatabase.create(2)
    await filled.moveAway()
    backup = join(filled.folder, 'backup.db')
    const config = join(filled.folder, 'oracles.json')
    writeFileSync(config, JSON.stringify(filled.oraclesJson()))
    relayers = []
    env = {
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
  })
  afterEach(async () => {
    await Promise.all(relayers.map((relayer) => relayer.stop()))
    await filled.remove()
  })

  const dvtExit = async (...args: string[]) => {
    const command = new DvtExitProcess(args.join(' '), args, env, filled.folder)
    const { code } = await command.exited
    return { code, output: command.output, stdout: command.stdout }
  }
  const start = async () => {
    const relayer = new DvtExitProcess('relayer', ['relayer'], env, filled.folder)
    relayers.push(relayer)
    const [, url = ''] = await relayer.waitFor(/listening on (\S+),/)
    return { relayer, url }
  }
  const post = async (url: string, node: bigint) => {
    const answer = await fetch(`${url}/exit-signature`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(filled.exitPost(node)),
    })
    expect(answer.status).to.equal(200)
  }
  const shareIndexes = async (url: string) => {
    const { exits } = (await (await fetch(`${url}/exits`)).json()) as {
      exits: { share_indexes_ready: number[] }[]
    }
    return exits.map((exit) => exit.share_indexes_ready)
  }

  it('copies, checks, is refused where it must be, and brings back', async () => {
    const { relayer, url } = await start()
    const copied = await dvtExit('relayer', 'backup', backup)
    expect(copied, copied.output).to.include({ code: 0 })
    expect(statSync(backup).mode & 0o777).to.equal(0o600)
    expect(readFileSync(backup).includes(readFileSync(filled.keyFile, 'utf8').trim())).to.equal(false)
    await post(url, 3n)
    expect(await shareIndexes(url)).to.deep.equal([
      [1, 2, 3],
      [1, 2, 3],
    ])
    const checked = await dvtExit('relayer', 'verify')
    expect(checked, checked.output).to.include({ code: 0 })
    expect(checked.stdout).to.match(/all is well/)
    const refused = await dvtExit('relayer', 'restore', '--file', backup, '--replace-database')
    expect(refused).to.include({ code: 2 })
    expect(refused.output).to.include('DATABASE_IN_USE')

    await relayer.kill()
    const restored = await dvtExit('relayer', 'restore', backup, '--replace-database')
    expect(restored, restored.output).to.include({ code: 0 })
    expect(restored.stdout).to.match(/before-restore-\d+T\d+Z/)
    expect(await shareIndexes((await start()).url)).to.deep.equal([
      [1, 2],
      [1, 2],
    ])

    filled.tamper(`UPDATE signature_shares SET sealed = zeroblob(124) WHERE share_index = '2'`)
    const faulty = await dvtExit('relayer', 'verify')
    expect(faulty).to.include({ code: 1 })
    expect(faulty.stdout.trim().split('\n')).to.have.length(4)
    const [validator] = filled.validators
    const share = `${validator?.validator.publicKey} exit/${filled.world.nextIndex}, share index 2: `
    expect(faulty.stdout).to.include(share)
    expect(faulty.output).to.include('[DATABASE_FAULTY]')
  })
})
