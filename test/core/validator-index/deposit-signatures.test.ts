import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { DepositSignatures } from '../../../core/validator-index/deposit-signatures.js'
import { signedDeposit, wronglySigned } from '../../devnet/deposits.js'
import { network } from './world.js'

const deposit = (name: string) => signedDeposit(network, name)

/** How often signatures were verified, alone or many at once, during some work. */
async function verificationsOf(work: () => Promise<unknown>): Promise<number> {
  const { verify, verifyAll } = bls
  let count = 0
  bls.verify = (set) => {
    count += 1
    return verify(set)
  }
  bls.verifyAll = (sets) => {
    count += 1
    return verifyAll(sets)
  }
  try {
    await work()
  } finally {
    Object.assign(bls, { verify, verifyAll })
  }
  return count
}

describe('DepositSignatures', () => {
  it('names the keys that have a deposit with a valid signature', async () => {
    const [a, b] = [deposit('a'), deposit('b')]
    const deposits = [wronglySigned(network, 'a'), a, b, wronglySigned(network, 'c')]
    const valid = await new DepositSignatures(network).validKeys(deposits)
    expect([...valid]).to.deep.equal([a.publicKey, b.publicKey])
  })

  it('verifies right ones together, and none of them twice', async () => {
    const signatures = new DepositSignatures(network)
    const deposits = Array.from({ length: 20 }, (_, i) => deposit(`${i}`))
    expect(await verificationsOf(() => signatures.validKeys(deposits))).to.equal(1)
    expect(await verificationsOf(() => signatures.validKeys(deposits))).to.equal(0)
  })

  it('remembers the wrong ones too, and tells them by everything that was signed', async () => {
    const signatures = new DepositSignatures(network)
    const wrong = wronglySigned(network, 'a')
    await signatures.validKeys([wrong])
    expect(await verificationsOf(() => signatures.validKeys([wrong]))).to.equal(0)
    for (const changed of [
      deposit('a'),
      { ...wrong, amount: 1_000_000_000n },
      { ...wrong, withdrawalCredentials: `0x02${wrong.withdrawalCredentials.slice(4)}` as const },
    ]) {
      expect(await verificationsOf(() => signatures.validKeys([changed]))).to.equal(1)
    }
  })

  it('judges right with room for few verdicts', async () => {
    const signatures = new DepositSignatures(network, 2)
    const deposits = ['a', 'b', 'c', 'd'].map(deposit)
    const keys = deposits.map(({ publicKey }) => publicKey)
    await signatures.validKeys(deposits.slice(0, 2))
    expect([...(await signatures.validKeys(deposits))]).to.deep.equal(keys)
    expect([...(await signatures.validKeys(deposits))]).to.deep.equal(keys)
  })

  it('lets others have their turn between batches', async () => {
    const deposits = Array.from({ length: 200 }, (_, i) => deposit(`${i}`))
    let turns = 0
    let running = true
    const turn = () => {
      turns += 1
      if (running) setImmediate(turn)
    }
    setImmediate(turn)
    await new DepositSignatures(network).validKeys(deposits)
    running = false
    expect(turns).to.be.at.least(5)
  })
})
