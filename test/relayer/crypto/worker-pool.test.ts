import { expect } from 'chai'
import { fromHex, toHex } from '../../../core/hex.js'
import type { SignatureToMake } from '../../../relayer/crypto/exit-crypto.js'
import { WorkerPool } from '../../../relayer/crypto/worker-pool.js'
import { exitRoot, fourNodeValidators, garbage, obolExits } from '../clusters.js'
import { combineParts, createOracles } from '../relayer.js'

const [golden] = obolExits('obol-4n3t-hoodi')
if (golden === undefined) throw new Error('no golden exit')
const { validator, validatorIndex } = golden
const oracles = createOracles(4, 3)
const exit: SignatureToMake = {
  publicKey: fromHex(validator.publicKey),
  message: exitRoot(validatorIndex),
  shares: [...golden.shares].map(([index, signature]) => ({ index, signature })),
  threshold: 3,
  oracles: { publicKeys: oracles.config.oracles.map((oracle) => oracle.publicKey), threshold: 3 },
}
const wrong = (index: bigint) => ({ index, signature: garbage(Number(index)) })
const infinity = new Uint8Array(96)
infinity[0] = 0xc0

describe('worker threads', () => {
  let pool: WorkerPool
  before(() => {
    pool = new WorkerPool({ threads: 1 })
  })
  after(() => pool.close())

  /** Opens what came out of a thread. */
  const combined = (parts: { publicKeys: readonly Uint8Array[]; sealed: readonly Uint8Array[] }) =>
    combineParts(
      oracles,
      { publicKeys: parts.publicKeys.map(toHex), encryptedExitSignatures: parts.sealed.map(toHex) },
      validator.publicKey,
      validatorIndex,
    )

  it('tell points from other bytes', async () => {
    const keys = fourNodeValidators.map((own) => fromHex(own.validator.publicKey))
    const bad = [new Uint8Array(48), infinity.subarray(0, 48), new Uint8Array(48).fill(0x11)]
    expect(await pool.checkPublicKeys([...keys, ...bad])).to.deep.equal([
      ...keys.map(() => true),
      ...bad.map(() => false),
    ])
  })

  it('check a hundred shares, each under its own alternatives, and name what each verifies under', async () => {
    const shares = Array.from({ length: 100 }, (_, i) => {
      const own = fourNodeValidators[i % fourNodeValidators.length]
      const publicShare = own?.validator.shares.get(2n)
      if (own === undefined || publicShare === undefined) throw new Error('no share')
      const alternatives = [1_000, 1_001].map((index) => ({
        message: exitRoot(index),
        publicShare: fromHex(publicShare),
      }))
      if (i === 7) return { signature: garbage(7), alternatives }
      if (i === 8) return { signature: infinity, alternatives }
      if (i === 9) return { signature: own.sign(2n, 1_000), alternatives: [] }
      return { signature: own.sign(2n, 1_000 + (i % 2)), alternatives }
    })
    const verdicts = await pool.checkShares(shares)
    expect(verdicts).to.deep.equal(
      shares.map((_, i) => {
        if (i === 7 || i === 9) return { verdict: 'unproven' }
        if (i === 8) return { verdict: 'not-a-point' }
        return { verdict: 'right', alternative: i % 2 }
      }),
    )
    expect(await pool.checkShares([])).to.deep.equal([])
  })

  it('recover, split and seal what the golden shares make', async () => {
    const made = await pool.makeSignature(exit)
    if (made?.kind !== 'split') throw new Error('not recovered')
    expect(combined(made.parts)).to.equal(golden.signature)
  })

  it('make nothing of shares that make no signature of the key', async () => {
    const shares = [wrong(1n), ...exit.shares.slice(1, 3)]
    expect(await pool.makeSignature({ ...exit, shares })).to.equal(null)
  })

  it('find the subset that recovers, and prove and disprove the rest', async () => {
    const shares = [wrong(1n), ...exit.shares.slice(1), wrong(2n), wrong(99n)]
    const subsets = [
      [0, 1, 2],
      [4, 2, 3],
      [1, 2, 3],
    ]
    const trial = await pool.trySubsets({ ...exit, shares, subsets })
    if (trial.outcome === 'failed') throw new Error('not recovered')
    if (trial.made.kind !== 'split') throw new Error('not split')
    expect(combined(trial.made.parts)).to.equal(golden.signature)
    expect(trial.right).to.deep.equal([1, 2, 3])
    expect(trial.wrong).to.deep.equal([0, 4, 5])
    expect(await pool.trySubsets({ ...exit, shares, subsets: subsets.slice(0, 2) })).to.deep.equal({
      outcome: 'failed',
    })
  })

  it('prove a fourth share by the first three', async () => {
    for (const subset of [
      [0, 1, 2],
      [0, 1, 3],
      [0, 2, 3],
      [1, 2, 3],
    ]) {
      const trial = await pool.trySubsets({ ...exit, subsets: [subset] })
      expect(trial).to.deep.include({ outcome: 'recovered', right: [0, 1, 2, 3], wrong: [] })
    }
  })

  it('answer checks while recoveries wait', async () => {
    const order: string[] = []
    const recoveries = Array.from({ length: 40 }, () =>
      pool.makeSignature(exit).then(() => order.push('recovery')),
    )
    await pool.checkPublicKeys([exit.publicKey])
    order.push('check')
    await Promise.all(recoveries)
    expect(order.indexOf('check')).to.be.lessThan(39)
  })

  it('bring what is under way to its end when closed', async () => {
    const closing = new WorkerPool({ threads: 1 })
    const recovery = closing.makeSignature(exit)
    await closing.close()
    expect(await recovery).not.to.equal(null)
  })
})
