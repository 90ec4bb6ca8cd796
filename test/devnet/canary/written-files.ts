/** The files below folders, read once as long as they do not change. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Recorded } from './records.js'

const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url))

export class WrittenFiles {
  readonly #read = new Map<string, string>()

  /** Every file below the folders that is new or has changed since it was read. Folders that are gone have none. */
  changed(folders: Iterable<string>): Recorded[] {
    return [...folders].flatMap((folder) => filesBelow(folder)).flatMap((path) => this.#readChanged(path))
  }

  /** Everything counts as new again. */
  forget(): void {
    this.#read.clear()
  }

  #readChanged(path: string): Recorded[] {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return []
    const version = `${stat.ino} ${stat.size} ${stat.mtimeMs}`
    if (this.#read.get(path) === version) return []
    this.#read.set(path, version)
    const bytes = readOrGone(path)
    return bytes === undefined ? [] : [{ place: { kind: 'file', path }, bytes }]
  }
}

function filesBelow(folder: string): string[] {
  const entries = statSync(folder, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(folder, { withFileTypes: true, recursive: true })
    : []
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function readOrGone(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * The test's own folder that a path is in: the first one below the folder of temporary files.
 * @returns undefined where the path is elsewhere, or in the checkout, which may be a temporary folder itself
 */
export function temporaryFolderOf(path: string): string | undefined {
  const root = resolve(tmpdir()) + sep
  const whole = resolve(path)
  if (!whole.startsWith(root)) return undefined
  const [first = ''] = whole.slice(root.length).split(sep)
  const folder = root + first
  return first === '' || CHECKOUT.startsWith(folder + sep) ? undefined : folder
}
