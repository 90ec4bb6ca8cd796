import type { Clock } from '../../core/clock.js'
import type { Logger } from '../../core/log.js'
import type { Keys } from '../registration/authority.js'
import { TransactionSender } from '../transactions/sender.js'
import type { VaultParts } from '../vault-parts.js'

export interface SenderSettings {
  readonly account: Keys['wallet']
  /** Wei; the network's own limit where absent. */
  readonly maxFeePerGas: bigint | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** What sends the wallet's transactions to the network of a vault. */
export function createSender(
  { network, rules, execution, store }: VaultParts,
  { account, maxFeePerGas, clock, logger }: SenderSettings,
): TransactionSender {
  return new TransactionSender({
    chain: execution,
    account,
    chainId: network.chainId,
    store,
    clock,
    logger,
    limits: {
      maxFeePerGas: maxFeePerGas ?? rules.defaultMaxFee,
      minPriorityFee: rules.minPriorityFee,
    },
  })
}
