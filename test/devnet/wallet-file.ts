import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encrypt, scrypt } from 'ox/Keystore'
import type { Hex } from '../../core/hex.js'
import { inFile } from './canary/secrets.js'
import { canaryInUse } from './canary/shared.js'

/** Where a wallet was written. */
export interface WrittenWallet {
  readonly file: string
  readonly passwordFile: string
}

/** Writes a wallet as Web3 Secret Storage, weakly encrypted so that tests are quick, and its password beside it. */
export function writeWallet(folder: string, name: string, privateKey: Hex): WrittenWallet {
  const password = `pass wörd of ${name}`
  const [key, options] = scrypt({ password, n: 16, r: 8, p: 1 })
  const file = join(folder, `${name}.json`)
  const passwordFile = join(folder, `${name}-password.txt`)
  writeFileSync(file, JSON.stringify(encrypt(privateKey, key, options)), { mode: 0o600 })
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  canaryInUse()?.secrets.addKey(`the key of the wallet ${name}`, privateKey)
  canaryInUse()?.secrets.addText(`the password of the wallet ${name}`, password, inFile(passwordFile))
  return { file, passwordFile }
}
