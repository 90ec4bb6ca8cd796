/** Charon's validator_keys directory: keystore-N.json beside keystore-N.txt, read but not decrypted yet. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unreadableFile } from '../../core/clusters/unreadable-file.js'
import { ConfigurationError, DvtExitError, describeError } from '../../core/errors.js'
import type { PublicKeyHex } from '../../core/hex.js'
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
  /** Every keystore-*.json that is there, readable or not; undefined where the directory tells nothing. */
  readonly files: ReadonlySet<string> | undefined
  readonly keystores: readonly KeystoreFile[]
  /** Public shares that keystores say they hold, also those without a usable password. */
  readonly announced: ReadonlySet<PublicKeyHex>
  /** Each names its file. */
  readonly errors: readonly ConfigurationError[]
}

const SET_DIRECTORY = "Set OBOL_KEYSTORES_DIR to the node's validator_keys directory"
/** What helps where a keystore is damaged. */
export const COPY_ANEW = "Copy it anew from Charon's validator_keys directory, with its .txt"

const KEYSTORE = /^keystore-.*\.json$/

/** The file that holds a keystore's password. */
export function passwordFileOf(keystoreFile: string): string {
  return keystoreFile.replace(/\.json$/, '.txt')
}

/** Reads every keystore of a directory. What cannot be used is in the errors, the rest in the keystores. */
export async function readKeystores(
  directory: string,
  reader: FileReader = diskReader,
): Promise<KeystoreListing> {
  let names: readonly string[]
  try {
    names = (await reader.list(directory)).filter((name) => KEYSTORE.test(name)).toSorted()
  } catch (cause) {
    return nothingRead(unreadableFile('keystores directory', directory, cause, SET_DIRECTORY))
  }
  if (names.length === 0) {
    return nothingRead(
      new ConfigurationError('NO_KEYSTORES', `${directory} has no keystore-*.json`, { hint: SET_DIRECTORY }),
    )
  }
  const files = names.map((name) => join(directory, name))
  const keystores: KeystoreFile[] = []
  const announced = new Set<PublicKeyHex>()
  const errors: ConfigurationError[] = []
  for (const file of files) {
    const read = await readKeystore(file, reader)
    if (read.announced !== undefined) announced.add(read.announced)
    if (read.keystore !== undefined) keystores.push(read.keystore)
    errors.push(...read.errors)
  }
  return { files: new Set(files), keystores, announced, errors }
}

function nothingRead(error: ConfigurationError): KeystoreListing {
  return { files: undefined, keystores: [], announced: new Set(), errors: [error] }
}

/** Both files of a keystore, with what is wrong with either. */
async function readKeystore(file: string, reader: FileReader) {
  const errors: ConfigurationError[] = []
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      errors.push(error)
      return undefined
    }
  }
  const parsed = await attempt(async () => {
    const content = await readNamed('keystore', file, reader)
    return { content, keystore: parseNamed(file, content) }
  })
  const password = await attempt(() => readNamed(`password of ${file},`, passwordFileOf(file), reader))
  const announced = parsed?.keystore.publicKey
  if (parsed === undefined || password === undefined) return { keystore: undefined, announced, errors }
  const keystore: KeystoreFile = {
    file,
    keystore: parsed.keystore,
    password: new Secret(normalizePassword(password)),
    contentHash: createHash('sha256').update(`${parsed.content}\0${password}`).digest('hex'),
  }
  return { keystore, announced, errors }
}

async function readNamed(what: string, file: string, reader: FileReader): Promise<string> {
  try {
    return await reader.read(file)
  } catch (cause) {
    throw unreadableFile(what, file, cause, COPY_ANEW)
  }
}

function parseNamed(file: string, content: string): Keystore {
  let json: unknown
  try {
    json = parseJson(content)
  } catch (cause) {
    throw new ConfigurationError(
      'INVALID_KEYSTORE',
      `keystore ${file} is not JSON: ${describeError(cause)}`,
      {
        hint: COPY_ANEW,
      },
    )
  }
  try {
    return parseKeystore(json)
  } catch (cause) {
    if (!(cause instanceof DvtExitError)) throw cause
    throw new ConfigurationError(cause.code, `keystore ${file}: ${cause.message}`, { cause, hint: COPY_ANEW })
  }
}
