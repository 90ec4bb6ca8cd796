import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { createObolSigners } from '../../../adapters/obol/create.js'
import { diskReader, type FileReader } from '../../../adapters/obol/keystore-files.js'
import { obolOptions } from '../../../adapters/obol/options.js'
import { describeError, exitCodeOf } from '../../../core/errors.js'
import { createLogger } from '../../../core/log.js'
import { loadNetwork } from '../../../core/network.js'
import { readOptions } from '../../../core/options.js'
import { copyOfNode, load, nodeHome, removeCopies } from './node-directory.js'

const keystore = (home: string, n: number) => join(home, 'validator_keys', `keystore-insecure-${n}.json`)
const password = (home: string, n: number) => join(home, 'validator_keys', `keystore-insecure-${n}.txt`)
const lockFile = (home: string) => join(home, 'cluster-lock.json')

type Json = Record<string, unknown>
/** Rewrites a JSON file. */
function edit(file: string, change: (json: Json) => void): void {
  const json = JSON.parse(readFileSync(file, 'utf8')) as Json
  change(json)
  chmodSync(file, 0o600)
  writeFileSync(file, JSON.stringify(json))
}
/** The first validator of a parsed lock. */
const firstValidator = (lock: Json) => (lock['distributed_validators'] as { public_shares: string[] }[])[0]
const definition = (lock: Json) => lock['cluster_definition'] as Json
const kdfParams = (json: Json) => (json['crypto'] as { kdf: { params: Json } }).kdf

async function errorsOf(home: string, ...rest: [Parameters<typeof load>[1]?, FileReader?, string?]) {
  const { errors } = await load(home, ...rest)
  for (const error of errors) expect(error.hint, error.message).to.be.a('string')
  return errors.map((error) => ({ code: error.code, text: describeError(error) }))
}

/** Exactly one error, of this code, that names this. */
async function expectOne(
  home: string,
  code: string,
  named: string,
  ...rest: [Parameters<typeof load>[1]?, FileReader?, string?]
) {
  const errors = await errorsOf(home, ...rest)
  expect(errors.map((error) => error.code)).to.deep.equal([code])
  expect(errors[0]?.text).to.include(named)
  expect(errors[0]?.text).not.to.include('\n')
}

/** Reads all but one file or directory, which its owner keeps for himself. */
function denying(path: string): FileReader {
  const denied = () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }))
  return {
    read: (file) => (file === path ? denied() : diskReader.read(file)),
    list: (directory) => (directory === path ? denied() : diskReader.list(directory)),
  }
}

describe('directory of a Charon node', () => {
  afterEach(removeCopies)

  it('is refused without a keystore', async () => {
    const home = copyOfNode()
    for (const name of readdirSync(join(home, 'validator_keys'))) rmSync(join(home, 'validator_keys', name))
    await expectOne(home, 'NO_KEYSTORES', join(home, 'validator_keys'))
    rmSync(join(home, 'validator_keys'), { recursive: true })
    await expectOne(home, 'UNREADABLE_FILE', join(home, 'validator_keys'))
  })

  it('is refused when a password file is missing', async () => {
    const home = copyOfNode()
    rmSync(password(home, 1))
    await expectOne(home, 'UNREADABLE_FILE', password(home, 1))
  })

  it('is refused when a password is wrong, and the error does not repeat it', async () => {
    const home = copyOfNode()
    writeFileSync(password(home, 0), 'canary-password-4711')
    await expectOne(home, 'WRONG_PASSWORD', keystore(home, 0))
    expect((await errorsOf(home))[0]?.text).not.to.include('canary')
  })

  it('is refused when a keystore is not JSON or no EIP-2335 keystore', async () => {
    const home = copyOfNode()
    writeFileSync(keystore(home, 0), '{"crypto": ')
    expect((await errorsOf(home))[0]).to.include({ code: 'INVALID_KEYSTORE' })
    expect((await errorsOf(home))[0]?.text)
      .to.include(keystore(home, 0))
      .and.include('not JSON')
    writeFileSync(keystore(home, 0), '{"version": 3}')
    expect((await errorsOf(home))[0]?.text)
      .to.include(keystore(home, 0))
      .and.include('EIP-2335')
  })

  it('is refused when a keystore asks for a key derivation beyond sense', async () => {
    const home = copyOfNode()
    edit(keystore(home, 0), (json) => {
      kdfParams(json).params['c'] = 2 ** 25
    })
    edit(keystore(home, 1), (json) => {
      Object.assign(kdfParams(json), {
        function: 'scrypt',
        params: { dklen: 32, n: 2 ** 21, r: 8, p: 1, salt: 'aa' },
      })
    })
    const errors = await errorsOf(home)
    expect(errors.map((error) => error.code)).to.deep.equal(['KDF_TOO_EXPENSIVE', 'KDF_TOO_EXPENSIVE'])
    for (const n of [0, 1]) expect(errors[n]?.text).to.include(keystore(home, n))
  })

  it('is refused when a keystore holds another key than it says', async () => {
    const home = copyOfNode()
    const other = JSON.parse(readFileSync(keystore(nodeHome('obol-4n3t-hoodi', 2), 0), 'utf8')) as Json
    edit(keystore(home, 0), (json) => {
      json['pubkey'] = other['pubkey']
    })
    expect((await errorsOf(home))[0]).to.include({ code: 'WRONG_PUBLIC_KEY' })
  })

  it('is refused when a share is in no validator of the lock', async () => {
    const home = copyOfNode('obol-4n3t-hoodi-secure')
    const from = nodeHome('obol-4n3t-hoodi', 0)
    cpSync(keystore(from, 0), join(home, 'validator_keys', 'keystore-7.json'))
    cpSync(password(from, 0), join(home, 'validator_keys', 'keystore-7.txt'))
    await expectOne(home, 'SHARE_NOT_IN_LOCK', 'keystore-7.json')
  })

  it('is refused when the same share is there twice', async () => {
    const home = copyOfNode()
    cpSync(keystore(home, 0), join(home, 'validator_keys', 'keystore-9.json'))
    cpSync(password(home, 0), join(home, 'validator_keys', 'keystore-9.txt'))
    await expectOne(home, 'REPEATED_SHARE', 'keystore-insecure-0.json')
  })

  it('is refused when keystores of two nodes are mixed, naming those of the fewer', async () => {
    const home = copyOfNode()
    const from = nodeHome('obol-4n3t-hoodi', 2)
    cpSync(keystore(from, 1), join(home, 'validator_keys', 'keystore-9.json'))
    cpSync(password(from, 1), join(home, 'validator_keys', 'keystore-9.txt'))
    await expectOne(home, 'MIXED_NODES', 'keystore-9.json')
  })

  it('is refused when a validator of the lock has no keystore, unless that is allowed', async () => {
    const home = copyOfNode()
    rmSync(keystore(home, 1))
    await expectOne(home, 'MISSING_KEYSTORE', '--allow-incomplete-keystores')
    expect(await errorsOf(home, { allowIncomplete: true })).to.deep.equal([])
    expect((await load(home, { allowIncomplete: true })).placed.size).to.equal(1)
  })

  it('is refused when the lock is missing, not JSON, of an unknown version or of another network', async () => {
    const home = copyOfNode()
    await expectOne(home, 'LOCK_OF_ANOTHER_NETWORK', lockFile(home), {}, undefined, 'mainnet')
    edit(lockFile(home), (lock) => {
      definition(lock)['version'] = 'v1.12.0'
    })
    await expectOne(home, 'UNKNOWN_LOCK_VERSION', lockFile(home))
    writeFileSync(lockFile(home), 'no lock')
    await expectOne(home, 'INVALID_CLUSTER_LOCK', lockFile(home))
    rmSync(lockFile(home))
    await expectOne(home, 'UNREADABLE_FILE', lockFile(home))
  })

  it('is refused when public shares do not interpolate or the operators are fewer than the threshold', async () => {
    const home = copyOfNode()
    const original = readFileSync(lockFile(home), 'utf8')
    edit(lockFile(home), (lock) => firstValidator(lock)?.public_shares.reverse())
    await expectOne(home, 'LOCK_SHARES_DO_NOT_INTERPOLATE', lockFile(home))
    writeFileSync(lockFile(home), original)
    edit(lockFile(home), (lock) => {
      definition(lock)['threshold'] = 5
    })
    await expectOne(home, 'INVALID_CLUSTER_LOCK', 'threshold of 5')
    edit(lockFile(home), (lock) => {
      definition(lock)['threshold'] = 2
    })
    await expectOne(home, 'LOCK_SHARES_DO_NOT_INTERPOLATE', lockFile(home))
  })

  it('is taken with a warning when the lock was extended without its signature, unless strictness is asked', async () => {
    const home = copyOfNode()
    edit(lockFile(home), (lock) => {
      lock['signature_aggregate'] = ''
    })
    const loaded = await load(home)
    expect(loaded.errors).to.deep.equal([])
    expect(loaded.warnings).to.have.length(1)
    await expectOne(home, 'LOCK_SIGNATURE', lockFile(home), { strictLock: true })
  })

  it('is refused when OBOL_NODE_INDEX or the ENR key disagree with the keystores', async () => {
    const home = copyOfNode()
    await expectOne(home, 'WRONG_NODE_INDEX', 'node 0', { expectedNodeIndex: 3 })
    cpSync(
      join(nodeHome('obol-4n3t-hoodi', 1), 'charon-enr-private-key'),
      join(home, 'charon-enr-private-key'),
      { force: true },
    )
    await expectOne(home, 'ENR_KEY_MISMATCH', 'charon-enr-private-key')
    rmSync(join(home, 'charon-enr-private-key'))
    expect(await errorsOf(home)).to.deep.equal([])
  })

  it('takes OBOL_NODE_INDEX for the right one of two nodes with as many keystores', async () => {
    const home = copyOfNode()
    const from = nodeHome('obol-4n3t-hoodi', 2)
    for (const file of [keystore, password]) cpSync(file(from, 1), file(home, 1), { force: true })
    rmSync(join(home, 'charon-enr-private-key'))
    const settings = { allowIncomplete: true }
    await expectOne(home, 'MIXED_NODES', keystore(home, 0), { ...settings, expectedNodeIndex: 2 })
    await expectOne(home, 'MIXED_NODES', keystore(home, 1), { ...settings, expectedNodeIndex: 0 })
  })

  it('says who may read it when a file is not readable', async () => {
    const home = copyOfNode()
    for (const file of [password(home, 0), keystore(home, 1), lockFile(home), join(home, 'validator_keys')]) {
      const errors = await errorsOf(home, {}, denying(file))
      expect(errors[0]).to.include({ code: 'UNREADABLE_FILE' })
      expect(errors[0]?.text)
        .to.include(`${file} may not be read by this user`)
        .and.include('run as that user')
    }
  })

  it('is taken when the ENR key alone is not readable', async () => {
    const home = copyOfNode()
    expect(await errorsOf(home, {}, denying(join(home, 'charon-enr-private-key')))).to.deep.equal([])
  })

  it('is refused by a process that really may not read the files, once for each of them', function () {
    const isRoot = process.getuid?.() === 0
    if (process.platform === 'win32') this.skip()
    const home = copyOfNode()
    const mode = isRoot ? 0o400 : 0
    const files = [keystore(home, 0), password(home, 0), keystore(home, 1), password(home, 1)]
    for (const file of [...files, lockFile(home)]) chmodSync(file, mode)
    for (const directory of [home, join(home, 'validator_keys')]) chmodSync(directory, 0o755)
    const script = `
      const { createObolSigners } = await import(${JSON.stringify(new URL('../../../adapters/obol/create.ts', import.meta.url).href)})
      const { loadNetwork } = await import(${JSON.stringify(new URL('../../../core/network.ts', import.meta.url).href)})
      ${isRoot ? 'process.setuid(65534)' : ''}
      const values = { keystoresDir: process.argv[1], allowIncomplete: false, strictLock: false }
      const logger = { info() {}, warn() {}, error() {} }
      await createObolSigners(values, { network: loadNetwork('hoodi'), logger }).catch((error) => console.log(error.message))`
    const { stdout } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script, join(home, 'validator_keys')],
      { cwd: fileURLToPath(new URL('../../..', import.meta.url)), encoding: 'utf8' },
    )
    const lines = stdout.trim().split('\n')
    expect(lines, stdout).to.have.length(5)
    for (const file of [...files, lockFile(home)]) {
      expect(stdout).to.include(`${file} may not be read by this user`)
    }
    for (const line of lines) expect(line).to.include('mode 0400')
  })

  it('lists everything that is wrong at once, and ends with the exit code of configuration', async () => {
    const home = copyOfNode()
    writeFileSync(password(home, 0), 'wrong')
    rmSync(password(home, 1))
    writeFileSync(lockFile(home), '[]')
    const values = readOptions(obolOptions, {
      flags: {},
      env: { OBOL_KEYSTORES_DIR: join(home, 'validator_keys') },
    })
    const context = { network: loadNetwork('hoodi'), logger: createLogger('test', 'silent', 'plain') }
    const failure = await createObolSigners(values, context).catch((error: unknown) => error)
    expect(exitCodeOf(failure)).to.equal(2)
    expect(describeError(failure).split('\n')).to.have.length(3)
  })

  it('is taken when keystore numbers are swapped, others lie beside them, and a password ends in a newline', async () => {
    const home = copyOfNode()
    for (const ending of ['json', 'txt']) {
      renameSync(
        join(home, 'validator_keys', `keystore-insecure-0.${ending}`),
        join(home, 'validator_keys', `keystore-5.${ending}`),
      )
      renameSync(
        join(home, 'validator_keys', `keystore-insecure-1.${ending}`),
        join(home, 'validator_keys', `keystore-0.${ending}`),
      )
    }
    const file = join(home, 'validator_keys', 'keystore-0.txt')
    const text = readFileSync(file, 'utf8')
    chmodSync(file, 0o600)
    writeFileSync(file, `${text}\r\n`)
    writeFileSync(join(home, 'validator_keys', 'README.json'), 'not a keystore')
    mkdirSync(join(home, 'validator_keys', 'backup'))
    const loaded = await load(home)
    expect(loaded.errors).to.deep.equal([])
    expect(loaded.nodeIndex).to.equal(0)
    expect(loaded.placed.size).to.equal(2)
  })
})
