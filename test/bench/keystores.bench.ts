/** How fast a node's keystores load: fifty of them, with the key derivation that Charon uses. */
import { createCipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { KeyShareDecryptor } from '../../adapters/obol/key-shares.js'
import { readKeystores } from '../../adapters/obol/keystore-files.js'
import { bls } from '../../core/bls/backend.js'
import { secretFromScalar, secureRandomScalar } from '../../core/bls/threshold.js'

const COUNT = 50
const ITERATIONS = 262_144

/** One keystore as Charon writes it, and its password. */
function createKeystore(): { keystore: string; password: string } {
  const scalar = secureRandomScalar()
  const password = randomBytes(16).toString('hex')
  const salt = randomBytes(32)
  const iv = randomBytes(16)
  const key = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256')
  const secret = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex')
  const message = createCipheriv('aes-128-ctr', key.subarray(0, 16), iv).update(secret)
  const checksum = createHash('sha256').update(key.subarray(16)).update(message).digest('hex')
  const kdf = { dklen: 32, c: ITERATIONS, prf: 'hmac-sha256', salt: salt.toString('hex') }
  return {
    password,
    keystore: JSON.stringify({
      version: 4,
      pubkey: Buffer.from(bls.encodePublicKey(bls.toPublicKey(secretFromScalar(scalar)))).toString('hex'),
      crypto: {
        kdf: { function: 'pbkdf2', params: kdf, message: '' },
        checksum: { function: 'sha256', params: {}, message: checksum },
        cipher: {
          function: 'aes-128-ctr',
          params: { iv: iv.toString('hex') },
          message: message.toString('hex'),
        },
      },
    }),
  }
}

/** Loads fifty keystores and reports the time, the cores in use and the longest wait of the event loop. */
export async function benchKeystores(): Promise<{ name: string; value: string }[]> {
  const directory = mkdtempSync(join(tmpdir(), 'dvt-exit-bench-'))
  try {
    for (let n = 0; n < COUNT; n++) {
      const { keystore, password } = createKeystore()
      writeFileSync(join(directory, `keystore-${n}.json`), keystore)
      writeFileSync(join(directory, `keystore-${n}.txt`), password)
    }
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const started = performance.now()
    const cpu = process.cpuUsage()
    const { keystores } = await readKeystores(directory)
    const { shares, errors } = await new KeyShareDecryptor().decryptAll(keystores)
    const seconds = (performance.now() - started) / 1000
    const { user, system } = process.cpuUsage(cpu)
    delay.disable()
    if (shares.length !== COUNT || errors.length > 0) throw new Error('the keystores did not load')
    return [
      { name: `load ${COUNT} pbkdf2 keystores`, value: `${seconds.toFixed(2)} s` },
      {
        name: `  cores in use, of ${availableParallelism()}`,
        value: ((user + system) / 1e6 / seconds).toFixed(2),
      },
      {
        name: '  longest wait of the event loop (target 50 ms)',
        value: `${(delay.max / 1e6).toFixed(1)} ms`,
      },
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
