/** Where `operator status` and `operator validators` are put together. */
import type { CommandContext } from '../../core/command.js'
import { stringifyJson } from '../../core/json.js'
import { required, type Values } from '../../core/options.js'
import { viewOptions } from '../agent/options.js'
import { createVaultParts, type VaultParts } from '../vault-parts.js'
import { describeStatus, readStatus } from './status.js'
import { describeValidators, readValidators } from './validators.js'

type ViewValues = Values<typeof viewOptions>

/** Prints the vault's status. Changes nothing, and works beside a running agent. */
export async function runStatus(values: ViewValues, context: CommandContext): Promise<void> {
  await print(values, context, readStatus, describeStatus)
}

/** Prints the deposit data's entries with their states. Changes nothing, and works beside a running agent. */
export async function runValidators(values: ViewValues, context: CommandContext): Promise<void> {
  required(values.depositData, viewOptions.depositData)
  const read = async ({ deposits, ...parts }: VaultParts) =>
    deposits === undefined ? [] : readValidators({ ...parts, ...deposits })
  await print(values, context, read, describeValidators)
}

async function print<T>(
  values: ViewValues,
  { logger }: CommandContext,
  read: (parts: VaultParts) => Promise<T>,
  describe: (view: T) => string,
): Promise<void> {
  const parts = await createVaultParts(values, logger, true)
  try {
    const view = await read(parts)
    process.stdout.write(`${values.json ? stringifyJson(view, 2) : describe(view)}\n`)
  } finally {
    await parts.close()
  }
}
