/** Charon's validator_keys directory: keystore-N.json beside keystore-N.txt, read but not decrypted yet. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unreadableFile } from '../../core/clusters/unreadable-file.js'
import { ConfigurationError, DvtExitError, describeError } from '../../core/errors.js'
import { parseJson } from '../../core/json.js'
import { type Keystore, normalizePassword, parseKeystore } from '../../core/keystore/eip2335.js'
import { Secret } from '../../core/secret.js'

/** Reads files and directories; a test gives one that fails. */
export interface FileReader {
  read(file: string): Promise<string>
  list(directory: string): Promise<readonly string[]>
}

export const diskReader: FileReader = {
  read: (file) => readFile(file, 'utf8'),
  list: (directory) => readdir(directory),
}

/** One keystore with its password. */
export interface KeystoreFile {
  readonly file: string
  readonly keystore: Keystore
  /** Normalised bytes. */
  readonly password: Secret<Uint8Array>
  /** Hash of both files: what was decrypted once needs no decryption again. */
  readonly contentHash: string
}

export interface KeystoreListing {
  readonly keystores: readonly KeystoreFile[]
  /** Each names its file. */
  readonly errors: readonly ConfigurationError[]
}

const KEYSTORE = /^keystore-.*\.json$/

/** Reads every keystore of a directory. What cannot be used is in the errors, the rest in the keystores. */
export async function readKeystores(
  directory: string,
  files: FileReader = diskReader,
): Promise<KeystoreListing> {
  let names: readonly string[]
  try {
    names = (await files.list(directory)).filter((name) => KEYSTORE.test(name)).toSorted()
  } catch (cause) {
    return { keystores: [], errors: [unreadableFile('keystores directory', directory, cause)] }
  }
  if (names.length === 0) {
    const error = new ConfigurationError('NO_KEYSTORES', `${directory} has no keystore-*.json`, {
      hint: "Set OBOL_KEYSTORES_DIR to the node's validator_keys directory",
    })
    return { keystores: [], errors: [error] }
  }
  const keystores: KeystoreFile[] = []
  const errors: ConfigurationError[] = []
  for (const name of names) {
    try {
      keystores.push(await readKeystore(join(directory, name), files))
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      errors.push(error)
    }
  }
  return { keystores, errors }
}

async function readKeystore(file: string, files: FileReader): Promise<KeystoreFile> {
  const content = await readNamed('keystore', file, files)
  const passwordFile = file.replace(/\.json$/, '.txt')
  const password = await readNamed(`password of ${file},`, passwordFile, files)
  return {
    file,
    keystore: parseNamed(file, content),
    password: new Secret(normalizePassword(password)),
    contentHash: createHash('sha256').update(`${content}\0${password}`).digest('hex'),
  }
}

async function readNamed(what: string, file: string, files: FileReader): Promise<string> {
  try {
    return await files.read(file)
  } catch (cause) {
    throw unreadableFile(what, file, cause)
  }
}

function parseNamed(file: string, content: string): Keystore {
  let json: unknown
  try {
    json = parseJson(content)
  } catch (cause) {
    throw new ConfigurationError('INVALID_KEYSTORE', `keystore ${file} is not JSON: ${describeError(cause)}`)
  }
  try {
    return parseKeystore(json)
  } catch (cause) {
    if (!(cause instanceof DvtExitError)) throw cause
    throw new ConfigurationError(cause.code, `keystore ${file}: ${cause.message}`, { cause })
  }
}
