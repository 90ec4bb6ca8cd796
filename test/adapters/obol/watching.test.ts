import { cpSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { KeyShareDecryptor } from '../../../adapters/obol/key-shares.js'
import { ObolSigner } from '../../../adapters/obol/signer.js'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import type { PublicKeyHex } from '../../../core/hex.js'
import { voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../../core/network.js'
import { TestClock } from '../../doubles/clock.js'
import { TestLog } from '../../doubles/log.js'
import { copyOfNode, nodeFiles, nodeHome, removeCopies, reshare } from './node-directory.js'

const network = loadNetwork('hoodi')
const KEYSTORE = 'validator_keys/keystore-insecure-1'

function publicShareOf(home: string, publicKey: string, node: number): PublicKeyHex {
  const lock = JSON.parse(readFileSync(join(home, 'cluster-lock.json'), 'utf8')) as {
    distributed_validators: { distributed_public_key: string; public_shares: PublicKeyHex[] }[]
  }
  const validator = lock.distributed_validators.find(
    (candidate) => candidate.distributed_public_key === publicKey,
  )
  return validator?.public_shares[node] ?? '0x'
}

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
    /** Lets the signer look at the files some more times. */
    const looks = async (count: number) => {
      const before = clock.pauses.length
      await until(() => clock.pauses.length >= before + count)
    }
    return { signer, log, until, looks, changes: () => changes }
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

  it('forgets a validator whose keystore was taken away, where keystores may be missing', async () => {
    const home = copyOfNode()
    const { signer, until, changes } = await start(home)
    rmSync(join(home, `${KEYSTORE}.json`))
    await until(() => signer.validators().size === 1)
    expect(changes()).to.equal(1)
    await signer.close()
  })

  it('keeps a validator whose keystore is gone, where that is an error', async () => {
    const home = copyOfNode()
    const { signer, log, until } = await start(home, false)
    rmSync(join(home, `${KEYSTORE}.json`))
    await until(() => log.messages('warn').some((line) => line.includes('has no keystore for validator')))
    rmSync(join(home, 'validator_keys'), { recursive: true })
    await until(() => log.messages('warn').some((line) => line.includes('validator_keys is not there')))
    expect(signer.validators().size).to.equal(2)
    await signer.close()
  })

  it('says nothing of files that were written anew as they were', async () => {
    const home = copyOfNode()
    const { signer, log, looks, changes } = await start(home)
    for (const file of ['cluster-lock.json', `${KEYSTORE}.json`, `${KEYSTORE}.txt`]) {
      utimesSync(join(home, file), 1, 1)
    }
    await looks(3)
    expect(changes()).to.equal(0)
    expect(log.lines).to.deep.equal([])
    expect(signer.validators().size).to.equal(2)
    await signer.close()
  })

  for (const [order, first, second] of [
    ['lock first', 'lock', 'keystores'],
    ['keystores first', 'keystores', 'lock'],
  ] as const) {
    it(`takes new shares of the same validators, ${order}, and signs with no share that the lock does not have`, async () => {
      const home = copyOfNode()
      const { signer, until, looks } = await start(home, false)
      const [publicKey = '0x'] = signer.validators().keys()
      const exit = { epoch: 0, validatorIndex: 1 }
      const before = await signer.signExit(publicKey, exit)
      reshare(home, 0, { [first]: true })
      if (first === 'lock') {
        await until(() => signer.validators().size === 0)
        const failure = await signer.signExit(publicKey, exit).catch((error: unknown) => error)
        expect(failure).to.have.property('code', 'UNKNOWN_VALIDATOR')
      } else {
        await looks(3)
        expect(await signer.signExit(publicKey, exit)).to.deep.equal(before)
      }
      reshare(home, 0, { [second]: true })
      const expected = publicShareOf(home, publicKey, 0)
      await until(() => signer.validators().get(publicKey)?.shares.get(1n) === expected)
      const set = {
        message: voluntaryExitSigningRoot(network, exit),
        publicKey: parsePublicKey(expected),
        signature: parseSignature(await signer.signExit(publicKey, exit)),
      }
      expect(bls.verify(set)).to.equal(true)
      await signer.close()
    })
  }

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
