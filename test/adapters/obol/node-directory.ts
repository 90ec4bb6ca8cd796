import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyShareDecryptor } from '../../../adapters/obol/key-shares.js'
import type { FileReader } from '../../../adapters/obol/keystore-files.js'
import { filesBeside, loadNode, type NodeFiles } from '../../../adapters/obol/node.js'
import { bls } from '../../../core/bls/backend.js'
import { modulo } from '../../../core/bls/lagrange.js'
import { secretFromScalar } from '../../../core/bls/threshold.js'
import { toHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { keystoreMaker } from '../../doubles/keystore.js'

const OBOL = fileURLToPath(new URL('../../fixtures/obol/', import.meta.url))

/** One node's directory of a bundled cluster. */
export const nodeHome = (cluster: string, node: number) => join(OBOL, cluster, `node${node}`)

/** What the options say when nothing but the keystores directory is given. */
export function nodeFiles(home: string, changes: Partial<NodeFiles> = {}): NodeFiles {
  return {
    ...filesBeside(join(home, 'validator_keys')),
    expectedNodeIndex: undefined,
    allowIncomplete: false,
    strictLock: false,
    ...changes,
  }
}

interface LockJson {
  distributed_validators: { distributed_public_key: string; public_shares: string[] }[]
}
interface ExpectedJson {
  validators: { distributed_public_key: string; root_secret: string }[]
}

/**
 * Writes another sharing of the same validators' keys into a node's directory, as after an edit of the cluster:
 * the same keys, threshold and nodes, other shares.
 * @param parts what of it is written
 */
export function reshare(home: string, node: number, parts: { lock?: boolean; keystores?: boolean }): void {
  const lockFile = join(home, 'cluster-lock.json')
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as LockJson
  const expected = JSON.parse(
    readFileSync(join(OBOL, 'obol-4n3t-hoodi.EXPECTED.json'), 'utf8'),
  ) as ExpectedJson
  const encrypt = keystoreMaker('reshared')
  for (const [n, validator] of expected.validators.entries()) {
    const share = (x: bigint) => modulo(BigInt(validator.root_secret) + 5n * x + 7n * x * x)
    const publicShare = (x: bigint) => bls.encodePublicKey(bls.toPublicKey(secretFromScalar(share(x))))
    if (parts.keystores === true) {
      const x = BigInt(node + 1)
      const keystore = encrypt(
        Buffer.from(share(x).toString(16).padStart(64, '0'), 'hex'),
        toHex(publicShare(x)).slice(2),
      )
      const file = join(home, 'validator_keys', `keystore-insecure-${n}`)
      writeFileSync(`${file}.json`, JSON.stringify(keystore))
      writeFileSync(`${file}.txt`, 'reshared')
    }
    const locked = lock.distributed_validators.find(
      (candidate) => candidate.distributed_public_key === validator.distributed_public_key,
    )
    if (locked !== undefined) locked.public_shares = [1n, 2n, 3n, 4n].map((x) => toHex(publicShare(x)))
  }
  if (parts.lock === true) writeFileSync(lockFile, JSON.stringify(lock))
}

const copies: string[] = []

/** A copy of a node's directory that a test may spoil. */
export function copyOfNode(cluster = 'obol-4n3t-hoodi', node = 0): string {
  const home = mkdtempSync(join(tmpdir(), 'dvt-exit-obol-'))
  copies.push(home)
  cpSync(nodeHome(cluster, node), home, { recursive: true })
  return home
}

/** Removes the copies of a test. */
export function removeCopies(): void {
  for (const home of copies.splice(0)) rmSync(home, { recursive: true, force: true })
}

/** Loads a node directory and returns what came of it. */
export function load(home: string, changes: Partial<NodeFiles> = {}, files?: FileReader, network = 'hoodi') {
  const context = { network: loadNetwork(network), decryptor: new KeyShareDecryptor() }
  return loadNode(nodeFiles(home, changes), files === undefined ? context : { ...context, files })
}
