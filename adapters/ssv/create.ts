/** Makes the signers of SSV operators: their keys, who they are on the contract, and what they hold. */
import { Backoff } from '../../core/backoff.js'
import { ExecutionClient } from '../../core/clients/execution.js'
import { type Clock, systemClock } from '../../core/clock.js'
import { SsvFollower } from '../../core/clusters/ssv-follower.js'
import type { Viewpoint } from '../../core/clusters/ssv-rules.js'
import { openSsvDatabase } from '../../core/clusters/ssv-store.js'
import { ConfigurationError, ConfigurationErrors, DvtExitError, describeError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'
import type { Network } from '../../core/network.js'
import { networkOptions } from '../../core/network-options.js'
import { required, type Values } from '../../core/options.js'
import type { ExitSigner } from '../../core/signer.js'
import { decryptKeyShare } from './key-share.js'
import { identifyOperator, type OperatorRegistry, ssvNetworkOf } from './operator-id.js'
import { loadOperatorKey, type OperatorKey, type OperatorKeySource } from './operator-key.js'
import { ssvOptions } from './options.js'
import { SsvSigner } from './signer.js'

export interface SsvSignerContext {
  readonly network: Network
  readonly logger: Logger
  /** Aborted: stop waiting for the chain. */
  readonly signal: AbortSignal
  /** Execution nodes; made from the options where absent. */
  readonly execution?: OperatorRegistry
  readonly clock?: Clock
}

type SsvValues = Values<typeof ssvOptions> & { readonly executionEndpoints?: readonly string[] | undefined }

interface Operator {
  readonly id: bigint
  readonly key: OperatorKey
}

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000

/**
 * Makes the signer of one operator, or one for each operator of a template; all of them follow SSVNetwork
 * together. Returns once everything up to the finalized block has been read, however long the execution
 * node is away.
 * @returns no signer at all where the signal was aborted before that
 * @throws ConfigurationError, ConfigurationErrors: keys, passwords, operators or the network do not fit
 */
export async function createSsvSigners(values: SsvValues, context: SsvSignerContext): Promise<ExitSigner[]> {
  const { network, logger, signal } = context
  const contract = ssvNetworkOf(network)
  const chain = context.execution ?? createExecution(values, network)
  const keys = await loadKeys(values)
  const operators = await waitForChain(() => identify(keys, chain, network), context)
  if (operators === undefined) return []

  if (values.owners === undefined) {
    logger.info(
      'the events of every owner are read; name yours with SSV_OWNERS to make the first start quick',
    )
  }
  const viewpoints = operators.map((operator) => ({ operator, viewpoint: viewpointOf(operator, values) }))
  const database = await openSsvDatabase(values.database)
  const stop = new AbortController()
  const running = AbortSignal.any([signal, stop.signal])
  const follower = new SsvFollower({
    chain,
    contract,
    database,
    viewpoints: viewpoints.map(({ viewpoint }) => viewpoint),
    logger,
    pollInterval: values.ssvPollInterval,
    ...(context.clock === undefined ? {} : { clock: context.clock }),
  })
  let following: Promise<void> = Promise.resolve()
  const end = async () => {
    stop.abort()
    await following
    await database.destroy()
  }
  try {
    if (!(await follower.catchUp(running))) {
      await end()
      return []
    }
  } catch (error) {
    await end()
    throw error
  }
  following = follower.follow(running)
  let open = viewpoints.length
  return viewpoints.map(({ operator, viewpoint }) => {
    reportKnown(logger, operator.id, follower, viewpoint)
    return new SsvSigner({
      operatorId: operator.id,
      network,
      known: () => follower.validators(viewpoint),
      onChange: (listener) => follower.onChange(listener),
      close: async () => {
        open -= 1
        if (open === 0) await end()
      },
    })
  })
}

function createExecution(values: SsvValues, network: Network): OperatorRegistry {
  const urls = required(values.executionEndpoints, networkOptions.executionEndpoints)
  return new ExecutionClient(urls, { chainId: network.chainId })
}

async function loadKeys(values: SsvValues): Promise<{ key: OperatorKey; expected: bigint | undefined }[]> {
  const keys: { key: OperatorKey; expected: bigint | undefined }[] = []
  const errors: DvtExitError[] = []
  for (const { source, expected } of sourcesOf(values)) {
    try {
      keys.push({ key: await loadOperatorKey(source), expected })
    } catch (error) {
      if (!(error instanceof DvtExitError)) throw error
      errors.push(error)
    }
  }
  const [first] = errors
  if (first !== undefined) throw errors.length === 1 ? first : new ConfigurationErrors(errors)
  return keys
}

function sourcesOf(values: SsvValues): { source: OperatorKeySource; expected: bigint | undefined }[] {
  const { operatorKey, operatorKeyFile, operatorPasswordFile, operatorId, operatorKeyFileTemplate } = values
  if (operatorKeyFileTemplate !== undefined) {
    if (!operatorKeyFileTemplate.includes('{operator_id}')) {
      throw new ConfigurationError(
        'INVALID_TEMPLATE',
        `SSV_OPERATOR_KEY_FILE_TEMPLATE ${operatorKeyFileTemplate} lacks {operator_id}`,
      )
    }
    const ids = required(values.operatorIds, ssvOptions.operatorIds)
    return ids.map((id) => ({
      source: {
        keyFile: fill(operatorKeyFileTemplate, id),
        passwordFile: fill(values.operatorPasswordFileTemplate ?? operatorPasswordFile, id),
      },
      expected: id,
    }))
  }
  if (operatorKey === undefined) {
    const keyFile = required(operatorKeyFile, ssvOptions.operatorKeyFile)
    return [{ source: { keyFile, passwordFile: operatorPasswordFile }, expected: operatorId }]
  }
  if (operatorKeyFile === undefined) return [{ source: { key: operatorKey }, expected: operatorId }]
  throw new ConfigurationError('TWO_OPERATOR_KEYS', 'SSV_OPERATOR_KEY_FILE and OPERATOR_KEY are both set', {
    hint: 'Give one of them',
  })
}

function fill(template: string, id: bigint): string
function fill(template: string | undefined, id: bigint): string | undefined
function fill(template: string | undefined, id: bigint): string | undefined {
  return template?.replaceAll('{operator_id}', String(id))
}

async function identify(
  keys: readonly { key: OperatorKey; expected: bigint | undefined }[],
  chain: OperatorRegistry,
  network: Network,
): Promise<Operator[]> {
  const operators: Operator[] = []
  for (const { key, expected } of keys) {
    const id = await identifyOperator(key, expected, chain, network)
    if (!operators.some((operator) => operator.id === id)) operators.push({ id, key })
  }
  return operators
}

function viewpointOf({ id, key }: Operator, { owners }: SsvValues): Viewpoint {
  return {
    operatorId: id,
    decryptShare: (ciphertext) => decryptKeyShare(key.privateKey, ciphertext),
    ...(owners === undefined ? {} : { owners }),
  }
}

/** The work's result, however long the execution node is away; undefined once the signal is aborted. */
async function waitForChain<T>(work: () => Promise<T>, context: SsvSignerContext): Promise<T | undefined> {
  const { logger, signal, clock = systemClock } = context
  const pause = new Backoff(FIRST_PAUSE, LONGEST_PAUSE)
  let said = ''
  while (!signal.aborted) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof DvtExitError) || error instanceof ConfigurationError) throw error
      const text = describeError(error)
      if (text !== said) logger.warn(`cannot ask SSVNetwork for the operator id, trying again: ${text}`)
      said = text
    }
    await clock.sleep(pause.next(), signal)
  }
  return undefined
}

function reportKnown(logger: Logger, id: bigint, follower: SsvFollower, viewpoint: Viewpoint): void {
  const known = [...follower.validators(viewpoint).values()]
  const useless = known.filter(({ usable }) => !usable).length
  const rest = useless === 0 ? '' : `, ${useless} more can never be signed for`
  logger.info(`operator ${id} holds key shares of ${known.length - useless} validators${rest}`)
}
