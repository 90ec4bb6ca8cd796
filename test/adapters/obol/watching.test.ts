import { cpSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { KeyShareDecryptor } from '../../../adapters/obol/key-shares.js'
import { ObolSigner } from '../../../adapters/obol/signer.js'
import { loadNetwork } from '../../../core/network.js'
import { TestClock } from '../../doubles/clock.js'
import { TestLog } from '../../doubles/log.js'
import { copyOfNode, nodeFiles, nodeHome, removeCopies } from './node-directory.js'

const network = loadNetwork('hoodi')
const KEYSTORE = 'validator_keys/keystore-insecure-1'

describe('signer of a Charon node, while it runs', () => {
  afterEach(removeCopies)

  async function start(home: string, allowIncomplete = true) {
    const log = new TestLog()
    const clock = new TestClock()
    const context = { network, decryptor: new KeyShareDecryptor(), logger: log.logger, clock }
    const signer = await ObolSigner.create(nodeFiles(home, { allowIncomplete }), context)
    let changes = 0
    signer.onChange(() => {
      changes += 1
    })
    /** Lets the signer look at the files again, until what is awaited holds. */
    const until = async (holds: () => boolean) => {
      for (let look = 0; !holds(); look++) {
        if (look > 2_000) throw new Error(`it never held; log: ${log.lines.join('')}`)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
    return { signer, log, until, changes: () => changes }
  }

  it('notices an added validator', async () => {
    const home = copyOfNode()
    for (const ending of ['json', 'txt']) rmSync(join(home, `${KEYSTORE}.${ending}`))
    const { signer, until, changes } = await start(home)
    expect(signer.validators().size).to.equal(1)
    for (const ending of ['txt', 'json'])
      cpSync(
        join(nodeHome('obol-4n3t-hoodi', 0), `${KEYSTORE}.${ending}`),
        join(home, `${KEYSTORE}.${ending}`),
      )
    await until(() => signer.validators().size === 2)
    expect(changes()).to.be.greaterThan(0)
    await signer.close()
  })

  it('keeps good keys when a file gets bad, with a warning that names it', async () => {
    const home = copyOfNode()
    const { signer, log, until } = await start(home)
    rmSync(join(home, `${KEYSTORE}.txt`))
    writeFileSync(join(home, `${KEYSTORE}.txt`), 'wrong')
    await until(() => log.messages('warn').some((line) => line.includes(`${KEYSTORE}.json`)))
    expect(signer.validators().size).to.equal(2)
    rmSync(join(home, 'cluster-lock.json'))
    await until(() => log.messages('warn').some((line) => line.includes('cluster-lock.json')))
    expect(signer.validators().size).to.equal(2)
    await signer.close()
  })

  it('forgets a validator that left the lock', async () => {
    const home = copyOfNode()
    const { signer, until } = await start(home)
    const lock = JSON.parse(readFileSync(join(home, 'cluster-lock.json'), 'utf8')) as {
      distributed_validators: unknown[]
    }
    lock.distributed_validators.pop()
    const changed = join(home, 'changed.json')
    writeFileSync(changed, JSON.stringify(lock))
    renameSync(changed, join(home, 'cluster-lock.json'))
    await until(() => signer.validators().size === 1)
    await signer.close()
  })

  it('does not become another node while it runs', async () => {
    const home = copyOfNode()
    const { signer, log, until } = await start(home)
    const publicKeys = [...signer.validators().keys()]
    for (const name of ['charon-enr-private-key', 'validator_keys']) {
      rmSync(join(home, name), { recursive: true })
      cpSync(join(nodeHome('obol-4n3t-hoodi', 2), name), join(home, name), { recursive: true })
    }
    utimesSync(join(home, 'cluster-lock.json'), 1, 1)
    await until(() => log.messages('error').some((line) => line.includes('node 2')))
    expect(signer.shareIndex).to.equal(1n)
    expect([...signer.validators().keys()]).to.deep.equal(publicKeys)
    await signer.close()
  })
})
