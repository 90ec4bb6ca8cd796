import { required, type Values } from '../../core/options.js'
import { loadWallet } from '../../core/wallet/secret-storage.js'
import type { Keys } from '../registration/authority.js'
import { keyOptions } from './options.js'

/**
 * The wallet, and the validators manager's key where there is another.
 * @throws ConfigurationError MISSING_OPTION, and those of wallet files
 */
export async function loadKeys(values: Values<typeof keyOptions>): Promise<Keys> {
  const options = keyOptions
  const wallet = await loadWallet({
    file: required(values.walletFile, options.walletFile),
    passwordFile: required(values.walletPasswordFile, options.walletPasswordFile),
    names: { file: 'WALLET_FILE', passwordFile: 'WALLET_PASSWORD_FILE' },
  })
  if (values.validatorsManagerKeyFile === undefined) return { wallet, manager: wallet }
  const manager = await loadWallet({
    file: values.validatorsManagerKeyFile,
    passwordFile: required(values.validatorsManagerPasswordFile, options.validatorsManagerPasswordFile),
    names: { file: 'VALIDATORS_MANAGER_KEY_FILE', passwordFile: 'VALIDATORS_MANAGER_PASSWORD_FILE' },
  })
  return { wallet, manager }
}
