import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import {
  type DepositDataEntry,
  loadDepositData,
  parseDepositData,
  verifyDepositSignatures,
} from '../../../core/deposits/deposit-data.js'
import { ConfigurationError, ConfigurationErrors, describeError } from '../../../core/errors.js'
import type { Hex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'

const fixture = (path: string) => fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url))
const CHARON = fixture('obol/obol-4n3t-hoodi/node0/deposit-data.json')
const SSV_DKG = fixture('ssv/ssv-4op/dkg/deposit_data.json')
const hoodi = loadNetwork('hoodi')

type RawEntry = Record<string, unknown>
const raw = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as RawEntry[]

async function refusal(action: () => unknown): Promise<string> {
  try {
    await action()
  } catch (error) {
    expect(error).to.satisfy(
      (thrown: unknown) => thrown instanceof ConfigurationError || thrown instanceof ConfigurationErrors,
    )
    return describeError(error)
  }
  throw new Error('it was taken')
}

function withCredentials(entries: readonly DepositDataEntry[]) {
  return entries.map((entry) => ({ ...entry, withdrawalCredentials: entry.withdrawalCredentials ?? '0x' }))
}

describe('deposit data', () => {
  for (const [maker, file, count] of [
    ['Charon', CHARON, 2],
    ['Charon for partial deposits', fixture('obol/obol-16n10t-hoodi/node0/deposit-data-256eth.json'), 1],
    ['ssv-dkg', SSV_DKG, 1],
  ] as const) {
    it(`of ${maker} is read, and its signatures verify`, async () => {
      const entries = await loadDepositData(file, hoodi)
      const content = await raw(file)
      expect(entries).to.have.length(count)
      expect(entries.map(({ publicKey, amount }) => [publicKey, amount])).to.deep.equal(
        content.map(({ pubkey, amount }) => [`0x${pubkey}`, BigInt(amount as number)]),
      )
      expect(verifyDepositSignatures(hoodi, withCredentials(entries))).to.deep.equal(entries.map(() => true))
    })
  }

  it('needs pubkey, signature and amount alone, with 0x and upper case too', async () => {
    const [first] = await raw(CHARON)
    const text = JSON.stringify([
      {
        pubkey: `0x${String(first?.['pubkey']).toUpperCase()}`,
        signature: `0x${first?.['signature']}`,
        amount: first?.['amount'],
      },
    ])
    expect(parseDepositData(text, 'f')).to.deep.equal([
      {
        publicKey: `0x${first?.['pubkey']}`,
        signature: `0x${first?.['signature']}`,
        amount: 32_000_000_000n,
      },
    ])
  })

  it('with a signature over something else is told', async () => {
    const entries = withCredentials(await loadDepositData(CHARON))
    const [a, b] = entries
    if (a === undefined || b === undefined) throw new Error('two entries are needed')
    const infinity: Hex = `0xc0${'00'.repeat(95)}`
    const wrong = [
      a,
      { ...b, amount: 31_000_000_000n },
      { ...a, signature: b.signature },
      b,
      { ...a, signature: infinity },
    ]
    expect(verifyDepositSignatures(hoodi, wrong)).to.deep.equal([true, false, false, true, false])
    expect(verifyDepositSignatures(loadNetwork('mainnet'), entries)).to.deep.equal([false, false])
  })

  describe('is refused, naming the file and the entry, where', () => {
    const cases: [what: string, change: (entry: RawEntry) => RawEntry, expected: RegExp][] = [
      ['the key is short', (e) => ({ ...e, pubkey: 'abcd' }), /pubkey: invalid BLS public key/],
      ['the signature is no hex', (e) => ({ ...e, signature: 'zz' }), /signature: invalid BLS signature/],
      ['the amount is missing', ({ amount: _, ...e }) => e, /amount: expected an integer of Gwei/],
      ['the amount is text', (e) => ({ ...e, amount: '32000000000' }), /amount: expected an integer/],
      ['the amount is ETH', (e) => ({ ...e, amount: 32 }), /amount: expected at least/],
      [
        'the withdrawal credentials are an address',
        (e) => ({ ...e, withdrawal_credentials: `0x${'12'.repeat(20)}` }),
        /withdrawal_credentials: invalid/,
      ],
      [
        'the withdrawal credentials are of an unknown kind',
        (e) => ({ ...e, withdrawal_credentials: `03${'00'.repeat(31)}` }),
        /withdrawal_credentials: expected 0x00/,
      ],
      [
        'the message root is that of another deposit',
        (e) => ({ ...e, deposit_message_root: '00'.repeat(32) }),
        /deposit_message_root is 0x0000/,
      ],
      [
        'the data root does not fit the signature',
        (e) => ({ ...e, deposit_data_root: '00'.repeat(32) }),
        /deposit_data_root is 0x0000/,
      ],
      [
        'the fork version is of another network',
        (e) => ({ ...e, fork_version: '00000000' }),
        /fork_version 0x00000000 is not that of hoodi/,
      ],
      ['it is no object', () => 7 as unknown as RawEntry, /expected object/],
    ]
    for (const [what, change, expected] of cases) {
      it(what, async () => {
        const entries = await raw(CHARON)
        const text = JSON.stringify(entries.map((entry, i) => (i === 1 ? change(entry) : entry)))
        const message = await refusal(() => parseDepositData(text, 'deposits.json', hoodi))
        expect(message)
          .to.match(/^deposits\.json, entry 1: /)
          .and.to.match(expected)
        expect(message).to.not.include('\n')
      })
    }

    it('a key stands there twice', async () => {
      const entries = await raw(CHARON)
      const twice = [
        ...entries,
        { ...entries[0], pubkey: `0x${String(entries[0]?.['pubkey']).toUpperCase()}` },
      ]
      const message = await refusal(() => parseDepositData(JSON.stringify(twice), 'deposits.json'))
      expect(message).to.match(/^deposits\.json, entry 2: .* stands in entry 0 too/)
    })

    it('several entries are wrong, all at once', async () => {
      const entries = (await raw(CHARON)).map((entry) => ({ ...entry, amount: null }))
      const message = await refusal(() => parseDepositData(JSON.stringify(entries), 'deposits.json'))
      expect(message.split('\n')).to.have.length(2)
    })
  })

  it('that is no array of deposits, or not there, is refused', async () => {
    for (const [text, expected] of [
      ['{"pubkey": 1}', 'no JSON array'],
      ['[]', 'no deposit'],
      ['[1,', 'not JSON'],
    ] as const) {
      expect(await refusal(() => parseDepositData(text, 'deposits.json')))
        .to.include(`deposits.json`)
        .and.to.include(expected)
    }
    expect(await refusal(() => loadDepositData('/nowhere/deposits.json'))).to.include(
      '/nowhere/deposits.json',
    )
  })
})
