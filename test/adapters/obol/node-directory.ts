import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KeyShareDecryptor } from '../../../adapters/obol/key-shares.js'
import type { FileReader } from '../../../adapters/obol/keystore-files.js'
import { filesBeside, loadNode, type NodeFiles } from '../../../adapters/obol/node.js'
import { loadNetwork } from '../../../core/network.js'

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
