/** Batches of dialect 4: the relayer chooses the validators and has all their signatures, its manager's included. */
import { formatUnits } from 'viem'
import { RelayerError } from '../../core/clients/relayer-errors.js'
import type { RegistrationOffer, RelayerRegistrations } from '../../core/clients/relayer-registrations.js'
import type { Clock } from '../../core/clock.js'
import type { Hex } from '../../core/hex.js'
import type { ValidatorType } from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'
import type { NextIndex, ValidatorIndexPredictor } from '../../core/validator-index/predictor.js'
import { sendableCount } from '../../core/vault/validator-bytes.js'
import { oracleSetOf } from '../collect/oracle-parts.js'
import { checkManagerSignature } from '../manager/signature.js'
import { NotNow } from '../not-now.js'
import { depositableGwei, type StakingRules } from '../vault/staking-rules.js'
import type { Way } from '../vault/way.js'
import {
  type BatchSource,
  bytesOf,
  type ChosenBatch,
  type CollectedBatch,
  type RegisteringVault,
} from './batch-source.js'
import { depositAmounts } from './deposit-amounts.js'
import { assertSameDeposits } from './exits.js'
import { type AcceptedKeys, checkChoice, collectedOf, describeMissing } from './offer.js'

export interface RelayerSourceParts {
  readonly network: Network
  readonly vault: Hex
  readonly rules: StakingRules
  readonly relayer: Pick<RelayerRegistrations, 'register'>
  readonly predictor: Pick<ValidatorIndexPredictor, 'outlook'>
  readonly clock: Clock
  /** Milliseconds that one call waits for what is missing. */
  readonly patience: number
  readonly type: ValidatorType
  /** MAX_VALIDATOR_BALANCE_GWEI. */
  readonly maxBalance: bigint
  /** MIN_VALIDATORS_REGISTRATION. */
  readonly minimum: number
  /** The keys that the operator's own file lists, where there is one. */
  readonly accepted: () => Promise<AcceptedKeys | undefined>
}

type ManagedWay = Extract<Way, { kind: 'manager' }>

/** Milliseconds. */
const POLL_INTERVAL = 1_000
const WEI_DECIMALS = 18

export class RelayerSource implements BatchSource {
  readonly #parts: RelayerSourceParts

  constructor(parts: RelayerSourceParts) {
    this.#parts = parts
  }

  /** @throws NotNow NO_VALIDATORS_MANAGER, COMPOUNDING_UNSUPPORTED, TOO_FEW_ASSETS, BELOW_MINIMUM */
  async choose(state: RegisteringVault, batchLimit: number): Promise<ChosenBatch> {
    const { rules, type, maxBalance, minimum } = this.#parts
    const way = managedWay(state.way, type)
    const gwei = depositableGwei(rules, state.assets)
    const amounts = depositAmounts({ type, gwei, maxBalance })
    if (amounts.length === 0) {
      throw new NotNow(
        'TOO_FEW_ASSETS',
        `the vault has ${formatUnits(state.assets, WEI_DECIMALS)} ${rules.token} for validators, one takes 32 ${rules.unit} or more`,
      )
    }
    if (amounts.length < minimum) {
      throw new NotNow(
        'BELOW_MINIMUM',
        `the vault can register ${amounts.length} validators now, fewer than MIN_VALIDATORS_REGISTRATION (${minimum})`,
      )
    }
    const asked = amounts.slice(0, sendableCount(type, Math.min(amounts.length, batchLimit)))
    return { collect: (config, signal) => this.#collect(way, asked, config, signal) }
  }

  async #collect(
    way: ManagedWay,
    asked: readonly bigint[],
    config: ProtocolConfig,
    signal: AbortSignal,
  ): Promise<CollectedBatch> {
    const { clock, patience } = this.#parts
    const end = clock.now() + patience
    let amounts = asked
    for (;;) {
      const next = await this.#parts.predictor.outlook([])
      const offer = await this.#ask(next, amounts)
      const missing = describeMissing(offer)
      const count = offer.validators.length
      const sendable = sendableCount(this.#parts.type, count)
      if (sendable < count) {
        // The relayer has fewer than asked for, by chance so many as no vault takes at once.
        amounts = asked.slice(0, sendable)
        continue
      }
      if (missing === undefined) return this.#accept(way, { offer, amounts, next }, config)
      if (clock.now() + POLL_INTERVAL > end || signal.aborted) {
        throw new NotNow('WAITING_FOR_SIGNATURES', missing)
      }
      await clock.sleep(POLL_INTERVAL, signal)
    }
  }

  /** @throws NotNow INDEX_DIFFERS where the relayer counts another start index (or sees another manager), and those of checkChoice */
  async #ask({ index }: NextIndex, amounts: readonly bigint[]): Promise<RegistrationOffer> {
    const { relayer, vault, type, accepted } = this.#parts
    let offer: RegistrationOffer
    try {
      offer = await relayer.register({ vault, startIndex: index, amounts, type })
    } catch (error) {
      if (!(error instanceof RelayerError) || error.status !== 409) throw error
      throw new NotNow('INDEX_DIFFERS', error.message, { level: 'warn', cause: error })
    }
    checkChoice(offer.validators, { vault, type, amounts }, await accepted())
    return offer
  }

  async #accept(
    way: ManagedWay,
    { offer, amounts, next }: { offer: RegistrationOffer; amounts: readonly bigint[]; next: NextIndex },
    config: ProtocolConfig,
  ): Promise<CollectedBatch> {
    const { network, vault, type, predictor } = this.#parts
    const validators = collectedOf(offer, { vault, type, amounts }, { network, oracles: oracleSetOf(config) })
    const deposits = validators.map(({ deposit }) => deposit)
    const { index, depositRoot } = next
    await assertSameDeposits(
      predictor,
      { startIndex: index, registryRoot: depositRoot },
      deposits.map(({ publicKey }) => publicKey),
    )
    const bytes = bytesOf(type, deposits)
    const signature = await checkManagerSignature(
      { network, vault, manager: way.manager, rootOrNonce: depositRoot, validators: bytes },
      offer.managerSignature ?? '0x',
      {
        what: 'the relayer’s validators manager signature',
        hint: `Its key may be another one, or its node may see another deposit root than ${depositRoot}`,
      },
    )
    const amountsOf = type === '0x02' ? deposits.map(({ amount }) => amount) : null
    return {
      validators,
      bytes,
      startIndex: index,
      registryRoot: depositRoot,
      authority: {
        forOracles: { kind: 'manager', signature, amounts: amountsOf },
        forContract: { kind: 'manager', signature },
      },
    }
  }
}

function managedWay(way: Way, type: ValidatorType): ManagedWay {
  if (way.kind !== 'manager') {
    throw new NotNow(
      'NO_VALIDATORS_MANAGER',
      'the vault registers by its deposit data, not by a validators manager as dialect 4 of the relayer needs',
      {
        level: 'warn',
        hint: 'Have the vault’s admin set the relayer’s manager, or choose --relayer-dialect 1',
      },
    )
  }
  if (type === '0x02' && !way.compounding) {
    throw new NotNow('COMPOUNDING_UNSUPPORTED', 'this vault takes only validators of type 0x01', {
      level: 'warn',
      hint: 'Set VALIDATOR_TYPE=0x01',
    })
  }
  return way
}
