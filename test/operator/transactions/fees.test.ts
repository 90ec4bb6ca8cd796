import { expect } from 'chai'
import { currentFees, formatGwei, isTooHigh, replacementFees } from '../../../operator/transactions/fees.js'
import { failureOf } from '../../doubles/failure.js'

const GWEI = 1_000_000_000n
const fees = (maxFeePerGas: bigint, maxPriorityFeePerGas: bigint) => ({ maxFeePerGas, maxPriorityFeePerGas })

describe('fees', () => {
  it('are the mean reward, to 0.1 Gwei above 1 Gwei, and twice the next base fee', () => {
    const rewards = [1_000_000_000n, 2_000_000_000n, 1_130_000_000n]
    expect(currentFees({ baseFees: [7n, 9n * GWEI, 5n * GWEI], rewards })).to.deep.equal(
      fees(11_400_000_000n, 1_400_000_000n),
    )
    expect(currentFees({ baseFees: [GWEI], rewards: [1_349_999_999n] })).to.deep.equal(
      fees(3_300_000_000n, 1_300_000_000n),
    )
  })

  it('keep small rewards as they are, down to none', () => {
    expect(currentFees({ baseFees: [0n, 30n], rewards: [1n, 2n, 6n] })).to.deep.equal(fees(63n, 3n))
    expect(currentFees({ baseFees: [0n, 30n], rewards: [GWEI] })).to.deep.equal(fees(GWEI + 60n, GWEI))
    expect(currentFees({ baseFees: [30n], rewards: [] })).to.deep.equal(fees(60n, 0n))
  })

  it('pay at least the network’s smallest priority fee', () => {
    expect(currentFees({ baseFees: [GWEI], rewards: [5n] }, GWEI)).to.deep.equal(fees(3n * GWEI, GWEI))
    expect(currentFees({ baseFees: [GWEI], rewards: [2n * GWEI] }, GWEI)).to.deep.equal(
      fees(4n * GWEI, 2n * GWEI),
    )
  })

  it('need a base fee', async () => {
    const failure = await failureOf((async () => currentFees({ baseFees: [], rewards: [1n] }))())
    expect(failure.code).to.equal('INCOMPLETE_FEE_HISTORY')
  })

  it('are too high from the limit on', () => {
    expect(isTooHigh(fees(10n * GWEI - 1n, 0n), 10n * GWEI)).to.equal(false)
    expect(isTooHigh(fees(10n * GWEI, 0n), 10n * GWEI)).to.equal(true)
  })

  it('of a replacement are both at least 12.5 % higher, rounded up, and never the same', () => {
    expect(replacementFees(fees(800n, 80n), fees(100n, 10n))).to.deep.equal(fees(900n, 90n))
    expect(replacementFees(fees(801n, 81n), fees(100n, 10n))).to.deep.equal(fees(902n, 92n))
    expect(replacementFees(fees(800n, 0n), fees(2000n, 0n))).to.deep.equal(fees(2000n, 1n))
    expect(replacementFees(fees(800n, 80n), fees(2000n, 200n))).to.deep.equal(fees(2000n, 200n))
  })

  it('are shown in Gwei', () => {
    expect(formatGwei(1_234_567_890n)).to.equal('1.235 Gwei')
    expect(formatGwei(10n * GWEI)).to.equal('10 Gwei')
  })
})
