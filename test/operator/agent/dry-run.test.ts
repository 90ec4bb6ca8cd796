import { expect } from 'chai'
import { ConfigurationError, UnavailableError } from '../../../core/errors.js'
import { prepareOnce } from '../../../operator/agent/dry-run.js'
import { NotNow } from '../../../operator/not-now.js'
import type { RoundOutcome } from '../../../operator/registration/round.js'
import { TestClock } from '../../doubles/clock.js'
import { failureOf } from '../../doubles/failure.js'
import { TestLog } from '../../doubles/log.js'

const prepared: RoundOutcome = {
  kind: 'prepared',
  transaction: {
    kind: 'registration',
    value: 0n,
    from: `0x${'5e'.repeat(20)}`,
    to: `0x${'ba'.repeat(20)}`,
    data: '0x12345678',
    gas: 1_234_567n,
    fees: { maxFeePerGas: 9_007_199_254_740_993n, maxPriorityFeePerGas: 1_000_000_000n },
    publicKeys: [`0x${'aa'.repeat(48)}`],
    startIndex: 2000,
    registryRoot: `0x${'11'.repeat(32)}`,
    deadline: 1_800_000_600n,
    vault: `0x${'ba'.repeat(20)}`,
    way: 'manager',
  },
}
const waiting = (missing: string) => new NotNow('WAITING_FOR_EXITS', `waiting for shares ${missing}`)

describe('a dry run', () => {
  let clock: TestClock
  let log: TestLog
  let out: string

  const run = (rounds: (Error | RoundOutcome)[], options: { check?: Error; signal?: AbortSignal } = {}) =>
    prepareOnce(
      {
        check: async () => {
          if (options.check !== undefined) throw options.check
        },
        round: {
          run: async () => {
            const next = rounds.shift()
            if (next === undefined) throw new Error('one round too many')
            if (next instanceof Error) throw next
            return next
          },
        },
        clock,
        logger: log.logger,
        interval: 12_000,
        out: {
          write: (text) => {
            out += text
          },
        },
      },
      options.signal ?? new AbortController().signal,
    )

  beforeEach(() => {
    clock = new TestClock()
    log = new TestLog()
    out = ''
  })

  it('prints what would be registered and the transaction as eth_sendTransaction takes it, and ends', async () => {
    await run([prepared])
    expect(out.endsWith('\n')).to.equal(true)
    expect(JSON.parse(out)).to.deep.equal({
      kind: 'registration',
      publicKeys: [`0x${'aa'.repeat(48)}`],
      startIndex: 2000,
      registryRoot: `0x${'11'.repeat(32)}`,
      deadline: 1_800_000_600,
      vault: `0x${'ba'.repeat(20)}`,
      way: 'manager',
      transaction: {
        from: `0x${'5e'.repeat(20)}`,
        to: `0x${'ba'.repeat(20)}`,
        data: '0x12345678',
        value: '0x0',
        gas: '0x12d687',
        maxFeePerGas: '0x20000000000001',
        maxPriorityFeePerGas: '0x3b9aca00',
      },
    })
  })

  it('waits for the sidecars, and says once what is missing', async () => {
    const moved = new NotNow('REGISTRY_MOVED', 'starting over', { soon: true })
    await run([waiting('1, 2'), waiting('1, 2'), waiting('2'), moved, prepared])
    expect(log.messages('info')).to.deep.equal([
      'waiting for shares 1, 2',
      'waiting for shares 2',
      'starting over',
    ])
    expect(clock.pauses).to.have.length(4)
    expect(JSON.parse(out)).to.have.property('startIndex', 2000)
  })

  for (const error of [
    new NotNow('TOO_FEW_ASSETS', 'the vault has 1 ETH'),
    new NotNow('WOULD_REVERT', 'the registration would revert with NotHarvested', { level: 'warn' }),
    new NotNow('WALLET_TOO_POOR', 'the wallet has 0'),
    new UnavailableError('ALL_ENDPOINTS_FAILED', 'eth_call: down'),
  ]) {
    it(`ends with the reason where nothing would be registered: ${error.code}`, async () => {
      expect(await failureOf(run([error]))).to.equal(error)
      expect(out).to.equal('')
    })
  }

  it('ends where the checks fail, before any round', async () => {
    const check = new ConfigurationError('NO_VAULT', 'there is no vault')
    expect(await failureOf(run([], { check }))).to.equal(check)
  })

  it('ends without a word when it is stopped', async () => {
    const controller = new AbortController()
    clock.onPause = () => controller.abort()
    await run([waiting('1')], { signal: controller.signal })
    expect(out).to.equal('')
  })
})
