/** The validators that a vault's next ones are chosen from, in a stable order. */
import { parsePublicKey } from '../../core/bls/points.js'
import { type DepositDataEntry, loadDepositData } from '../../core/deposits/deposit-data.js'
import { loadPublicKeys } from '../../core/deposits/public-keys-file.js'
import { ConfigurationError } from '../../core/errors.js'
import { type Hex, type PublicKeyHex, shorten } from '../../core/hex.js'
import { MIN_ACTIVATION_BALANCE } from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'
import { groupBy } from '../exits/records.js'
import type { WantedDeposit } from '../validators/service.js'

/** A validator of a list or cluster. */
export interface PooledKey {
  readonly publicKey: PublicKeyHex
  /** The vault that it is for, in lower case; undefined: any. */
  readonly vault: Hex | undefined
  /** What its deposit data says, where there are any. */
  readonly deposit?: WantedDeposit | undefined
}

/** What a pool is made of. */
export interface PoolSource {
  keys(): Iterable<PooledKey>
  key(publicKey: PublicKeyHex): PooledKey | undefined
}

/** The keys of lists where a person gave any, else those of the clusters that the relayer knows. */
export class PublicKeyPool {
  readonly #lists: readonly PooledKey[]
  readonly #listed: ReadonlyMap<PublicKeyHex, readonly PooledKey[]>
  readonly #clusters: PoolSource
  readonly #vaults: readonly Hex[]

  /** @param vaults VAULTS, in lower case */
  constructor(lists: readonly PooledKey[], clusters: PoolSource, vaults: readonly Hex[]) {
    this.#lists = lists
    this.#listed = groupBy(lists, ({ publicKey }) => publicKey)
    this.#clusters = clusters
    this.#vaults = vaults
  }

  /** The keys that may become validators of a vault, each once. */
  keysOf(vault: Hex): PublicKeyHex[] {
    const keys = this.#lists.length > 0 ? this.#lists : [...this.#clusters.keys()]
    const fitting = keys.filter((key) => key.vault === undefined || key.vault === vault)
    return [...new Set(fitting.map(({ publicKey }) => publicKey))]
  }

  /**
   * What a sidecar of dialect 2 is told of a key whose exit alone is wanted: what its deposit data says, else 32 ETH
   * for the vault that is its.
   */
  depositOf(publicKey: PublicKeyHex): WantedDeposit | undefined {
    const ofKey = [...(this.#listed.get(publicKey) ?? []), this.#clusters.key(publicKey)].filter(
      (key) => key !== undefined,
    )
    const deposit = ofKey.find((key) => key.deposit !== undefined)?.deposit
    const only = this.#vaults.length === 1 && ofKey.length > 0 ? this.#vaults[0] : undefined
    const vault = deposit?.vault ?? ofKey.find((key) => key.vault !== undefined)?.vault ?? only
    if (vault === undefined || !this.#serves(vault)) return undefined
    return deposit ?? { vault, type: '0x01', amount: MIN_ACTIVATION_BALANCE }
  }

  /** Without VAULTS, what a lock or deposit data names is not doubted. */
  #serves(vault: Hex): boolean {
    return this.#vaults.length === 0 || this.#vaults.includes(vault)
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
    ...deposits.map((entry, i) => {
      assertPoint(entry.publicKey, `${files.depositData}, entry ${i}`)
      return pooledDeposit(entry)
    }),
  ]
}

/** One that is none would keep every registration with it from being asked for. */
function assertPoint(publicKey: PublicKeyHex, place: string): void {
  try {
    parsePublicKey(publicKey)
  } catch {
    throw new ConfigurationError(
      'INVALID_DEPOSIT_DATA',
      `${place}: ${shorten(publicKey)} is no BLS public key`,
      { hint: 'Give the file as Charon, ssv-dkg or staking-deposit-cli wrote it' },
    )
  }
}

function pooledDeposit({ publicKey, amount, withdrawalCredentials }: DepositDataEntry): PooledKey {
  if (withdrawalCredentials === undefined) return { publicKey, vault: undefined }
  const vault: Hex = `0x${withdrawalCredentials.slice(-40)}`
  const type = withdrawalCredentials.slice(0, 4)
  return type === '0x01' || type === '0x02'
    ? { publicKey, vault, deposit: { vault, type, amount } }
    : { publicKey, vault }
}
