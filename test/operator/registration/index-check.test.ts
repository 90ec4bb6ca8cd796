import { expect } from 'chai'
import type { ValidatorStatus } from '../../../core/clients/beacon.js'
import { UnavailableError } from '../../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { IndexCheck } from '../../../operator/registration/index-check.js'
import type { Registration } from '../../../operator/transactions/store/transaction.js'
import { TestClock } from '../../doubles/clock.js'
import { failureOf } from '../../doubles/failure.js'
import { TestLog } from '../../doubles/log.js'
import { mined } from '../agent/registrations.js'

const A: PublicKeyHex = `0x${'aa'.repeat(48)}`
const B: PublicKeyHex = `0x${'bb'.repeat(48)}`
const C: PublicKeyHex = `0x${'cc'.repeat(48)}`
const INTERVAL = 384_000
const withdrawalCredentials: Hex = `0x01${'00'.repeat(31)}`

describe('the indexes that registered validators got', () => {
  let clock: TestClock
  let log: TestLog
  let unchecked: Registration[]
  let registry: Map<PublicKeyHex, number>
  let questions: number
  let beaconIsDown: boolean
  let check: IndexCheck

  beforeEach(() => {
    clock = new TestClock()
    log = new TestLog()
    unchecked = [mined({ id: 1, publicKeys: [A, B], startIndex: 2000 })]
    registry = new Map()
    questions = 0
    beaconIsDown = false
    check = new IndexCheck({
      store: {
        withUncheckedIndexes: async () => [...unchecked],
        markIndexChecked: async (id) => {
          unchecked = unchecked.filter((registration) => registration.id !== id)
        },
      },
      beacon: {
        validatorStatuses: async (keys): Promise<ValidatorStatus[]> => {
          questions++
          if (beaconIsDown) throw new UnavailableError('ALL_ENDPOINTS_FAILED', 'down')
          // A beacon node answers in the order of the indexes, not of the question.
          return [...registry]
            .filter(([publicKey]) => keys.includes(publicKey))
            .map(([publicKey, index]) => ({
              publicKey,
              index,
              status: 'pending_queued',
              balance: 32_000_000_000n,
              withdrawalCredentials,
            }))
            .toSorted((a, b) => a.index - b.index)
        },
      },
      clock,
      logger: log.logger,
      interval: INTERVAL,
    })
  })

  it('are said once where they are those of the exit signatures', async () => {
    registry.set(A, 2000).set(B, 2001)
    await check.look()
    clock.advance(INTERVAL)
    await check.look()
    expect(log.messages('info')).to.deep.equal([
      `${A} is validator 2000, as its exit signature says`,
      `${B} is validator 2001, as its exit signature says`,
    ])
    expect(log.messages('error')).to.deep.equal([])
    expect(unchecked).to.deep.equal([])
  })

  it('are an error where they are others, whose exit may be somebody else’s', async () => {
    registry.set(A, 2001).set(B, 2000)
    await check.look()
    const errors = log.messages('error')
    expect(errors).to.have.length(2)
    expect(errors[0]).to.include(`${A} is validator 2001`).and.to.include('its exit signature is for 2000')
    expect(errors[1]).to.include(`${B} is validator 2000`).and.to.include('its exit signature is for 2001')
    expect(unchecked).to.deep.equal([])
  })

  it('are waited for until all of a registration are there', async () => {
    registry.set(A, 2000)
    await check.look()
    expect(log.lines).to.deep.equal([])
    registry.set(B, 2001)
    clock.advance(INTERVAL)
    await check.look()
    expect(log.messages('info')).to.have.length(2)
  })

  it('of a later registration do not wait for an earlier one', async () => {
    unchecked.push(mined({ id: 2, publicKeys: [C], startIndex: 2002 }))
    registry.set(C, 2002)
    await check.look()
    expect(log.messages('info')).to.deep.equal([`${C} is validator 2002, as its exit signature says`])
    expect(unchecked.map(({ id }) => id)).to.deep.equal([1])
  })

  it('are not asked for in every round', async () => {
    await check.look()
    clock.advance(INTERVAL - 1)
    await check.look()
    expect(questions).to.equal(1)
    clock.advance(1)
    await check.look()
    expect(questions).to.equal(2)
  })

  it('are not given up where no beacon node answers', async () => {
    beaconIsDown = true
    expect((await failureOf(check.look())).code).to.equal('ALL_ENDPOINTS_FAILED')
    beaconIsDown = false
    registry.set(A, 2000).set(B, 2001)
    clock.advance(INTERVAL)
    await check.look()
    expect(unchecked).to.deep.equal([])
  })
})
