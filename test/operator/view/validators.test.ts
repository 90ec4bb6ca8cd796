import { expect } from 'chai'
import type { DepositDataEntry } from '../../../core/deposits/deposit-data.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { stringifyJson } from '../../../core/json.js'
import { VaultDeposits } from '../../../operator/deposit-data/vault-deposits.js'
import { describeValidators, readValidators } from '../../../operator/view/validators.js'
import { mined } from '../agent/registrations.js'
import { bareEntry, hoodi, signedEntry, VAULT } from '../signed-entries.js'

const withdrawalCredentials: Hex = `0x01${'00'.repeat(31)}`

interface Situation {
  entries: readonly DepositDataEntry[]
  registry?: Record<PublicKeyHex, number>
  known?: readonly PublicKeyHex[]
  sent?: readonly PublicKeyHex[]
}

function read({ entries, registry = {}, known = [], sent = [] }: Situation) {
  const options = { network: hoodi, vault: VAULT, validatorType: undefined, source: 'deposits.json' }
  const deposits = new VaultDeposits(entries, options)
  return readValidators({
    depositData: { deposits: async () => deposits },
    beacon: {
      validatorStatuses: async (keys) =>
        Object.entries(registry)
          .map(([publicKey, index]) => ({ publicKey: publicKey as PublicKeyHex, index }))
          .filter(({ publicKey }) => keys.includes(publicKey))
          .map((one) => ({
            ...one,
            status: 'active_ongoing',
            balance: 32_000_000_000n,
            withdrawalCredentials,
          })),
    },
    predictor: { knownKeys: async (keys) => keys.filter((key) => known.includes(key)) },
    store: {
      inFlight: async () =>
        sent.length === 0 ? [] : [mined({ state: 'sent', publicKeys: sent, block: undefined })],
    },
  })
}

describe('the deposit data’s entries with their state', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => signedEntry(name))
  const compounding = signedEntry('d', { type: '0x02', amount: 64_000_000_001n })
  const foreign = bareEntry('e', { vault: `0x${'34'.repeat(20)}` })
  if (a === undefined || b === undefined || c === undefined) throw new Error('no entries')
  const entries = [a, b, c, compounding, foreign]

  it('are in the file’s order, each in one state', async () => {
    const views = await read({
      entries,
      registry: { [a.publicKey]: 1234 },
      known: [a.publicKey, b.publicKey],
      sent: [c.publicKey],
    })
    const amount = 32_000_000_000n
    const plain = { type: '0x01', amount, index: null, detail: null }
    expect(views).to.deep.equal([
      {
        ...plain,
        position: 0,
        publicKey: a.publicKey,
        state: 'registered',
        index: 1234,
        detail: 'active_ongoing',
      },
      { ...plain, position: 1, publicKey: b.publicKey, state: 'deposited' },
      { ...plain, position: 2, publicKey: c.publicKey, state: 'sent' },
      {
        ...plain,
        position: 3,
        publicKey: compounding.publicKey,
        state: 'waiting',
        type: '0x02',
        amount: 64_000_000_001n,
      },
      {
        ...plain,
        position: 4,
        publicKey: foreign.publicKey,
        state: 'unusable',
        type: null,
        detail: 'its deposit signature does not verify for this vault and network',
      },
    ])
  })

  it('are deposited rather than sent once the chain has the deposit', async () => {
    const [view] = await read({ entries: [a], known: [a.publicKey], sent: [a.publicKey] })
    expect(view?.state).to.equal('deposited')
  })

  it('are registered whatever is wrong with them now', async () => {
    const [view] = await read({ entries: [foreign], registry: { [foreign.publicKey]: 7 } })
    expect(view).to.include({ state: 'registered', index: 7, type: null })
  })

  it('as JSON have null for what there is not', async () => {
    const text = stringifyJson(await read({ entries: [compounding] }), 2)
    expect(JSON.parse(text)).to.deep.equal([
      {
        position: 0,
        publicKey: compounding.publicKey,
        amount: 64_000_000_001,
        type: '0x02',
        state: 'waiting',
        index: null,
        detail: null,
      },
    ])
  })

  it('for a person are one line each, in columns', async () => {
    const views = await read({ entries, registry: { [a.publicKey]: 1234 }, sent: [b.publicKey] })
    expect(describeValidators(views).split('\n')).to.deep.equal([
      `    0 ${a.publicKey} 0x01     32 registered 1234 active_ongoing`,
      `    1 ${b.publicKey} 0x01     32 sent`,
      `    2 ${c.publicKey} 0x01     32 waiting`,
      `    3 ${compounding.publicKey} 0x02 64.000000001 waiting`,
      `    4 ${foreign.publicKey}          32 unusable    its deposit signature does not verify for this vault and network`,
    ])
  })
})
