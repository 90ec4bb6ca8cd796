/** The four events of SSVNetwork that decide who holds which key share. */
import { getAbiItem, parseAbi, toEventSelector } from 'viem'
import { fromHex, type Hex } from '../hex.js'
import { AbiWords } from './abi-words.js'

const abi = parseAbi([
  'struct Cluster { uint32 validatorCount; uint64 networkFeeIndex; uint64 index; bool active; uint256 balance; }',
  'event OperatorAdded(uint64 indexed operatorId, address indexed owner, bytes publicKey, uint256 fee)',
  'event OperatorRemoved(uint64 indexed operatorId)',
  'event ValidatorAdded(address indexed owner, uint64[] operatorIds, bytes publicKey, bytes shares, Cluster cluster)',
  'event ValidatorRemoved(address indexed owner, uint64[] operatorIds, bytes publicKey, Cluster cluster)',
])

/** Topic 0 of each event. */
export const SSV_TOPICS = {
  OperatorAdded: toEventSelector(getAbiItem({ abi, name: 'OperatorAdded' })),
  OperatorRemoved: toEventSelector(getAbiItem({ abi, name: 'OperatorRemoved' })),
  ValidatorAdded: toEventSelector(getAbiItem({ abi, name: 'ValidatorAdded' })),
  ValidatorRemoved: toEventSelector(getAbiItem({ abi, name: 'ValidatorRemoved' })),
} as const

export interface OperatorAdded {
  readonly name: 'OperatorAdded'
  readonly id: bigint
  /** Base64 of the operator's public PEM; undefined where the event's bytes are not an ABI-encoded string. */
  readonly publicKey: string | undefined
}
export interface OperatorRemoved {
  readonly name: 'OperatorRemoved'
  readonly id: bigint
}
export interface ValidatorAdded {
  readonly name: 'ValidatorAdded'
  /** Lowercase. */
  readonly owner: Hex
  readonly operatorIds: readonly bigint[]
  /** As the event has it: 48 bytes if it is right. */
  readonly publicKey: Hex
  /** Signature, share public keys and ciphertexts, see ssv-shares.ts. */
  readonly shares: Hex
}
export interface ValidatorRemoved {
  readonly name: 'ValidatorRemoved'
  /** Lowercase. */
  readonly owner: Hex
  readonly operatorIds: readonly bigint[]
  readonly publicKey: Hex
}
export type SsvEvent = OperatorAdded | OperatorRemoved | ValidatorAdded | ValidatorRemoved

/** What of a log its event is read from. */
export interface EncodedEvent {
  readonly topics: readonly Hex[]
  readonly data: Hex
}

/**
 * The event of a log; undefined for any other event and for one that does not parse. The bytes of
 * ValidatorAdded stay slices of the log's own hex, so that reading one costs microseconds.
 */
export function decodeSsvEvent({ topics, data }: EncodedEvent): SsvEvent | undefined {
  try {
    return decode(topics, new AbiWords(data))
  } catch {
    return undefined
  }
}

function decode(topics: readonly Hex[], words: AbiWords): SsvEvent | undefined {
  const [selector, first, second, ...more] = topics.map(lowercase)
  if (first === undefined || more.length > 0) return undefined
  if ((second !== undefined) !== (selector === SSV_TOPICS.OperatorAdded)) return undefined
  switch (selector) {
    case SSV_TOPICS.OperatorAdded:
      words.uint(1, 256)
      return { name: 'OperatorAdded', id: idOf(first), publicKey: abiString(words.bytes(0)) }
    case SSV_TOPICS.OperatorRemoved:
      return { name: 'OperatorRemoved', id: idOf(first) }
    case SSV_TOPICS.ValidatorAdded: {
      const operatorIds = words.uint64Array(0)
      assertCluster(words, 3)
      return {
        name: 'ValidatorAdded',
        owner: addressOf(first),
        operatorIds,
        publicKey: lowercase(words.bytes(1)),
        shares: words.bytes(2),
      }
    }
    case SSV_TOPICS.ValidatorRemoved: {
      const operatorIds = words.uint64Array(0)
      assertCluster(words, 2)
      return {
        name: 'ValidatorRemoved',
        owner: addressOf(first),
        operatorIds,
        publicKey: lowercase(words.bytes(1)),
      }
    }
    default:
      return undefined
  }
}

/** The tuple (uint32 validatorCount, uint64 networkFeeIndex, uint64 index, bool active, uint256 balance). */
function assertCluster(words: AbiWords, slot: number): void {
  words.uint(slot, 32)
  words.uint(slot + 1, 64)
  words.uint(slot + 2, 64)
  words.bool(slot + 3)
  words.uint(slot + 4, 256)
}

/** The contract takes any bytes for an operator's key; SSV's tools give it abi.encode(string). */
function abiString(encoded: Hex): string | undefined {
  try {
    return Buffer.from(fromHex(new AbiWords(encoded).bytes(0))).toString('latin1')
  } catch {
    return undefined
  }
}

function idOf(topic: Hex): bigint {
  return BigInt.asUintN(64, BigInt(topic))
}

function addressOf(topic: Hex): Hex {
  return lowercase(`0x${topic.slice(-40)}`)
}

function lowercase(hex: Hex): Hex {
  return hex.toLowerCase() as Hex
}

/** An address as an indexed topic, 32 bytes. */
export function addressTopic(address: Hex): Hex {
  return `0x${address.slice(2).toLowerCase().padStart(64, '0')}`
}

/** An operator id as an indexed topic, 32 bytes. */
export function operatorIdTopic(id: bigint): Hex {
  return `0x${id.toString(16).padStart(64, '0')}`
}
