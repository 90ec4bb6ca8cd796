/** One look at what the relayer has of some validators' exits. */
import type { RelayerClient, RequestedValidator } from '../../core/clients/relayer.js'
import type { PublicKeyHex } from '../../core/hex.js'
import type { CompleteValidator } from './exits-file.js'
import type { ValidatorState } from './waiting.js'

export interface ExitPoll {
  /** In the order of the keys. */
  readonly states: readonly ValidatorState[]
  /** The first validator's index as the relayer lists it, if the others follow it one by one. */
  readonly start: number | undefined
  /** The oracles' parts of all of them, for the indexes from `start` on; undefined where any is missing. */
  readonly complete: readonly CompleteValidator[] | undefined
}

/**
 * Asks for the exits of the next validators, and how far each is.
 * @param keys in deposit order
 * @throws RelayerError, UnavailableError
 */
export async function pollExits(
  relayer: Pick<RelayerClient, 'exits' | 'requestValidators'>,
  keys: readonly PublicKeyHex[],
): Promise<ExitPoll> {
  const validators = await relayer.requestValidators(keys)
  const exits = new Map((await relayer.exits()).map((exit) => [exit.publicKey, exit]))
  const states = validators.map(({ publicKey, oracleParts }) => ({
    publicKey,
    complete: oracleParts !== null,
    exit: exits.get(publicKey),
  }))
  const start = startOf(states)
  const complete = validators.filter(isComplete)
  if (start === undefined || complete.length < validators.length)
    return { states, start, complete: undefined }
  // The parts came before the list of exits: asked again, the same parts belong to the index listed.
  const again = await relayer.requestValidators(keys)
  const same = again.every((validator, i) => sameParts(validator, validators[i]))
  return { states, start, complete: same ? complete : undefined }
}

function startOf(states: readonly ValidatorState[]): number | undefined {
  const start = states[0]?.exit?.validatorIndex
  if (start === undefined) return undefined
  return states.every(({ exit }, i) => exit?.validatorIndex === start + i) ? start : undefined
}

function isComplete(validator: RequestedValidator): validator is CompleteValidator {
  return validator.oracleParts !== null
}

function sameParts(a: RequestedValidator, b: RequestedValidator | undefined): boolean {
  const parts = [a, b].map((validator) => validator?.oracleParts?.encryptedExitSignatures.join() ?? null)
  return parts[0] !== null && parts[0] === parts[1]
}
