/** An SSV operator's RSA key in every form that SSV nodes have kept it in. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { unreadableFile } from '../../core/clusters/unreadable-file.js'
import { ConfigurationError, DvtExitError, describeError } from '../../core/errors.js'
import { parseJson } from '../../core/json.js'
import { decryptCrypto, type EncryptedCrypto, parseCrypto } from '../../core/keystore/eip2335.js'
import type { Secret } from '../../core/secret.js'
import { describeUnreadableSecret, mayBeNamed } from '../../core/secret-file.js'
import { passwordForms } from './operator-password.js'

/** Where an operator's key is. */
export type OperatorKeySource =
  | { readonly keyFile: string; readonly passwordFile: string | undefined }
  /** Base64 of a PEM, or the name of a file that holds it. */
  | { readonly key: Secret<string> }

export interface OperatorKey {
  readonly privateKey: KeyObject
  /** The public key as it may be registered with SSVNetwork: base64 of a PEM, the likeliest first. */
  readonly publicKeys: readonly string[]
  /** The file, or the variable, for messages. */
  readonly source: string
}

/** Reads a text file; a test gives one that fails. */
export type ReadText = (file: string) => Promise<string>
const readText: ReadText = (file) => readFile(file, 'utf8')

/** Every share is encrypted to 2048 bits: the contract's events have 256 bytes for each. */
const MODULUS_BITS = 2048

/** What the public key has been called over the node's versions. Files before v1.0.0-rc.2 have none. */
const publicKeySchema = z.object({
  pubkey: z.string().optional(),
  pubKey: z.string().optional(),
  publicKey: z.string().optional(),
})

/**
 * Loads an operator's key.
 * @throws ConfigurationError UNREADABLE_FILE, INVALID_OPERATOR_KEY, MISSING_OPTION, WRONG_PASSWORD
 */
export async function loadOperatorKey(
  source: OperatorKeySource,
  read: ReadText = readText,
): Promise<OperatorKey> {
  if ('key' in source) return readGivenKey(source.key, read)
  const { keyFile, passwordFile } = source
  const text = await readFrom(read, 'operator key file', keyFile)
  if (!text.trimStart().startsWith('{')) return plainKey(text, keyFile)
  const { crypto, publicKey } = parseKeyFile(text, keyFile)
  if (passwordFile === undefined) {
    throw new ConfigurationError('MISSING_OPTION', `${keyFile} is encrypted and no password file is given`, {
      hint: 'Set SSV_OPERATOR_PASSWORD_FILE',
    })
  }
  const password = await readFrom(read, 'operator password file', passwordFile)
  const pem = await decrypt(crypto, password, { keyFile, passwordFile })
  return operatorKey(privateKeyOf(pem, keyFile), publicKey, keyFile)
}

/** The key from the variable itself, or from the file that it names. The value is never repeated. */
async function readGivenKey(given: Secret<string>, read: ReadText): Promise<OperatorKey> {
  const source = 'OPERATOR_KEY'
  if (pemOf(given.reveal()) !== undefined) return plainKey(given.reveal(), source)
  let text: string
  try {
    text = await read(given.reveal())
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'EACCES' || code === 'EPERM') throw unreadableFile('the file of', source, cause)
    throw invalid(source, 'it is neither base64 of a PEM nor the name of a file')
  }
  return plainKey(text, source)
}

function plainKey(text: string, source: string): OperatorKey {
  const pem = pemOf(text)
  if (pem === undefined) throw invalid(source, 'it is neither JSON nor base64 of a PEM')
  return operatorKey(privateKeyOf(pem, source), undefined, source)
}

/** The PEM in a text that is one, or base64 of one. */
function pemOf(text: string): string | undefined {
  if (text.trimStart().startsWith('-----BEGIN')) return text
  const decoded = Buffer.from(text.trim(), 'base64').toString('latin1')
  return decoded.startsWith('-----BEGIN') ? decoded : undefined
}

function parseKeyFile(text: string, file: string) {
  let json: unknown
  try {
    json = parseJson(text)
  } catch {
    throw invalid(file, 'it is not JSON')
  }
  try {
    const fields = publicKeySchema.parse(json)
    return { crypto: parseCrypto(json), publicKey: fields.pubkey ?? fields.pubKey ?? fields.publicKey }
  } catch (cause) {
    throw invalid(file, cause instanceof DvtExitError ? describeError(cause) : 'its public key is no text')
  }
}

async function decrypt(
  crypto: EncryptedCrypto,
  password: string,
  { keyFile, passwordFile }: { keyFile: string; passwordFile: string },
): Promise<string> {
  for (const form of passwordForms(password)) {
    try {
      return Buffer.from(await decryptCrypto(crypto, form)).toString('latin1')
    } catch (error) {
      if (!(error instanceof DvtExitError && error.code === 'WRONG_PASSWORD')) throw error
    }
  }
  throw new ConfigurationError('WRONG_PASSWORD', `the password in ${passwordFile} does not open ${keyFile}`, {
    hint: 'Set SSV_OPERATOR_PASSWORD_FILE to the password file that the SSV node uses',
  })
}

function privateKeyOf(pem: string, source: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw invalid(source, 'it holds no private key')
  }
  const { modulusLength } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa' && modulusLength === MODULUS_BITS) return key
  throw invalid(source, `it holds no RSA key of ${MODULUS_BITS} bits`)
}

function operatorKey(privateKey: KeyObject, written: string | undefined, source: string): OperatorKey {
  const derived = encodePublicKey(privateKey)
  if (written === undefined || written === derived) return { privateKey, publicKeys: [derived], source }
  if (!isSameKey(written, privateKey)) throw invalid(source, 'its public key is not that of its private key')
  return { privateKey, publicKeys: [derived, written], source }
}

/** The public key as the SSV node writes it: base64 of a PEM that says RSA PUBLIC KEY but holds SPKI. */
function encodePublicKey(privateKey: KeyObject): string {
  const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  return Buffer.from(pem.replaceAll(' PUBLIC KEY', ' RSA PUBLIC KEY')).toString('base64')
}

function isSameKey(written: string, privateKey: KeyObject): boolean {
  try {
    const pem = Buffer.from(written, 'base64').toString('latin1').replaceAll('RSA PUBLIC KEY', 'PUBLIC KEY')
    return createPublicKey(pem).equals(createPublicKey(privateKey))
  } catch {
    return false
  }
}

async function readFrom(read: ReadText, what: string, file: string): Promise<string> {
  try {
    return await read(file)
  } catch (cause) {
    if (mayBeNamed(file)) throw unreadableFile(what, file, cause)
    throw new ConfigurationError('UNREADABLE_FILE', `${what}: ${describeUnreadableSecret(file, cause)}`, {
      hint: 'Name a file there; an unencrypted key itself can be given as OPERATOR_KEY',
    })
  }
}

function invalid(source: string, reason: string): ConfigurationError {
  return new ConfigurationError('INVALID_OPERATOR_KEY', `${source} is not an SSV operator key: ${reason}`, {
    hint: "Give the node's encrypted_private_key.json, or its private key as base64 of a PEM",
  })
}
