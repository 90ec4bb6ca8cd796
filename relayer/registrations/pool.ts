/** The validators that a vault's next ones are chosen from, in a stable order. */
import { loadDepositData } from '../../core/deposits/deposit-data.js'
import { loadPublicKeys } from '../../core/deposits/public-keys-file.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import type { WantedDeposit } from '../validators/service.js'

/** A validator of a list or cluster. */
export interface PooledKey {
  readonly publicKey: PublicKeyHex
  /** The vault that it is for, in lower case; undefined: any. */
  readonly vault: Hex | undefined
}

/** What a pool is made of. */
export interface PoolSource {
  keys(): Iterable<PooledKey>
}

const ETH_32 = 32_000_000_000n

/** The keys of lists where a person gave any, else those of the clusters that the relayer knows. */
export class PublicKeyPool {
  readonly #lists: readonly PooledKey[]
  readonly #clusters: PoolSource
  readonly #vaults: readonly Hex[]

  /** @param vaults VAULTS, in lower case */
  constructor(lists: readonly PooledKey[], clusters: PoolSource, vaults: readonly Hex[]) {
    this.#lists = lists
    this.#clusters = clusters
    this.#vaults = vaults
  }

  /** The keys that may become validators of a vault, each once. */
  keysOf(vault: Hex): PublicKeyHex[] {
    const keys = this.#lists.length > 0 ? this.#lists : [...this.#clusters.keys()]
    const fitting = keys.filter((key) => key.vault === undefined || key.vault === vault)
    return [...new Set(fitting.map(({ publicKey }) => publicKey))]
  }

  /** What a sidecar of dialect 2 is told of a key whose exit alone is wanted: 32 ETH for the vault that is its. */
  depositOf(publicKey: PublicKeyHex): WantedDeposit | undefined {
    const keys = this.#lists.length > 0 ? this.#lists : [...this.#clusters.keys()]
    const found = keys.find((key) => key.publicKey === publicKey)
    const only = this.#vaults.length === 1 ? this.#vaults[0] : undefined
    const vault = found?.vault ?? (found === undefined ? undefined : only)
    if (vault === undefined || !this.#vaults.includes(vault)) return undefined
    return { vault, type: '0x01', amount: ETH_32 }
  }
}

/**
 * The keys of PUBLIC_KEYS_FILE, then those of DEPOSIT_DATA_FILE.
 * @throws ConfigurationError INVALID_PUBLIC_KEYS_FILE, INVALID_DEPOSIT_DATA
 */
export async function loadPoolLists(
  files: { readonly publicKeys: string | undefined; readonly depositData: string | undefined },
  network: Network,
): Promise<PooledKey[]> {
  const listed = files.publicKeys === undefined ? [] : await loadPublicKeys(files.publicKeys)
  const deposits = files.depositData === undefined ? [] : await loadDepositData(files.depositData, network)
  return [
    ...listed.map((publicKey) => ({ publicKey, vault: undefined })),
    ...deposits.map(({ publicKey, withdrawalCredentials }) => ({
      publicKey,
      vault: withdrawalCredentials === undefined ? undefined : addressIn(withdrawalCredentials),
    })),
  ]
}

/** The address that withdrawal credentials of type 0x01 or 0x02 name. */
function addressIn(credentials: Hex): Hex {
  return `0x${credentials.slice(-40)}`
}
