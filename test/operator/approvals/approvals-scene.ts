import { concatHex } from 'viem'
import type { ApprovalOutcome } from '../../../operator/approvals/approvals.js'
import { Approvals } from '../../../operator/approvals/approvals.js'
import { TestClock } from '../../doubles/clock.js'
import {
  CID,
  configOf,
  NETWORK,
  OracleReplica,
  oracleAccount,
  SUBJECT,
  signApproval,
} from './oracle-double.js'

export const never = new AbortController().signal

export function approvedOf(outcome: ApprovalOutcome) {
  if ('approved' in outcome) return outcome.approved
  throw new Error(`not approved: ${outcome.missing}`)
}

export function missingOf(outcome: ApprovalOutcome) {
  if ('missing' in outcome) return outcome
  throw new Error('approved')
}

/** Oracles over HTTP and a clock, new for each test of the suite that calls it. */
export function approvalsScene() {
  const replicas: OracleReplica[] = []
  const clock = { current: new TestClock() }
  const now = () => Math.floor(clock.current.now() / 1000)

  /** One replica for each number, which is the oracle's. */
  const serve = async (...numbers: number[]): Promise<OracleReplica[]> => {
    const made = await Promise.all(numbers.map((number) => new OracleReplica(oracleAccount(number)).listen()))
    replicas.push(...made)
    return made
  }
  const approvals = (
    oracles: readonly (readonly OracleReplica[])[],
    options: { timeout?: number; random?: () => number } = {},
  ) =>
    new Approvals(
      SUBJECT,
      configOf(
        oracles.map((group) => ({
          account: group[0]?.account ?? oracleAccount(0),
          endpoints: group.map(({ url }) => url),
        })),
      ),
      { network: NETWORK, clock: clock.current, timeout: 5000, ...options },
    )
  const ofOne = (oracles: readonly OracleReplica[], options = {}) =>
    approvals(
      oracles.map((oracle) => [oracle]),
      options,
    )
  /** What the Keeper gets of these oracles: their own signatures in the order of their addresses. */
  const expected = async (oracles: readonly OracleReplica[], deadline: number, ipfsHash = CID) => {
    const inOrder = [...oracles].sort((a, b) =>
      BigInt(a.account.address) < BigInt(b.account.address) ? -1 : 1,
    )
    const signatures = inOrder.map(({ account }) => signApproval(account, { ipfsHash, deadline }))
    return {
      ipfsHash,
      deadline: BigInt(deadline),
      signatures: concatHex(await Promise.all(signatures)),
      oracles: inOrder.map(({ account }) => account.address),
    }
  }

  beforeEach(() => {
    clock.current = new TestClock()
  })
  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.close()))
  })
  return { clock, now, serve, approvals, ofOne, expected }
}
