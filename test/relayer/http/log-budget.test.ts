import { expect } from 'chai'
import { Registry } from 'prom-client'
import type { App } from '../../../relayer/http/fastify.js'
import { LogBudget } from '../../../relayer/http/log-budget.js'
import { HttpMetrics } from '../../../relayer/http/metrics.js'
import { rejectionReporter } from '../../../relayer/http/rejections.js'
import { TestLog } from '../../doubles/log.js'
import { MemoryService } from './memory-service.js'
import { testApp } from './test-app.js'

describe('lines that strangers make the relayer log', () => {
  it('are a burst, then few, and what was left out is counted', () => {
    let now = 0
    const budget = new LogBudget({ burst: 2, interval: 1000, clock: () => now })
    expect([1, 2, 3, 4].map(() => budget.take())).to.deep.equal([0, 0, undefined, undefined])
    now = 1000
    expect([1, 2].map(() => budget.take())).to.deep.equal([2, undefined])
    now = 1_000_000
    expect([1, 2, 3].map(() => budget.take())).to.deep.equal([1, 0, undefined])
  })

  it('of rejected shares are bounded though share indexes are endless', () => {
    const log = new TestLog()
    const counter = new HttpMetrics(new Registry()).rejectedShares
    const budget = new LogBudget({ burst: 10, interval: 1000, clock: () => 0 })
    const report = rejectionReporter(log.logger, counter, budget)
    for (let index = 1n; index <= 20_000n; index++) {
      report(index, [{ publicKey: `0x${'ab'.repeat(48)}`, reason: 'unknown-share-index' }], 'somebody')
    }
    expect(log.messages('warn')).to.have.length(10)
  })

  it('of refused tokens are one a caller and reason, however the reasons take turns', async () => {
    const lines: Record<string, unknown>[] = []
    const app: App = await testApp(new MemoryService(), { log: (line) => lines.push(line) })
    try {
      for (let i = 0; i < 50; i++) {
        for (const host of ['localhost', 'elsewhere.example']) {
          await app.inject({ url: '/exits', headers: { host, authorization: `Bearer wrong-${i}` } })
        }
      }
    } finally {
      await app.close()
    }
    const told = lines.filter(({ level }) => Number(level) >= 30)
    expect(told.map(({ code }) => code)).to.have.members(['WRONG_TOKEN', 'UNKNOWN_HOST'])
    expect(JSON.stringify(lines)).not.to.contain('wrong-')
  })
})
