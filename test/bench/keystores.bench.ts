/** How fast a node's directory loads: fifty keystores with the key derivation that Charon uses, and their lock. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createObolSigners } from '../../adapters/obol/create.js'
import { bls } from '../../core/bls/backend.js'
import { modulo } from '../../core/bls/lagrange.js'
import { secretFromScalar, secureRandomScalar } from '../../core/bls/threshold.js'
import { toHex } from '../../core/hex.js'
import { createLogger } from '../../core/log.js'
import { loadNetwork } from '../../core/network.js'
import { keystoreMaker } from '../doubles/keystore.js'

const COUNT = 50
const ITERATIONS = 262_144
const NODES = [1n, 2n, 3n, 4n]
const PASSWORD = 'bench'

const publicKeyOf = (scalar: bigint) => toHex(bls.encodePublicKey(bls.toPublicKey(secretFromScalar(scalar))))

/** Writes node 0 of a made-up cluster, 3 of 4. Its keystores share a salt, so that writing them is quick. */
function writeNode(home: string): string {
  const network = loadNetwork('hoodi')
  const keystores = join(home, 'validator_keys')
  mkdirSync(keystores)
  const encrypt = keystoreMaker(PASSWORD, { function: 'pbkdf2', c: ITERATIONS })
  const validators = Array.from({ length: COUNT }, (_, n) => {
    const [a, b, c] = [secureRandomScalar(), secureRandomScalar(), secureRandomScalar()]
    const share = (x: bigint) => modulo(a + b * x + c * x * x)
    const secret = Buffer.from(share(1n).toString(16).padStart(64, '0'), 'hex')
    const keystore = encrypt(secret, publicKeyOf(share(1n)).slice(2))
    writeFileSync(join(keystores, `keystore-${n}.json`), JSON.stringify(keystore))
    writeFileSync(join(keystores, `keystore-${n}.txt`), PASSWORD)
    const shares = NODES.map((x) => publicKeyOf(share(x)))
    return { distributed_public_key: publicKeyOf(a), public_shares: shares }
  })
  const lock = {
    cluster_definition: {
      name: 'bench',
      version: 'v1.11.0',
      threshold: 3,
      fork_version: network.genesisForkVersion,
      operators: NODES.map(() => ({ enr: '' })),
    },
    distributed_validators: validators,
    lock_hash: `0x${'00'.repeat(32)}`,
  }
  writeFileSync(join(home, 'cluster-lock.json'), JSON.stringify(lock))
  return keystores
}

/** Loads fifty keystores and reports the time, the cores in use and the longest wait of the event loop. */
export async function benchKeystores(): Promise<{ name: string; value: string }[]> {
  const home = mkdtempSync(join(tmpdir(), 'dvt-exit-bench-'))
  try {
    const keystoresDir = writeNode(home)
    await new Promise((resolve) => setImmediate(resolve))
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const started = performance.now()
    const cpu = process.cpuUsage()
    const [signer] = await createObolSigners(
      {
        keystoresDir,
        clusterLockFile: undefined,
        nodeIndex: undefined,
        keystoresDirTemplate: undefined,
        nodeIndexes: undefined,
        allowIncomplete: false,
        strictLock: false,
      },
      {
        network: loadNetwork('hoodi'),
        logger: createLogger('bench', 'silent', 'plain'),
        progress: () => {},
      },
    )
    const seconds = (performance.now() - started) / 1000
    const { user, system } = process.cpuUsage(cpu)
    delay.disable()
    await signer?.close()
    if (signer?.validators().size !== COUNT) throw new Error('the keystores did not load')
    return [
      { name: `load ${COUNT} pbkdf2 keystores`, value: `${seconds.toFixed(2)} s` },
      {
        name: `  cores in use, of ${availableParallelism()} (libuv has ${process.env['UV_THREADPOOL_SIZE'] ?? 4} threads)`,
        value: ((user + system) / 1e6 / seconds).toFixed(2),
      },
      {
        name: '  longest wait of the event loop (target 50 ms)',
        value: `${(delay.max / 1e6).toFixed(1)} ms`,
      },
    ]
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
