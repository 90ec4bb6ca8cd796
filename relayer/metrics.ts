import { Counter, Histogram, type Registry } from 'prom-client'

/** What became of a posted share. */
export type ShareOutcome = 'accepted' | 'repeated' | 'late' | 'rejected' | 'unknown-key'

/** What the relayer's core counts. */
export class ExitMetrics {
  readonly shares: Counter<'outcome'>
  readonly unlistedShares: Counter
  readonly disprovenShares: Counter
  readonly trials: Counter
  readonly readyExits: Counter
  readonly recoverySeconds: Histogram<'way'>

  constructor(registry: Registry) {
    const registers = [registry]
    this.shares = new Counter({
      name: 'dvt_exit_relayer_shares_total',
      help: 'Shares that were posted, by what became of them',
      labelNames: ['outcome'],
      registers,
    })
    this.unlistedShares = new Counter({
      name: 'dvt_exit_relayer_unlisted_shares_total',
      help: 'Shares whose every subset failed, so that sidecars are asked to post again',
      registers,
    })
    this.disprovenShares = new Counter({
      name: 'dvt_exit_relayer_disproven_shares_total',
      help: 'Stored shares that turned out to be wrong',
      registers,
    })
    this.trials = new Counter({
      name: 'dvt_exit_relayer_trials_total',
      help: 'Subsets of shares that were tried, for validators without known public shares',
      registers,
    })
    this.readyExits = new Counter({
      name: 'dvt_exit_relayer_ready_exits_total',
      help: 'Exit signatures that were recovered and split for the oracles',
      registers,
    })
    this.recoverySeconds = new Histogram({
      name: 'dvt_exit_relayer_recovery_seconds',
      help: 'Time from the beginning of a recovery to the stored oracle parts',
      labelNames: ['way'],
      buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30],
      registers,
    })
  }
}
