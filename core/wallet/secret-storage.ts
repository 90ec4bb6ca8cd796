/**
 * Wallets: private keys in Web3 Secret Storage files, version 3, as geth and most wallets write them
 * (https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/).
 */
import { readFile } from 'node:fs/promises'
import { decrypt, scrypt, scryptAsync } from 'ox/Keystore'
import { isAddressEqual } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { z } from 'zod'
import { ConfigurationError, DvtExitError, describeError } from '../errors.js'
import { fromHex, type Hex, toHex } from '../hex.js'
import { parseJson } from '../json.js'
import {
  assertAffordable,
  deriveKey,
  hexField,
  isWithinStandard,
  type KeyDerivation,
} from '../keystore/key-derivation.js'
import { describeUnreadableSecret } from '../secret-file.js'
import { describeShapeIssues } from '../shape-issues.js'
import { hexBytes } from '../wire/fields.js'

/** Where a wallet lies. */
export interface WalletFiles {
  readonly file: string
  readonly passwordFile: string
  /** What the two are called where they are configured, for messages: WALLET_FILE, WALLET_PASSWORD_FILE. */
  readonly names: { readonly file: string; readonly passwordFile: string }
}

/** Hex digits as ox takes them: without 0x. */
const digits = (length?: number) => hexField(length).transform((bytes) => toHex(bytes).slice(2))

const cryptoFields = {
  cipher: z.literal('aes-128-ctr'),
  cipherparams: z.object({ iv: digits(16) }),
  ciphertext: digits(32),
  mac: digits(32),
}

const cryptoSchema = z.discriminatedUnion('kdf', [
  z.object({
    ...cryptoFields,
    kdf: z.literal('scrypt'),
    kdfparams: z.object({
      dklen: z.literal(32),
      n: z.int().min(2),
      r: z.int().min(1),
      p: z.int().min(1),
      salt: digits(),
    }),
  }),
  z.object({
    ...cryptoFields,
    kdf: z.literal('pbkdf2'),
    kdfparams: z.object({
      dklen: z.literal(32),
      c: z.int().min(1),
      prf: z.literal('hmac-sha256'),
      salt: digits(),
    }),
  }),
])

const storageSchema = z.preprocess(
  // Some old tools write "Crypto".
  (json) =>
    isObject(json) && 'Crypto' in json && !('crypto' in json) ? { ...json, crypto: json['Crypto'] } : json,
  z.object({
    version: z.literal(3),
    address: hexBytes(20, 'address').optional(),
    crypto: cryptoSchema,
  }),
)

type SecretStorage = z.infer<typeof storageSchema>

/**
 * The account of a wallet's file. The private key stays inside the account.
 * @throws ConfigurationError WALLET_UNREADABLE, INVALID_WALLET, WRONG_WALLET_PASSWORD; none shows the password,
 *   the key, or any of the file's fields that belong to them
 */
export async function loadWallet(files: WalletFiles): Promise<PrivateKeyAccount> {
  const storage = parseStorage(await read(files.names.file, files.file), files)
  const password = (await read(files.names.passwordFile, files.passwordFile)).replace(/\r?\n$/, '')
  const account = accountOf(await decryptKey(storage, password, files), files)
  if (storage.address !== undefined && !isAddressEqual(storage.address, account.address)) {
    throw invalid(
      files,
      `it says that it is of ${storage.address}, but its key is that of ${account.address}`,
    )
  }
  return account
}

async function read(name: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigurationError(
      'WALLET_UNREADABLE',
      `cannot read ${name} ${describeUnreadableSecret(file, cause)}`,
      { hint: `Set ${name} to a file that this user may read` },
    )
  }
}

function parseStorage(text: string, files: WalletFiles): SecretStorage {
  let json: unknown
  try {
    json = parseJson(text)
  } catch {
    // The parser's message would repeat a part of the file, which may be a bare key.
    throw invalid(files, 'it is not JSON')
  }
  const parsed = storageSchema.safeParse(json)
  if (!parsed.success) throw invalid(files, describeShapeIssues(parsed.error))
  try {
    assertAffordable(derivationOf(parsed.data.crypto))
  } catch (error) {
    throw invalid(files, describeError(error))
  }
  return parsed.data
}

async function decryptKey({ crypto }: SecretStorage, password: string, files: WalletFiles): Promise<Hex> {
  const key = await derive(derivationOf(crypto), password, files)
  try {
    return decrypt({ version: 3, id: '', crypto }, toHex(key))
  } catch {
    throw new ConfigurationError(
      'WRONG_WALLET_PASSWORD',
      `${files.names.passwordFile} ${files.passwordFile} does not hold the password of ${files.names.file} ${files.file}`,
      {
        hint: 'Write the password into it as it is; one line break at its end is left out. Or the wallet is damaged',
      },
    )
  } finally {
    key.fill(0)
  }
}

async function derive(kdf: KeyDerivation, password: string, files: WalletFiles): Promise<Uint8Array> {
  if (kdf.function === 'scrypt' && !isWithinStandard(kdf)) return deriveBeyondStandard(kdf.params, password)
  try {
    return await deriveKey(kdf, Buffer.from(password, 'utf8'))
  } catch (error) {
    if (error instanceof DvtExitError) throw invalid(files, error.message)
    throw error
  }
}

/** Much that is in use, the definition's own example included, has n = 2^18 and r = 1: OpenSSL refuses that. */
async function deriveBeyondStandard(
  { n, r, p, salt }: Extract<KeyDerivation, { function: 'scrypt' }>['params'],
  password: string,
): Promise<Uint8Array> {
  // ox's asynchronous scrypt always takes r = 1 and p = 8; the other one holds the event loop meanwhile.
  const [key] =
    r === 1 && p === 8 ? await scryptAsync({ n, salt, password }) : scrypt({ n, r, p, salt, password })
  return fromHex(typeof key === 'function' ? key() : key)
}

function derivationOf(crypto: SecretStorage['crypto']): KeyDerivation {
  const salt = fromHex(crypto.kdfparams.salt)
  return crypto.kdf === 'scrypt'
    ? { function: 'scrypt', params: { ...crypto.kdfparams, salt } }
    : { function: 'pbkdf2', params: { ...crypto.kdfparams, salt } }
}

function accountOf(privateKey: Hex, files: WalletFiles): PrivateKeyAccount {
  try {
    return privateKeyToAccount(privateKey)
  } catch {
    throw invalid(files, 'what it holds is not a private key of secp256k1')
  }
}

function invalid({ names, file }: WalletFiles, reason: string): ConfigurationError {
  return new ConfigurationError('INVALID_WALLET', `${names.file} ${file}: ${reason}`, {
    hint: 'It must be a Web3 Secret Storage file of version 3, as geth account new writes it',
  })
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
