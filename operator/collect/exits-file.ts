import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { RequestedValidator } from '../../core/clients/relayer.js'
import type { DepositDataEntry } from '../../core/deposits/deposit-data.js'
import { DvtExitError, describeError } from '../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import { stringifyJson } from '../../core/json.js'
import { syncDirectory } from '../../core/storage/sync-directory.js'

/** What an oracle is asked to approve, as far as exits go: one item for each validator, in deposit order. */
export interface CollectedExits {
  /** The first validator's index; the others follow. */
  readonly validator_index: number
  readonly public_keys: readonly PublicKeyHex[]
  readonly deposit_signatures: readonly Hex[]
  /** For each validator one public key share for each oracle. */
  readonly public_key_shards: readonly (readonly PublicKeyHex[])[]
  /** For each validator one encrypted part for each oracle. */
  readonly exit_signature_shards: readonly (readonly Hex[])[]
}

/** A validator whose parts are there. */
export type CompleteValidator = RequestedValidator & {
  readonly oracleParts: NonNullable<RequestedValidator['oracleParts']>
}

/** Puts deposits and the oracles' parts of the same validators together. */
export function collectedExits(
  validatorIndex: number,
  deposits: readonly DepositDataEntry[],
  validators: readonly CompleteValidator[],
): CollectedExits {
  return {
    validator_index: validatorIndex,
    public_keys: deposits.map(({ publicKey }) => publicKey),
    deposit_signatures: deposits.map(({ signature }) => signature),
    public_key_shards: validators.map(({ oracleParts }) => oracleParts.publicKeys),
    exit_signature_shards: validators.map(({ oracleParts }) => oracleParts.encryptedExitSignatures),
  }
}

/**
 * Writes the file whole or not at all, readable for its owner alone. What a killed run left is replaced.
 * @throws DvtExitError OUTPUT_FAILED
 */
export async function writeExitsFile(file: string, exits: CollectedExits): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.tmp`)
  try {
    await rm(temporary, { force: true })
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(`${stringifyJson(exits, 2)}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
    await syncDirectory(dirname(file))
  } catch (cause) {
    throw new DvtExitError('OUTPUT_FAILED', `cannot write ${file}: ${describeError(cause)}`, {
      cause,
      hint: 'Point --out to a place that this user may write, and run it again: the relayer keeps what it has',
    })
  }
}
