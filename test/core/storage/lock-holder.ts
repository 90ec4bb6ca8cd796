/** A process of its own that holds a database’s lock, as a forgotten shell or backup tool does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'

const LIBSQL = createRequire(import.meta.url).resolve('libsql')
const HOLD = `
  const [library, file, begin] = process.argv.slice(1)
  const connection = new (require(library))(file)
  connection.exec(begin)
  console.log('held')
  process.stdin.resume().on('end', () => process.exit())`

/**
 * Resolves when the lock is held.
 * @param begin what takes it
 * @returns what ends the process, and resolves when it is gone
 */
export async function holdLock(file: string, begin = 'BEGIN EXCLUSIVE'): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, ['-e', HOLD, LIBSQL, file, begin], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => Promise.reject(new Error('it ended without the lock'))),
  ])
  return async () => {
    child.stdin.end()
    await ended
  }
}
