/** Which dialect the relayer is spoken to in: 4 where its manager is the vault's, so that it may choose the validators. */
import { getAddress, isAddressEqual } from 'viem'
import type { RelayerRegistrations } from '../../core/clients/relayer-registrations.js'
import { ConfigurationError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import type { VaultReader } from '../vault/vault-reader.js'
import { describeWay } from '../vault/way.js'

export type RelayerDialect = '1' | '4'

export interface DialectQuestion {
  /** RELAYER_DIALECT */
  readonly wanted: 'auto' | RelayerDialect
  readonly relayer: Pick<RelayerRegistrations, 'info' | 'shown'>
  readonly reader: Pick<VaultReader, 'way'>
  readonly logger: Logger
}

/**
 * Asks the relayer who its validators manager is, and the vault who its own is.
 * @throws ConfigurationError WRONG_VALIDATORS_MANAGER where dialect 4 is wanted and they differ; the clients' errors
 */
export async function chooseDialect({
  wanted,
  relayer,
  reader,
  logger,
}: DialectQuestion): Promise<RelayerDialect> {
  if (wanted === '1') return '1'
  const { validatorsManager: relayers } = await relayer.info()
  if (relayers === undefined) {
    if (wanted === 'auto') return '1'
    logger.warn(
      `the relayer ${relayer.shown} names no validators manager: whether it can sign for the vault shows when it does`,
    )
    return '4'
  }
  const { way } = await reader.way()
  if (way.kind === 'manager' && isAddressEqual(way.manager, relayers)) return '4'
  const difference = `the relayer ${relayer.shown} signs as the validators manager ${getAddress(relayers)}, the vault registers by ${describeWay(way)}`
  if (wanted === 'auto') {
    logger.info(`${difference}: it is spoken to in dialect 1`)
    return '1'
  }
  throw new ConfigurationError('WRONG_VALIDATORS_MANAGER', difference, {
    hint: 'Have the vault’s admin set the relayer’s address, or choose --relayer-dialect 1',
  })
}
