/** Which operator a key belongs to, from SSVNetwork. */
import { encodeAbiParameters, keccak256 } from 'viem'
import { LogRanges } from '../../core/clients/log-ranges.js'
import type { SsvChain } from '../../core/clusters/ssv-chain.js'
import { decodeSsvEvent, operatorIdTopic, SSV_TOPICS } from '../../core/clusters/ssv-events.js'
import { ConfigurationError, DvtExitError, UnavailableError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import type { OperatorKey } from './operator-key.js'

/** What finding an operator needs of an execution node. */
export interface OperatorRegistry extends SsvChain {
  /** 32 bytes of a contract's storage. */
  storageAt(address: Hex, slot: Hex): Promise<Hex>
}

/** SSVNetwork's storage begins here (its StorageLib); the ids by hash of the public key stand two slots on. */
const STORAGE_BASE = 0xd56c4f4aab8ca22f9fde432777379f436593c6027698a6995e2daea890bed104n
const OPERATOR_IDS = STORAGE_BASE + 2n

/**
 * Where SSVNetwork keeps the id of the operator with a public key.
 * @param publicKey base64 of the PEM, as it is registered
 */
export function operatorIdSlot(publicKey: string): Hex {
  const hash = keccak256(encodeAbiParameters([{ type: 'string' }], [publicKey]))
  return keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint256' }], [hash, OPERATOR_IDS]))
}

/**
 * The id of the operator that a key belongs to.
 * @param expected the id that it must be, where it is known
 * @throws ConfigurationError UNKNOWN_OPERATOR, KEY_OF_ANOTHER_OPERATOR; UnavailableError, DvtExitError RPC_ERROR
 */
export async function identifyOperator(
  key: OperatorKey,
  expected: bigint | undefined,
  registry: OperatorRegistry,
  network: Network,
): Promise<bigint> {
  const contract = ssvNetworkOf(network)
  const found = await idFromStorage(key, registry, contract.address, expected)
  if (found !== undefined) {
    if (expected !== undefined && expected !== found) {
      throw anotherOperator(`${key.source} is the key of operator ${found}, not of ${expected}`)
    }
    return found
  }
  if (expected === undefined) {
    throw new ConfigurationError(
      'UNKNOWN_OPERATOR',
      `the operator key of ${key.source} is not registered with SSVNetwork on ${network.name}`,
      { hint: 'Check the key file, NETWORK and EXECUTION_ENDPOINT, or set SSV_OPERATOR_ID' },
    )
  }
  const registered = await registeredKey(expected, registry, contract)
  if (registered === undefined) {
    throw new ConfigurationError(
      'UNKNOWN_OPERATOR',
      `SSVNetwork on ${network.name} knows no operator ${expected}`,
      { hint: 'Check SSV_OPERATOR_ID and NETWORK' },
    )
  }
  if (key.publicKeys.includes(registered)) return expected
  throw anotherOperator(`${key.source} is not the key of operator ${expected}`)
}

/** @throws ConfigurationError NO_SSV_NETWORK */
export function ssvNetworkOf(network: Network): { readonly address: Hex; readonly block: number } {
  if (network.ssvNetwork !== undefined) return network.ssvNetwork
  throw new ConfigurationError('NO_SSV_NETWORK', `there is no SSVNetwork contract on ${network.name}`, {
    hint: 'Set NETWORK right, or add ssvNetwork to the network config file',
  })
}

async function idFromStorage(
  key: OperatorKey,
  registry: OperatorRegistry,
  address: Hex,
  expected: bigint | undefined,
): Promise<bigint | undefined> {
  try {
    for (const publicKey of key.publicKeys) {
      const id = BigInt(await registry.storageAt(address, operatorIdSlot(publicKey)))
      if (id !== 0n) return id
    }
  } catch (error) {
    // With an id to look for, an endpoint that serves no storage is no obstacle.
    if (!(error instanceof DvtExitError && error.code === 'RPC_ERROR')) throw error
    if (expected === undefined) {
      throw new DvtExitError('RPC_ERROR', error.message, {
        hint: 'If this endpoint does not serve eth_getStorageAt, set SSV_OPERATOR_ID',
        cause: error,
      })
    }
  }
  return undefined
}

/** The key that an operator was registered with. */
async function registeredKey(
  id: bigint,
  registry: OperatorRegistry,
  contract: { readonly address: Hex; readonly block: number },
): Promise<string | undefined> {
  const finalized = await registry.block('finalized')
  if (finalized === null) {
    throw new UnavailableError('BLOCK_UNKNOWN', 'the execution node knows no finalized block yet')
  }
  const topics = [SSV_TOPICS.OperatorAdded, operatorIdTopic(id)]
  const pages = await new LogRanges().all(BigInt(contract.block), finalized.number, (fromBlock, toBlock) =>
    registry.logs({ address: contract.address, topics, fromBlock, toBlock }),
  )
  for (const log of pages.flat()) {
    const event = decodeSsvEvent(log)
    if (event?.name === 'OperatorAdded' && event.id === id) return event.publicKey
  }
  return undefined
}

function anotherOperator(message: string): ConfigurationError {
  return new ConfigurationError('KEY_OF_ANOTHER_OPERATOR', message, {
    hint: 'Set SSV_OPERATOR_ID or SSV_OPERATOR_KEY_FILE right, and NETWORK',
  })
}
