/** The key that shares at rest are encrypted with: 32 random bytes in a file of the owner alone. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ConfigurationError, describeError } from '../../core/errors.js'
import { fromHex } from '../../core/hex.js'
import { Secret } from '../../core/secret.js'

/** Where the key is unless RELAYER_KEY_FILE says else: not beside the database, so that a copy of the
 * database's folder alone opens no share. */
export function defaultKeyFile(home: string = homedir()): string {
  return join(home, '.dvt-exit', 'relayer.key')
}

/**
 * Reads the key; makes it, with mode 0600, where there is none.
 * @returns 32 bytes
 * @throws ConfigurationError KEY_FILE_READABLE_BY_OTHERS, KEY_FILE_INVALID, KEY_FILE_UNREADABLE
 */
export function loadOrCreateKey(file: string): Secret<Uint8Array> {
  return orUnreadable(file, 'read or make', () => {
    createKey(file)
    return readKey(file)
  })
}

/** Reads the key, which must be there. Throws as loadOrCreateKey does. */
export function loadKey(file: string): Secret<Uint8Array> {
  return orUnreadable(file, 'read', () => readKey(file))
}

function orUnreadable<T>(file: string, what: string, use: () => T): T {
  try {
    return use()
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause
    throw new ConfigurationError(
      'KEY_FILE_UNREADABLE',
      `cannot ${what} the key file ${file}: ${describeError(cause)}`,
      { cause, hint: 'Name a file in a folder of your own with RELAYER_KEY_FILE' },
    )
  }
}

/** Makes the file complete or not at all: it appears under its name when its content is on the disk. */
function createKey(file: string): void {
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) return
  const folder = dirname(resolve(file))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeSync(descriptor, `${randomBytes(32).toString('hex')}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  try {
    linkSync(draft, file)
    syncFolder(folder)
  } catch (error) {
    // Another process was first: its key counts.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function readKey(file: string): Secret<Uint8Array> {
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new ConfigurationError('KEY_FILE_READABLE_BY_OTHERS', `${file} can be read by other users`, {
      hint: `Run chmod 600 ${file}`,
    })
  }
  try {
    return new Secret(fromHex(readFileSync(file, 'utf8').trim(), 32))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('E')) throw error
    throw new ConfigurationError('KEY_FILE_INVALID', `${file} does not hold 32 bytes of hex`, {
      hint: 'Restore it; without it the shares in the database are lost, and are collected again',
    })
  }
}
