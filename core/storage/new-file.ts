/** Files that appear under their name whole, on the disk, or not at all. */
import { randomBytes } from 'node:crypto'
import { constants, existsSync } from 'node:fs'
import { chmod, copyFile, link, open, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { syncDirectory } from './sync-directory.js'

/**
 * Has a file made under another name beside the one that it is to have, with mode 0600, and clears that away whatever
 * comes of it, with the journals of SQLite.
 * @param make writes the draft, and places it where all is well
 */
export async function withDraftOf<T>(file: string, make: (draft: string) => Promise<T>): Promise<T> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  const handle = await open(draft, 'wx', 0o600)
  await handle.close()
  try {
    return await make(draft)
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${draft}${suffix}`, { force: true })
  }
}

/** Copies a file's content into a draft, which keeps its mode. */
export async function copyInto(draft: string, source: string): Promise<void> {
  await copyFile(source, draft, constants.COPYFILE_FICLONE)
  await chmod(draft, 0o600)
}

/** Gives a draft its name, in the place of whatever has it. Resolves when it is on the disk. */
export async function place(draft: string, file: string): Promise<void> {
  await sync(draft)
  await rename(draft, file)
  await syncDirectory(dirname(resolve(file)))
}

/** Gives a draft its name. @returns false where something has it already */
export async function placeNew(draft: string, file: string): Promise<boolean> {
  await sync(draft)
  try {
    await link(draft, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || existsSync(file)) return false
    // There are file systems without links.
    await rename(draft, file)
  }
  await syncDirectory(dirname(resolve(file)))
  return true
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
