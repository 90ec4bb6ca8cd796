import { expect } from 'chai'
import { RpcError } from '../../../core/clients/json-rpc.js'
import { ConfigurationError, UnavailableError } from '../../../core/errors.js'
import { broadcast } from '../../../operator/transactions/broadcast.js'
import type { TransactionEndpoint } from '../../../operator/transactions/chain.js'
import { failureOf } from '../../doubles/failure.js'

const HASH = `0x${'ab'.repeat(32)}` as const
const unused = () => Promise.reject(new Error('not asked for here'))

/** A node that takes a transaction, or answers with an error. */
function node(error?: Error): TransactionEndpoint {
  return {
    shown: 'http://node',
    block: unused,
    transactionCount: unused,
    transactionReceipt: unused,
    transactionByHash: unused,
    sendRawTransaction: () => (error === undefined ? Promise.resolve(HASH) : Promise.reject(error)),
  }
}
const says = (words: string) => node(new RpcError(`http://node eth_sendRawTransaction: ${words}`))

describe('a transaction given to nodes', () => {
  it('is there already, or its nonce is mined, in every client’s words', async () => {
    const geth = ['already known', 'nonce too low: address 0x12, tx: 0 state: 1', 'nonce too low']
    const others = ['AlreadyKnown', 'OldNonce, Current nonce: 1', 'Known transaction', 'NONCE_TOO_LOW']
    for (const words of [...geth, ...others, 'transaction already imported'])
      await broadcast([says(words)], HASH)
  })

  it('is refused by a name, whatever the client’s words', async () => {
    const codeOf = async (words: string) => (await failureOf(broadcast([says(words)], HASH))).code
    for (const words of [
      'insufficient funds for gas * price + value: balance 0, tx cost 1',
      'InsufficientFunds, Account balance: 0',
      'Upfront cost exceeds account balance',
    ]) {
      expect(await codeOf(words), words).to.equal('INSUFFICIENT_FUNDS')
    }
    for (const words of [
      'replacement transaction underpriced',
      'transaction underpriced: gas tip cap 0, minimum needed 1',
      'could not replace existing tx',
      'ReplacementNotAllowed',
      'FeeTooLow, MaxFeePerGas too low.',
      'max fee per gas less than block base fee: address 0x12',
    ]) {
      expect(await codeOf(words), words).to.equal('TRANSACTION_UNDERPRICED')
    }
    expect(await codeOf('exceeds block gas limit')).to.equal('TRANSACTION_REFUSED')
    expect(await codeOf('unknown transaction type')).to.equal('TRANSACTION_REFUSED')
  })

  it('needs one node that takes it', async () => {
    const away = node(new UnavailableError('TIMEOUT', 'no answer'))
    await broadcast([away, says('insufficient funds'), node()], HASH)
    expect((await failureOf(broadcast([away, says('insufficient funds')], HASH))).code).to.equal(
      'INSUFFICIENT_FUNDS',
    )
    const failure = await failureOf(broadcast([away, away], HASH))
    expect(failure.code).to.equal('NOT_SENT')
    expect(failure).to.be.instanceOf(UnavailableError)
  })

  it('does not go on over a wrong configuration', async () => {
    const wrong = node(new ConfigurationError('WRONG_NETWORK', 'another chain'))
    expect((await failureOf(broadcast([wrong, says('underpriced')], HASH))).code).to.equal('WRONG_NETWORK')
  })
})
