/** Tops compounding validators up before new ones are registered (chain.md, "How many validators"). */
import { encodeFunctionData } from 'viem'
import type { BeaconClient } from '../../core/clients/beacon.js'
import type { ExecutionClient } from '../../core/clients/execution.js'
import { UnavailableError } from '../../core/errors.js'
import { type Hex, type PublicKeyHex, shorten } from '../../core/hex.js'
import { withdrawalCredentials } from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'
import { vaultAbi } from '../../core/vault/abi.js'
import type { KeyAmount } from '../../core/vault/managed-bytes.js'
import { type ManagerSigner, managedBytes } from '../manager/signer.js'
import { NotNow } from '../not-now.js'
import type { RegisteringVault } from '../registration/batch-source.js'
import type { Call } from '../transactions/dispatch.js'
import { depositableGwei, type StakingRules } from '../vault/staking-rules.js'
import type { VaultReader } from '../vault/vault-reader.js'
import { planTopUps } from './top-ups.js'
import type { GivenAmount, VaultEventLog } from './vault-events.js'

export interface FundingParts {
  readonly network: Network
  readonly vault: Hex
  readonly rules: StakingRules
  readonly execution: Pick<ExecutionClient, 'block'>
  readonly beacon: Pick<BeaconClient, 'finalizedBalances'>
  readonly events: Pick<VaultEventLog, 'read'>
  readonly reader: Pick<VaultReader, 'managerNonce'>
  readonly manager: ManagerSigner
  /** Gwei: MAX_VALIDATOR_BALANCE_GWEI. */
  readonly maxBalance: bigint
  /** Gwei: MIN_DEPOSIT_AMOUNT_GWEI. */
  readonly minDeposit: bigint
  /** Seconds: MIN_DEPOSIT_DELAY. */
  readonly minDelay: number
}

export interface PlannedFunding {
  readonly amounts: readonly KeyAmount[]
  /** The call, with the manager's signature. @throws NotNow where the manager gives none */
  call(): Promise<Call>
  /** It was sent: the others that were planned with it follow without waiting. */
  sent(): void
}

/** Validators in one transaction, as the Python operator v4 does it. */
const MOST_AT_ONCE = 10
/** Those that will not give back what they are given before they leave. */
const STAYING = /^(pending_|active_ongoing$)/

export class Funding {
  readonly #parts: FundingParts
  /** Planned with top-ups that were sent already: the delay is not for them. */
  #following: ReadonlySet<PublicKeyHex> = new Set()

  constructor(parts: FundingParts) {
    this.#parts = parts
  }

  /**
   * @returns undefined where nothing is to be topped up
   * @throws NotNow FUNDING_NOT_DUE where the last top-up is too young, so that registration waits too; the
   *   clients' errors
   */
  async next(state: RegisteringVault): Promise<PlannedFunding | undefined> {
    const { rules, minDeposit, minDelay, maxBalance } = this.#parts
    const { way } = state
    const gwei = depositableGwei(rules, state.assets)
    if (way.kind !== 'manager' || !way.compounding || gwei < minDeposit) return undefined
    const { balances, last, now } = await this.#look()
    const topUps = planTopUps({ balances, gwei, maxBalance, minDeposit })
    if (topUps.length === 0) return undefined
    const following = topUps.filter(({ publicKey }) => this.#following.has(publicKey))
    const age = last === undefined ? undefined : now - last
    if (following.length === 0 && age !== undefined && age < BigInt(minDelay)) {
      throw new NotNow(
        'FUNDING_NOT_DUE',
        `${topUps.length} validators can be topped up (${shorten(topUps[0]?.publicKey ?? '')} first), ${BigInt(minDelay) - age} s from now: the last top-up was ${age} s ago, MIN_DEPOSIT_DELAY is ${minDelay} s`,
        { detail: String(last) },
      )
    }
    const planned = following.length > 0 ? following : topUps
    const amounts = planned.slice(0, MOST_AT_ONCE)
    return {
      amounts,
      call: () => this.#call(amounts, state, way.manager),
      sent: () => {
        this.#following = new Set(planned.slice(MOST_AT_ONCE).map(({ publicKey }) => publicKey))
      },
    }
  }

  /** Balances with all that is on its way, and when the last top-up was (seconds since 1970). */
  async #look(): Promise<{
    balances: ReadonlyMap<PublicKeyHex, bigint>
    last: bigint | undefined
    now: bigint
  }> {
    const { execution, events, network, minDelay } = this.#parts
    const head = await execution.block('latest')
    if (head === null) throw new UnavailableError('NO_HEAD', 'the execution endpoint has no latest block')
    const young = head.number - BigInt(Math.ceil(minDelay / network.secondsPerSlot))
    const { keys } = await events.read(head.number, head.number)
    const state = await this.#parts.beacon.finalizedBalances([...keys])
    const from = state.block + 1n < young ? state.block + 1n : young
    const { given } = await events.read(head.number, from)
    const balances = this.#balancesOf(
      state,
      given.filter(({ block }) => block > state.block),
    )
    const last = given.findLast(({ kind }) => kind === 'funded')
    const block = last === undefined ? undefined : await execution.block(last.block)
    return { balances, last: block?.timestamp, now: head.timestamp }
  }

  /** A key that neither registry nor queue has yet is left out: what it was given is not known for sure. */
  #balancesOf(
    { validators, pending }: Awaited<ReturnType<BeaconClient['finalizedBalances']>>,
    later: readonly GivenAmount[],
  ): ReadonlyMap<PublicKeyHex, bigint> {
    const credentials = withdrawalCredentials('0x02', this.#parts.vault)
    const registered = new Set(validators.map(({ publicKey }) => publicKey))
    const balances = new Map<PublicKeyHex, bigint>()
    for (const { publicKey, status, balance, withdrawalCredentials: own } of validators) {
      if (own === credentials && STAYING.test(status)) balances.set(publicKey, balance)
    }
    for (const { publicKey, amount, withdrawalCredentials: own } of pending) {
      const before = balances.get(publicKey)
      if (before === undefined && (registered.has(publicKey) || own !== credentials)) continue
      balances.set(publicKey, (before ?? 0n) + amount)
    }
    for (const { publicKey, amount } of later) {
      const before = balances.get(publicKey)
      if (before !== undefined) balances.set(publicKey, before + amount)
    }
    return balances
  }

  async #call(amounts: readonly KeyAmount[], state: RegisteringVault, manager: Hex): Promise<Call> {
    const { network, vault, reader } = this.#parts
    const nonce = await reader.managerNonce()
    const request = { kind: 'funding', amounts } as const
    const signature = await this.#parts.manager.sign(request, { network, vault, manager, nonce })
    const fund = encodeFunctionData({
      abi: vaultAbi,
      functionName: 'fundValidators',
      args: [managedBytes(vault, request), signature ?? '0x'],
    })
    return {
      kind: 'funding',
      vault,
      way: state.way.kind,
      to: vault,
      data: state.harvest === undefined ? fund : afterHarvest(state.harvest, fund),
      value: 0n,
      publicKeys: amounts.map(({ publicKey }) => publicKey),
      managerNonce: signature === undefined ? undefined : nonce,
    }
  }
}

/** Both in one transaction, the harvest first. */
function afterHarvest(harvest: NonNullable<RegisteringVault['harvest']>, call: Hex): Hex {
  const update = encodeFunctionData({ abi: vaultAbi, functionName: 'updateState', args: [harvest] })
  return encodeFunctionData({ abi: vaultAbi, functionName: 'multicall', args: [[update, call]] })
}
