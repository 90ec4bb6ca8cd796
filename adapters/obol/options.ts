import { flag, integer, list, type OptionSet, text } from '../../core/options.js'

function parseNodeIndexes(value: string): readonly number[] {
  const indexes = list(value).map(integer(0, 255))
  if (indexes.length === 0) throw new Error('expected at least one node index')
  if (new Set(indexes).size < indexes.length) throw new Error(`expected each node index once, got "${value}"`)
  return indexes
}

/** Options of a sidecar beside Charon. */
export const obolOptions = {
  keystoresDir: {
    flag: 'obol-keystores-dir',
    env: ['OBOL_KEYSTORES_DIR'],
    describe: "Charon's validator_keys directory",
    placeholder: 'DIR',
    parse: text,
  },
  clusterLockFile: {
    flag: 'obol-cluster-lock-file',
    env: ['OBOL_CLUSTER_LOCK_FILE'],
    describe: 'the cluster lock; without it cluster-lock.json beside the keystores directory',
    placeholder: 'FILE',
    parse: text,
  },
  nodeIndex: {
    flag: 'obol-node-index',
    env: ['OBOL_NODE_INDEX'],
    describe: 'which node this is, from 0: not needed, an error where the keystores say otherwise',
    placeholder: 'N',
    parse: integer(0, 255),
  },
  keystoresDirTemplate: {
    flag: 'obol-keystores-dir-template',
    env: ['OBOL_KEYSTORES_DIR_TEMPLATE'],
    describe: 'several nodes in one process, for testing: the keystores directory with {node_index} in it',
    placeholder: 'DIR',
    parse: text,
  },
  nodeIndexes: {
    flag: 'obol-node-indexes',
    env: ['OBOL_NODE_INDEXES'],
    describe: 'the node indexes that go into the template, comma-separated',
    placeholder: 'N,…',
    parse: parseNodeIndexes,
  },
  allowIncomplete: {
    flag: 'allow-incomplete-keystores',
    env: ['ALLOW_INCOMPLETE_KEYSTORES'],
    describe: 'start although validators of the lock have no keystore here',
    default: 'false',
    switch: true,
    parse: flag,
  },
  strictLock: {
    flag: 'strict-lock',
    env: ['STRICT_LOCK'],
    describe: 'refuse a cluster lock whose signature of all key shares is absent or wrong',
    default: 'false',
    switch: true,
    parse: flag,
  },
} as const satisfies OptionSet
