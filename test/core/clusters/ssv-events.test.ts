import { expect } from 'chai'
import fc from 'fast-check'
import { decodeEventLog, encodeAbiParameters, parseAbi, parseAbiParameters } from 'viem'
import {
  addressTopic,
  decodeSsvEvent,
  operatorIdTopic,
  SSV_TOPICS,
} from '../../../core/clusters/ssv-events.js'
import type { Hex } from '../../../core/hex.js'
import { EXPECTED, LOGS, logAt } from './ssv-fixture.js'

const ABI = parseAbi([
  'struct Cluster { uint32 validatorCount; uint64 networkFeeIndex; uint64 index; bool active; uint256 balance; }',
  'event ValidatorAdded(address indexed owner, uint64[] operatorIds, bytes publicKey, bytes shares, Cluster cluster)',
  'event ValidatorRemoved(address indexed owner, uint64[] operatorIds, bytes publicKey, Cluster cluster)',
])
const CLUSTER = '(uint32,uint64,uint64,bool,uint256)'
const OWNER: Hex = '0x603038e87f022257240b19090384fa1ececf91f0'

function added(operatorIds: bigint[], publicKey: Hex, shares: Hex): Hex {
  return encodeAbiParameters(parseAbiParameters(`uint64[], bytes, bytes, ${CLUSTER}`), [
    operatorIds,
    publicKey,
    shares,
    [1, 2n, 3n, true, 4n],
  ])
}

const hexBytes = (max: number) =>
  fc.uint8Array({ maxLength: max }).map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`)

describe('events of SSVNetwork', () => {
  it('have the topics that the contract emits', () => {
    expect(SSV_TOPICS).to.deep.equal({
      OperatorAdded: '0xd839f31c14bd632f424e307b36abff63ca33684f77f28e35dc13718ef338f7f4',
      OperatorRemoved: '0x0e0ba6c2b04de36d6d509ec5bd155c43a9fe862f8052096dd54f3902a74cca3e',
      ValidatorAdded: '0x48a3ea0796746043948f6341d17ff8200937b99262a0b48c2663b951ed7114e5',
      ValidatorRemoved: '0xccf4370403e5fbbde0cd3f13426479dcd8a5916b05db424b7a2c04978cf8ce6e',
    })
  })

  it('are told apart in real logs, the others left aside', () => {
    const names = LOGS.map((log) => decodeSsvEvent(log)?.name ?? 'other')
    const expected = EXPECTED.events.map(({ event }) => (event in SSV_TOPICS ? event : 'other'))
    expect(names).to.deep.equal(expected)
  })

  it('say what viem reads from the same logs', () => {
    for (const log of LOGS) {
      const event = decodeSsvEvent(log)
      if (event?.name !== 'ValidatorAdded' && event?.name !== 'ValidatorRemoved') continue
      const { args } = decodeEventLog({ abi: ABI, data: log.data, topics: log.topics as [Hex, ...Hex[]] })
      expect(event.owner).to.equal(args.owner.toLowerCase())
      expect(event.operatorIds).to.deep.equal(args.operatorIds)
      expect(event.publicKey).to.equal(args.publicKey)
      if (event.name === 'ValidatorAdded') expect(event.shares).to.equal((args as { shares: Hex }).shares)
    }
  })

  it('carry an operator key as an ABI string, and say when it is none', () => {
    const key = EXPECTED.operators['11']?.publicKeyBase64
    expect(decodeSsvEvent(logAt(4))).to.deep.equal({ name: 'OperatorAdded', id: 11n, publicKey: key })
    expect(decodeSsvEvent(logAt(8))).to.deep.equal({ name: 'OperatorAdded', id: 351n, publicKey: undefined })
    expect(decodeSsvEvent(logAt(9))).to.deep.equal({ name: 'OperatorAdded', id: 352n, publicKey: key })
  })

  it('read any operators, key and shares that are encoded', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { maxLength: 14 }),
        hexBytes(60),
        hexBytes(300),
        (...given) => {
          const [operatorIds, publicKey, shares] = given
          const topics = [SSV_TOPICS.ValidatorAdded, addressTopic(OWNER)]
          const event = decodeSsvEvent({ topics, data: added(operatorIds, publicKey, shares) })
          expect(event).to.deep.equal({
            name: 'ValidatorAdded',
            owner: OWNER,
            operatorIds,
            publicKey,
            shares,
          })
        },
      ),
    )
  })

  it('do not parse when cut short, whatever is left', () => {
    const topics = [SSV_TOPICS.ValidatorAdded, addressTopic(OWNER)]
    const data = added([1n, 2n, 3n, 4n], `0x${'ab'.repeat(48)}`, `0x${'cd'.repeat(64)}`)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: data.length / 2 - 2 }), (bytes) => {
        expect(decodeSsvEvent({ topics, data: data.slice(0, 2 + 2 * bytes) as Hex })).to.equal(undefined)
      }),
    )
  })

  it('do not parse with integers beyond their types, offsets beyond the data or missing topics', () => {
    const topics = [SSV_TOPICS.ValidatorAdded, addressTopic(OWNER)]
    const data = added([1n], `0x${'ab'.repeat(48)}`, '0x')
    const withWord = (slot: number, word: bigint): Hex =>
      `0x${data.slice(2, 2 + 64 * slot)}${word.toString(16).padStart(64, '0')}${data.slice(2 + 64 * (slot + 1))}`
    for (const [slot, word] of [
      [0, 2n ** 255n],
      [1, 0x10000n],
      [3, 2n ** 32n],
      [4, 2n ** 64n],
      [6, 2n],
      [8, 1000n],
      [9, 2n ** 64n],
    ] as const) {
      expect(decodeSsvEvent({ topics, data: withWord(slot, word) }), `word ${slot}`).to.equal(undefined)
    }
    expect(decodeSsvEvent({ topics: [SSV_TOPICS.ValidatorAdded], data })).to.equal(undefined)
    expect(decodeSsvEvent({ topics: [...topics, operatorIdTopic(1n)], data })).to.equal(undefined)
  })
})
