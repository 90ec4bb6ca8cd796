/** How a vault registers validators, which its version and its validators manager tell (chain.md). */
import type { Hex } from '../../core/hex.js'

export type Way =
  /** A vault of version 1: itself, with its own deposit data. */
  | { readonly kind: 'own' }
  /** Through the DepositDataRegistry, which is the vault's validators manager. */
  | { readonly kind: 'registry'; readonly registry: Hex }
  /** By a validators manager. Only from the third generation on can validators compound. */
  | { readonly kind: 'manager'; readonly manager: Hex; readonly compounding: boolean }

/** A vault that registers nothing, and why. */
export interface NoWay {
  readonly kind: 'none'
  readonly reason: string
}

export interface VaultIdentity {
  readonly version: number
  /** Undefined for versions that know none. */
  readonly manager: Hex | undefined
}

const ZERO_ADDRESS = `0x${'00'.repeat(20)}`

/** Generations of the contract, by version. */
const GENERATIONS = {
  ETH: new Map([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 2],
    [5, 3],
  ]),
  GNO: new Map([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
  ]),
} as const
const META_VERSION = 6

/** Whether vaults of this version have a validators manager to ask for. */
export function knowsManager(version: number, token: 'ETH' | 'GNO'): boolean {
  return (GENERATIONS[token].get(version) ?? 1) > 1
}

/**
 * @param vault its version and manager
 * @param registry the network's DepositDataRegistry, if it has one
 */
export function wayOf(
  { version, manager }: VaultIdentity,
  registry: Hex | undefined,
  token: 'ETH' | 'GNO',
): Way | NoWay {
  const generation = GENERATIONS[token].get(version)
  if (version === META_VERSION) return none('it is a meta vault, which registers no validators')
  if (generation === undefined)
    return none(`this version of dvt-exit does not know vaults of version ${version}`)
  if (generation === 1) return { kind: 'own' }
  if (manager === undefined || manager === ZERO_ADDRESS) {
    return none('it has no validators manager: its admin must set one')
  }
  if (registry !== undefined && manager.toLowerCase() === registry.toLowerCase()) {
    return { kind: 'registry', registry }
  }
  return { kind: 'manager', manager, compounding: generation === 3 }
}

function none(reason: string): NoWay {
  return { kind: 'none', reason }
}

/** One line for people. */
export function describeWay(way: Way | NoWay): string {
  switch (way.kind) {
    case 'own':
      return 'the vault itself (version 1), with a merkle proof of its deposit data'
    case 'registry':
      return `the DepositDataRegistry ${way.registry}, with a merkle proof of the deposit data`
    case 'manager':
      return `the validators manager ${way.manager}`
    case 'none':
      return `nothing: ${way.reason}`
  }
}
