import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { NodeFiles } from './node.js'

/**
 * A text that changes when a keystore, a password, the lock or the ENR key is added, removed, written or given
 * other rights. Comparing it now and then works on every file system, network mounts and bind mounts of
 * containers included, where notifications do not.
 */
export async function directoryFingerprint(files: NodeFiles): Promise<string> {
  const names = await readdir(files.keystoresDir).catch(() => [])
  const paths = [
    files.clusterLockFile,
    files.enrKeyFile,
    ...names.toSorted().map((name) => join(files.keystoresDir, name)),
  ]
  return (await Promise.all(paths.map(describe))).join('\n')
}

async function describe(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  return found === undefined
    ? `${path} -`
    : `${path} ${found.size} ${found.mtimeMs} ${found.ctimeMs} ${found.ino}`
}
