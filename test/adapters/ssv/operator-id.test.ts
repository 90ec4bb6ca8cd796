import { createPrivateKey } from 'node:crypto'
import { expect } from 'chai'
import { identifyOperator } from '../../../adapters/ssv/operator-id.js'
import type { OperatorKey } from '../../../adapters/ssv/operator-key.js'
import { DvtExitError } from '../../../core/errors.js'
import { loadNetwork } from '../../../core/network.js'
import { SsvChainDouble } from '../../core/clusters/ssv-chain-double.js'
import { EXPECTED, LOGS, OPERATOR_IDS, operatorPrivateKey } from '../../core/clusters/ssv-fixture.js'

const hoodi = loadNetwork('hoodi')
const keyOf = (id: bigint): OperatorKey => ({
  privateKey: operatorPrivateKey(id),
  publicKeys: [EXPECTED.operators[String(id)]?.publicKeyBase64 ?? ''],
  source: `key of ${id}`,
})
const stranger: OperatorKey = {
  privateKey: createPrivateKey(operatorPrivateKey(11n).export({ type: 'pkcs1', format: 'pem' })),
  publicKeys: ['bm9ib2R5J3M='],
  source: 'stranger.json',
}

async function failure(promise: Promise<unknown>): Promise<DvtExitError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof DvtExitError) return error
    throw error
  }
  throw new Error('an operator was found')
}

describe('identifyOperator', () => {
  let chain: SsvChainDouble
  beforeEach(() => {
    chain = new SsvChainDouble(LOGS)
  })

  for (const id of OPERATOR_IDS) {
    it(`finds operator ${id} in the contract's storage with one call`, async () => {
      const calls: string[] = []
      chain.onRequest = (name) => calls.push(name)
      expect(await identifyOperator(keyOf(id), undefined, chain, hoodi)).to.equal(id)
      expect(await identifyOperator(keyOf(id), id, chain, hoodi)).to.equal(id)
      expect(calls).to.deep.equal(['storage', 'storage'])
    })
  }

  it('tries another spelling of the public key', async () => {
    const key = { ...keyOf(27n), publicKeys: [...stranger.publicKeys, ...keyOf(27n).publicKeys] }
    expect(await identifyOperator(key, undefined, chain, hoodi)).to.equal(27n)
  })

  it('finds the id that is set in the events where storage is not served, and in small ranges', async () => {
    chain.servesStorage = false
    chain.mostBlocks = 100_000
    expect(await identifyOperator(keyOf(350n), 350n, chain, hoodi)).to.equal(350n)
  })

  it('says whose key it is when another id is set', async () => {
    const byStorage = await failure(identifyOperator(keyOf(11n), 27n, chain, hoodi))
    expect(byStorage.code).to.equal('KEY_OF_ANOTHER_OPERATOR')
    expect(byStorage.message).to.equal('key of 11 is the key of operator 11, not of 27')
    chain.servesStorage = false
    const byEvent = await failure(identifyOperator(keyOf(11n), 27n, chain, hoodi))
    expect(byEvent.code).to.equal('KEY_OF_ANOTHER_OPERATOR')
    expect(byEvent.message).to.equal('key of 11 is not the key of operator 27')
  })

  it('says when the contract knows neither key nor id', async () => {
    const key = await failure(identifyOperator(stranger, undefined, chain, hoodi))
    expect(key.code).to.equal('UNKNOWN_OPERATOR')
    expect(key.message).to.contain('stranger.json').and.contain('hoodi')
    const id = await failure(identifyOperator(stranger, 9_999n, chain, hoodi))
    expect(id.code).to.equal('UNKNOWN_OPERATOR')
    expect(id.message).to.contain('no operator 9999')
  })

  it('names the setting that helps where storage is not served', async () => {
    chain.servesStorage = false
    const error = await failure(identifyOperator(keyOf(11n), undefined, chain, hoodi))
    expect(error.code).to.equal('RPC_ERROR')
    expect(error.hint).to.contain('SSV_OPERATOR_ID')
  })

  it('says when the network has no SSVNetwork', async () => {
    const error = await failure(identifyOperator(keyOf(11n), undefined, chain, loadNetwork('gnosis')))
    expect(error.code).to.equal('NO_SSV_NETWORK')
    expect(error.message).to.contain('gnosis')
  })
})
