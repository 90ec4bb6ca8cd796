import { parsePublicKey } from '../../core/bls/points.js'
import { type DepositDataEntry, verifyDepositSignatures } from '../../core/deposits/deposit-data.js'
import { ConfigurationError, describeError } from '../../core/errors.js'
import { activationAmounts, isActivationAmount } from '../../core/messages/deposit.js'
import type { Network } from '../../core/network.js'

/**
 * The entries start … start + count − 1 of a deposit data file, checked as far as the file allows: the
 * amount, the key, and the signature where the entry says its withdrawal credentials.
 * @throws ConfigurationError TOO_FEW_DEPOSITS, UNUSABLE_DEPOSIT
 */
export function selectDeposits(
  entries: readonly DepositDataEntry[],
  { start, count, source, network }: { start: number; count: number; source: string; network: Network },
): DepositDataEntry[] {
  if (start + count > entries.length) {
    throw new ConfigurationError(
      'TOO_FEW_DEPOSITS',
      `${source} holds ${entries.length} deposits, ${count} from position ${start} on are wanted`,
      { hint: 'Give a smaller --count or --start' },
    )
  }
  const selected = entries.slice(start, start + count)
  const wrong = wrongSignatures(selected, network)
  for (const [i, entry] of selected.entries()) {
    const problem = problemOf(entry) ?? (wrong.has(entry) ? 'its signature does not verify' : undefined)
    if (problem === undefined) continue
    throw new ConfigurationError('UNUSABLE_DEPOSIT', `${source}, entry ${start + i}: ${problem}`, {
      hint: `Leave it out with --start and --count, or check that the file is for ${network.name}`,
    })
  }
  return selected
}

function problemOf({ publicKey, amount, withdrawalCredentials }: DepositDataEntry): string | undefined {
  try {
    parsePublicKey(publicKey)
  } catch (error) {
    return describeError(error)
  }
  const type = withdrawalCredentials?.startsWith('0x01') === true ? '0x01' : '0x02'
  return isActivationAmount(type, amount)
    ? undefined
    : `its amount is ${amount} Gwei, expected ${activationAmounts(type)}`
}

function wrongSignatures(entries: readonly DepositDataEntry[], network: Network): Set<DepositDataEntry> {
  const signed = entries.flatMap((entry) =>
    entry.withdrawalCredentials === undefined
      ? []
      : [{ entry, deposit: { ...entry, withdrawalCredentials: entry.withdrawalCredentials } }],
  )
  const verdicts = verifyDepositSignatures(
    network,
    signed.map(({ deposit }) => deposit),
  )
  return new Set(signed.flatMap(({ entry }, i) => (verdicts[i] === true ? [] : [entry])))
}
