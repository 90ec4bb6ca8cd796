/** Where `operator withdraw` and `operator consolidate` are put together. */
import { createInterface } from 'node:readline/promises'
import { encodeFunctionData, formatGwei, isAddressEqual } from 'viem'
import { createRelayerClient } from '../../core/clients/relayer-options.js'
import { RelayerRegistrations } from '../../core/clients/relayer-registrations.js'
import { systemClock } from '../../core/clock.js'
import type { CommandContext } from '../../core/command.js'
import { ConfigurationError, DvtExitError } from '../../core/errors.js'
import { shorten } from '../../core/hex.js'
import { stringifyJson } from '../../core/json.js'
import { required, type Values } from '../../core/options.js'
import { lockDatabase } from '../../core/storage/lock.js'
import { vaultAbi } from '../../core/vault/abi.js'
import type { Consolidation } from '../../core/vault/managed-bytes.js'
import { CONSOLIDATION_REQUESTS, WITHDRAWAL_REQUESTS } from '../../core/vault/request-contracts.js'
import { printable } from '../agent/dry-run.js'
import { loadKeys } from '../agent/keys.js'
import { createSender } from '../agent/sender.js'
import { type ManagerSigner, managedBytes, OwnManager, RelayerManager } from '../manager/signer.js'
import type { Keys } from '../registration/authority.js'
import { assertRelayer } from '../relayer-check.js'
import { createVaultParts, type VaultParts } from '../vault-parts.js'
import { checkConsolidations, checkWithdrawals } from './checks.js'
import { consolidationApprovals } from './consolidation-approvals.js'
import { consolidateOptions, withdrawOptions } from './options.js'
import { sendRequest, type ValidatorRequest } from './request.js'

type WithdrawValues = Values<typeof withdrawOptions>
type ConsolidateValues = Values<typeof consolidateOptions>

/**
 * Has validators give back a part of their balance, or exit, and waits until that is mined.
 * @throws ConfigurationError where options, files or the vault do not fit; DvtExitError INVALID_REQUEST, and
 *   those of sendRequest
 */
export async function runWithdraw(values: WithdrawValues, context: CommandContext): Promise<void> {
  const keys = required(values.publicKeys, withdrawOptions.publicKeys)
  const amount = required(values.amount, withdrawOptions.amount)
  const amounts = keys.map((publicKey) => ({ publicKey, amount }))
  const request = { kind: 'withdrawal', amounts } as const
  await run(values, context, async ({ vault, beacon }) => {
    checkWithdrawals(amounts, { vault, statuses: await beacon.validatorStatuses(keys) })
    const named = keys.map(shorten).join(', ')
    return {
      request,
      publicKeys: keys,
      question:
        amount === 0n
          ? `${keys.length} validators of ${vault} exit for good: ${named}.`
          : `${keys.length} validators of ${vault} give back ${formatGwei(amount)} ETH (mGNO) each: ${named}.`,
      contract: WITHDRAWAL_REQUESTS,
      count: keys.length,
      maxRequestFee: values.maxRequestFee,
      call: async (signature) =>
        encodeFunctionData({
          abi: vaultAbi,
          functionName: 'withdrawValidators',
          args: [managedBytes(vault, request), signature],
        }),
    }
  })
}

/** Moves validators' balances to others, and waits until that is mined. Throws as runWithdraw does. */
export async function runConsolidate(values: ConsolidateValues, context: CommandContext): Promise<void> {
  const consolidations = consolidationsOf(values)
  const request = { kind: 'consolidation', consolidations } as const
  const keys = [...new Set(consolidations.flatMap(({ source, target }) => [source, target]))]
  await run(values, context, async (parts) => {
    const { vault, beacon } = parts
    checkConsolidations(consolidations, { vault, statuses: await beacon.validatorStatuses(keys) })
    const validators = managedBytes(vault, request)
    const approvals = await approvalsOf(consolidations, parts, context.signal)
    return {
      request,
      publicKeys: consolidations.map(({ source }) => source),
      question: `Validators of ${vault}: ${consolidations.map(describe).join('; ')}.`,
      contract: CONSOLIDATION_REQUESTS,
      count: consolidations.length,
      maxRequestFee: values.maxRequestFee,
      call: async (signature) =>
        encodeFunctionData({
          abi: vaultAbi,
          functionName: 'consolidateValidators',
          args: [validators, signature, approvals],
        }),
    }
  })
}

/** One target for all sources, or one for each. */
function consolidationsOf(values: ConsolidateValues): readonly Consolidation[] {
  const sources = required(values.sourcePublicKeys, consolidateOptions.sourcePublicKeys)
  const targets = required(values.targetPublicKeys, consolidateOptions.targetPublicKeys)
  const [only] = targets
  if (targets.length > 1 && targets.length !== sources.length) {
    throw new ConfigurationError(
      'INVALID_OPTION',
      `${targets.length} targets for ${sources.length} sources: give one target, or one for each source`,
    )
  }
  return sources.flatMap((source, i) => {
    const target = targets.length === 1 ? only : targets[i]
    return target === undefined ? [] : [{ source, target }]
  })
}

function describe({ source, target }: Consolidation): string {
  return source === target
    ? `${shorten(source)} becomes compounding`
    : `${shorten(source)} moves into ${shorten(target)}`
}

/** The oracles are asked only where the vault does not know a target as compounding; they approve switches alone. */
async function approvalsOf(
  consolidations: readonly Consolidation[],
  { network, vault, reader, protocolConfig }: VaultParts,
  signal: AbortSignal,
): Promise<`0x${string}`> {
  const targets = [...new Set(consolidations.map(({ target }) => target))]
  const known = await Promise.all(targets.map((target) => reader.isCompounding(target)))
  if (known.every((one) => one)) return '0x'
  const moved = consolidations.find(({ source, target }) => source !== target)
  if (moved !== undefined) {
    throw new DvtExitError(
      'INVALID_REQUEST',
      `the vault does not know all targets as compounding, and ${shorten(moved.source)} moves into another validator`,
      { hint: 'Make such targets compounding first, in a consolidation of their own' },
    )
  }
  const validators = managedBytes(vault, { kind: 'consolidation', consolidations })
  const subject = { network, vault, publicKeys: targets, validators }
  return consolidationApprovals(subject, await protocolConfig(), await reader.minOracles(), signal)
}

async function run(
  values: WithdrawValues | ConsolidateValues,
  { signal, logger }: CommandContext,
  prepare: (parts: VaultParts) => Promise<ValidatorRequest>,
): Promise<void> {
  const keys = await loadKeys(values)
  const unlock = values.dryRun ? () => {} : await lockDatabase(values.database)
  const parts = await createVaultParts(values, logger, values.dryRun)
  try {
    const clock = systemClock
    const manager = await managerOf(values, keys, parts)
    const wanted = await prepare(parts)
    const account = keys.wallet
    const { maxFeePerGas, dryRun } = values
    const sender = createSender(parts, { maxFeePerGas, account, clock, logger })
    const from = account.address
    const confirm = values.yes || dryRun ? async () => {} : (text: string) => confirmed(text, signal)
    const request = { ...parts, sender, manager, from, clock, logger, confirm, dryRun }
    const done = await sendRequest(wanted, request, signal)
    if (done === undefined) {
      throw new DvtExitError('STOPPED', 'stopped before it was mined', {
        hint: 'Where it was sent already, `dvt-exit operator`, or the next request, goes on with it',
      })
    }
    if ('from' in done) process.stdout.write(`${stringifyJson(printable(done), 2)}\n`)
    else logger.info(`the ${done.kind} is in block ${done.block?.number}, transaction ${done.minedHash}`)
  } finally {
    await parts.close()
    unlock()
  }
}

/** A key of the manager's that is here signs; else the relayer, if there is one. */
async function managerOf(
  values: WithdrawValues | ConsolidateValues,
  keys: Keys,
  { reader, network }: VaultParts,
): Promise<ManagerSigner> {
  const { way } = await reader.way()
  const isHere = way.kind === 'manager' && isAddressEqual(way.manager, keys.manager.address)
  if (isHere || values.relayerEndpoint === undefined) return new OwnManager(keys)
  const relayer = new RelayerRegistrations((await createRelayerClient(values)).connection)
  await assertRelayer(relayer, network)
  return new RelayerManager(relayer)
}

async function confirmed(question: string, signal: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new ConfigurationError('NOT_CONFIRMED', `nobody can be asked: ${question}`, {
      hint: 'Give --yes where that is meant',
    })
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question}\nSend it? [y/N] `, { signal })
    if (/^y(es)?$/i.test(answer.trim())) return
  } finally {
    terminal.close()
  }
  throw new DvtExitError('NOT_CONFIRMED', 'nothing was sent')
}
