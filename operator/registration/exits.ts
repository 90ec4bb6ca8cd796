/** The exits of a batch: asked of the relayer until all are there, for the index that the chain gives next. */
import type { RelayerClient } from '../../core/clients/relayer.js'
import type { Clock } from '../../core/clock.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import { shorten } from '../../core/hex.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'
import type { ValidatorIndexPredictor } from '../../core/validator-index/predictor.js'
import { pollExits } from '../collect/exit-poll.js'
import type { CompleteValidator } from '../collect/exits-file.js'
import { checkOracleParts, oracleSetOf } from '../collect/oracle-parts.js'
import { describeWaiting } from '../collect/waiting.js'
import { NotNow } from '../not-now.js'

export interface ExitsParts {
  readonly relayer: Pick<RelayerClient, 'exits' | 'requestValidators'>
  readonly predictor: Pick<ValidatorIndexPredictor, 'outlook'>
  readonly clock: Clock
  /** Milliseconds that one call waits for what is missing. */
  readonly patience: number
}

export interface BatchExits {
  /** The first validator's index; the others follow. */
  readonly startIndex: number
  /** The deposit root that the index holds for, at which none of the keys was deposited. */
  readonly registryRoot: Hex
  readonly validators: readonly CompleteValidator[]
}

/** Milliseconds. */
const POLL_INTERVAL = 1_000

/**
 * @throws NotNow WAITING_FOR_EXITS, INDEX_DIFFERS, KEY_DEPOSITED; DvtExitError INVALID_ORACLE_PARTS; what the
 *   relayer's client and the predictor throw
 */
export async function batchExits(
  { relayer, predictor, clock, patience }: ExitsParts,
  publicKeys: readonly PublicKeyHex[],
  config: ProtocolConfig,
  signal: AbortSignal,
): Promise<BatchExits> {
  const end = clock.now() + patience
  for (;;) {
    const { states, start, complete } = await pollExits(relayer, publicKeys)
    // After the poll, so that an index that has moved since shows.
    const { index, depositRoot, known } = await predictor.outlook(publicKeys)
    refuseKnown(known)
    if (complete !== undefined && start === index) {
      for (const { publicKey, oracleParts } of complete) {
        checkOracleParts(publicKey, oracleParts, oracleSetOf(config))
      }
      return { startIndex: index, registryRoot: depositRoot, validators: complete }
    }
    if (clock.now() + POLL_INTERVAL > end || signal.aborted) {
      if (start !== undefined && start !== index) throw indexDiffers(start, index)
      throw new NotNow('WAITING_FOR_EXITS', describeWaiting(states))
    }
    await clock.sleep(POLL_INTERVAL, signal)
  }
}

/** @throws NotNow KEY_DEPOSITED */
function refuseKnown(known: readonly PublicKeyHex[]): void {
  const [first] = known
  if (first === undefined) return
  throw new NotNow('KEY_DEPOSITED', `the key ${shorten(first)} was deposited meanwhile: starting over`, {
    level: 'warn',
    soon: true,
  })
}

/** @throws NotNow KEY_DEPOSITED, REGISTRY_MOVED where a deposit landed since, so that root and index are others */
export async function assertSameDeposits(
  predictor: Pick<ValidatorIndexPredictor, 'outlook'>,
  { startIndex, registryRoot }: Pick<BatchExits, 'startIndex' | 'registryRoot'>,
  publicKeys: readonly PublicKeyHex[],
): Promise<void> {
  const { index, depositRoot, known } = await predictor.outlook(publicKeys)
  refuseKnown(known)
  if (depositRoot === registryRoot && index === startIndex) return
  throw new NotNow('REGISTRY_MOVED', 'another deposit landed meanwhile: starting over', {
    soon: true,
    detail: depositRoot,
  })
}

function indexDiffers(relayers: number, own: number): NotNow {
  return new NotNow(
    'INDEX_DIFFERS',
    `the relayer’s exits are for index ${relayers}, the next validator’s index is ${own} by the own count: waiting until both agree`,
    { level: 'warn', hint: 'Where it lasts, compare the nodes of relayer and operator' },
  )
}
