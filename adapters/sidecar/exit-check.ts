/**
 * Which exits may be signed. A sidecar believes nothing that it is told about an index: a signature over
 * (key, index) can end the validator that has this key and this index, so there must be neither yet.
 */
import type { PublicKeyHex } from '../../core/hex.js'

/** An exit that somebody asks for. */
export interface ExitRequest {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
}

/** What the head state of the beacon chain holds of the keys and indexes that were asked about. */
export interface KnownValidators {
  readonly publicKeys: ReadonlySet<PublicKeyHex>
  readonly indexes: ReadonlySet<number>
}

/** The question to the node's own beacon node. */
export interface ValidatorRegistry {
  /**
   * Which of these keys and indexes are in the registry.
   * @throws UnavailableError where no beacon node that is in sync answers
   */
  knownValidators(publicKeys: readonly PublicKeyHex[], indexes: readonly number[]): Promise<KnownValidators>
}

/** Why an exit is signed or refused, as the audit log says it. */
export type SigningReason = 'not-on-chain' | 'allow-active' | 'unchecked'
export type RefusalReason = 'validator-exists' | 'index-exists' | 'impossible-index'
export type Verdict =
  | { readonly sign: true; readonly reason: SigningReason }
  | { readonly sign: false; readonly reason: RefusalReason }

/** The registry's length can never exceed this (consensus specification, VALIDATOR_REGISTRY_LIMIT). */
const VALIDATOR_REGISTRY_LIMIT = 2 ** 40

/** What decides. */
export interface ExitCheckRules {
  /** Absent: nothing is asked, and every exit is signed (UNCHECKED_EXITS). */
  readonly registry?: ValidatorRegistry
  /** Keys whose exits are signed whatever the chain knows. */
  readonly allowActive: ReadonlySet<PublicKeyHex>
}

/**
 * One verdict for each request, in their order, with one question to the registry for all. A verdict is
 * worth something only now: ask before every signing.
 * @throws UnavailableError where the registry cannot be asked
 */
export async function checkExits(
  requests: readonly ExitRequest[],
  { registry, allowActive }: ExitCheckRules,
): Promise<Verdict[]> {
  const asked = requests.filter(
    (request) => isPossibleIndex(request.validatorIndex) && !allowActive.has(request.publicKey),
  )
  const known =
    registry === undefined || asked.length === 0
      ? undefined
      : await registry.knownValidators(
          [...new Set(asked.map(({ publicKey }) => publicKey))],
          [...new Set(asked.map(({ validatorIndex }) => validatorIndex))],
        )
  return requests.map(({ publicKey, validatorIndex }) => {
    if (!isPossibleIndex(validatorIndex)) return { sign: false, reason: 'impossible-index' }
    if (allowActive.has(publicKey)) return { sign: true, reason: 'allow-active' }
    if (known === undefined) return { sign: true, reason: 'unchecked' }
    if (known.publicKeys.has(publicKey)) return { sign: false, reason: 'validator-exists' }
    if (known.indexes.has(validatorIndex)) return { sign: false, reason: 'index-exists' }
    return { sign: true, reason: 'not-on-chain' }
  })
}

function isPossibleIndex(index: number): boolean {
  return Number.isSafeInteger(index) && index >= 0 && index < VALIDATOR_REGISTRY_LIMIT
}

/** A refusal for a person. */
export function explainRefusal(reason: RefusalReason): string {
  switch (reason) {
    case 'validator-exists':
      return 'this validator is on the beacon chain already, so the exit could end it'
    case 'index-exists':
      return 'the beacon chain has a validator with this index already'
    case 'impossible-index':
      return 'no validator can ever have this index'
  }
}
