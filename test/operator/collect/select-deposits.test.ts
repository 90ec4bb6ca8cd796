import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { type DepositDataEntry, loadDepositData } from '../../../core/deposits/deposit-data.js'
import { ConfigurationError } from '../../../core/errors.js'
import { loadNetwork } from '../../../core/network.js'
import { selectDeposits } from '../../../operator/collect/select-deposits.js'

const network = loadNetwork('hoodi')
const CHARON = fileURLToPath(
  new URL('../../fixtures/obol/obol-4n3t-hoodi/node0/deposit-data.json', import.meta.url),
)
const entries = await loadDepositData(CHARON, network)
const [first, second] = entries as [DepositDataEntry, DepositDataEntry]

function select(from: readonly DepositDataEntry[], start: number, count: number): DepositDataEntry[] {
  return selectDeposits(from, { start, count, source: 'deposits.json', network })
}
function refusal(from: readonly DepositDataEntry[], start = 0, count = from.length): string {
  try {
    select(from, start, count)
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigurationError)
    return (error as ConfigurationError).message
  }
  throw new Error('it was taken')
}

describe('the deposits to collect for', () => {
  it('are those from --start on, in the order of the file', async () => {
    const raw = JSON.parse(await readFile(CHARON, 'utf8')) as { pubkey: string }[]
    expect(select(entries, 0, 2).map(({ publicKey }) => publicKey)).to.deep.equal(
      raw.map(({ pubkey }) => `0x${pubkey}`),
    )
    expect(select(entries, 1, 1)).to.deep.equal([second])
  })

  it('must be there', () => {
    expect(refusal(entries, 1, 2)).to.equal('deposits.json holds 2 deposits, 2 from position 1 on are wanted')
  })

  it('may lack withdrawal credentials: their signature is not verified then', () => {
    const { withdrawalCredentials: _, ...bare } = { ...first, signature: second.signature }
    expect(select([bare], 0, 1)).to.deep.equal([bare])
  })

  it('must have signatures of their keys', () => {
    expect(refusal([first, { ...second, signature: first.signature }])).to.equal(
      'deposits.json, entry 1: its signature does not verify',
    )
    expect(select([first, { ...second, signature: first.signature }], 0, 1)).to.have.length(1)
  })

  it('must have keys that are points', () => {
    const { withdrawalCredentials: _, ...bare } = first
    const publicKey = `0x${'ff'.repeat(48)}` as const
    expect(refusal([{ ...bare, publicKey }])).to.match(/^deposits\.json, entry 0: .* not a valid point/)
  })

  it('must have amounts that a vault deposits', () => {
    const { withdrawalCredentials: _, ...bare } = first
    const compounding = { ...bare, withdrawalCredentials: `0x02${'00'.repeat(31)}` } as const
    expect(refusal([{ ...first, amount: 33_000_000_000n }])).to.include('expected exactly 32000000000')
    expect(refusal([{ ...bare, amount: 1_000_000_000n }])).to.include('expected 32000000000 to')
    expect(refusal([{ ...bare, amount: 2_048_000_000_001n }])).to.include('to 2048000000000')
    expect(refusal([{ ...compounding, amount: 40_000_000_000n }])).to.include('signature does not verify')
    expect(select([{ ...bare, amount: 2_048_000_000_000n }], 0, 1)).to.have.length(1)
  })
})
