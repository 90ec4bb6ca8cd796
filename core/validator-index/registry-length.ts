import type { StateId } from '../clients/beacon-endpoint.js'
import { UnavailableError } from '../errors.js'

/** The one call that the search makes. */
export interface RegistryReader {
  readonly shown: string
  validatorsByIndex(
    state: StateId,
    indexes: readonly number[],
  ): Promise<readonly { readonly index: number }[]>
}

/** Indexes asked about at once. */
const WAYS = 64
/** Four calls find any length below 64 times this. */
const FIRST_STEP = WAYS ** 3

/**
 * How many validators a state has, by a 64-way search: index n exists when the registry is longer than n. Four
 * calls for up to 16.7 million validators, one where the length was known a moment ago.
 * @param atLeast an earlier length of the same registry, which never gets shorter
 * @throws UnavailableError where the state is gone or the answers contradict each other; never a lower number
 */
export async function registryLength(reader: RegistryReader, state: StateId, atLeast = 0): Promise<number> {
  if (atLeast > 0) {
    const length = await search(reader, state, atLeast - 1, 1)
    if (length >= atLeast) return length
    throw new UnavailableError(
      'REGISTRY_SHRANK',
      `${reader.shown} has ${length} validators or fewer in state ${state}, there were ${atLeast} before`,
    )
  }
  const length = await search(reader, state, 0, FIRST_STEP)
  // No chain runs without validators: an empty list means that the ids were not understood.
  if (length === 0) throw contradiction(reader, state)
  return length
}

/** @param known the length is at least this */
async function search(reader: RegistryReader, state: StateId, known: number, first: number): Promise<number> {
  let length = known
  let step = first
  let missing = Number.POSITIVE_INFINITY
  for (;;) {
    const probes = Array.from({ length: WAYS }, (_, way) => length + way * step)
    const existing = await countExisting(reader, state, probes)
    if (existing === 0) return length
    length += (existing - 1) * step + 1
    missing = Math.min(missing, probes[existing] ?? Number.POSITIVE_INFINITY)
    if (length > missing) throw contradiction(reader, state)
    if (missing === Number.POSITIVE_INFINITY) {
      step *= WAYS
    } else {
      if (step === 1) return length
      step = Math.ceil(step / WAYS)
    }
  }
}

/** How many of the ascending indexes exist: the first ones, or the endpoint leaves validators out. */
async function countExisting(
  reader: RegistryReader,
  state: StateId,
  probes: readonly number[],
): Promise<number> {
  const found = new Set((await reader.validatorsByIndex(state, probes)).map(({ index }) => index))
  if (probes.slice(0, found.size).every((index) => found.has(index))) return found.size
  throw contradiction(reader, state)
}

function contradiction(reader: RegistryReader, state: StateId): UnavailableError {
  return new UnavailableError(
    'UNEXPECTED_ANSWER',
    `${reader.shown} leaves out validators of state ${state} that exist`,
  )
}
