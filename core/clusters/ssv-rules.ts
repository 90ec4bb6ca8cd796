/**
 * The SSV node's rules for SSVNetwork's events: who holds which key share. `decide` says what an event
 * means in a state and changes nothing, `evolve` carries it out; the same logs always give the same state.
 */
import { bls, type SecretScalar } from '../bls/backend.js'
import { equalBytes, fromHex, type Hex, type PublicKeyHex } from '../hex.js'
import { Secret } from '../secret.js'
import type { PublicShares } from '../signer.js'
import type { OperatorAdded, SsvEvent, ValidatorAdded, ValidatorRemoved } from './ssv-events.js'
import { ownerNonceText, readKeyShare, type SsvShares, splitShares, ssvThreshold } from './ssv-shares.js'

/** A validator that one viewpoint knows. */
export interface SsvValidator extends PublicShares {
  readonly publicKey: PublicKeyHex
  /** Lowercase. */
  readonly owner: Hex
  /** The owner's nonce at the registration. */
  readonly ownerNonce: number
  /** False where the share public keys are not a sharing of the validator's key: it can never be signed for. */
  readonly usable: boolean
  /** The operator's own key share; absent where the viewpoint is no operator's. */
  readonly secret?: Secret<SecretScalar>
}

export interface SsvState {
  /** Public key (base64 of a PEM) by operator id. */
  readonly operators: Map<bigint, string>
  readonly operatorKeys: Set<string>
  /** How many ValidatorAdded each owner has had, by lowercase address. */
  readonly nonces: Map<Hex, number>
  readonly validators: Map<PublicKeyHex, SsvValidator>
}

export function emptySsvState(): SsvState {
  return { operators: new Map(), operatorKeys: new Set(), nonces: new Map(), validators: new Map() }
}

/** Whose validators count: those of one operator's shares, those of some owners, or both at once. */
export interface Viewpoint {
  /** The operator whose key shares are wanted; absent: public shares alone. */
  readonly operatorId?: bigint
  /** Lowercase addresses; absent: every owner. */
  readonly owners?: ReadonlySet<Hex>
  /** Decrypts a key share of the operator (256 bytes); undefined where the ciphertext is not right. */
  readonly decryptShare?: (ciphertext: Uint8Array) => Uint8Array | undefined
}

/** The two costly checks, so that they need not be made again for every viewpoint and at every start. */
export interface SsvChecks {
  /** The nonce, at or after the counted one, that the signature is for; undefined where there is none. */
  signedNonce(event: ValidatorAdded, signature: Uint8Array, counted: number): number | undefined
  sharesBelongTogether(event: ValidatorAdded, shares: SsvShares, threshold: number): boolean
}

/** A ValidatorAdded of other clusters of which only the owner was kept, for its nonce. */
export interface OwnerNonceUsed {
  readonly name: 'OwnerNonceUsed'
  readonly owner: Hex
}

export type Change =
  | { readonly kind: 'operator-added'; readonly id: bigint; readonly publicKey: string }
  | { readonly kind: 'operator-removed'; readonly id: bigint }
  | { readonly kind: 'nonce-used'; readonly owner: Hex }
  | { readonly kind: 'validator-added'; readonly validator: SsvValidator }
  | { readonly kind: 'validator-removed'; readonly publicKey: PublicKeyHex }

/** What became of an event. */
export interface Outcome {
  /** "added", "other cluster", "skipped: shares length" and so on: the reason, for logs and tests. */
  readonly effect: string
  readonly changes: readonly Change[]
  /** The signature is for this nonce, later than the one counted: logs of the owner are missing, or it is forged. */
  readonly laterNonce?: number
}

export const OTHER_CLUSTER = 'other cluster'

/** Whether a registration or removal is of a cluster that the viewpoint is about. */
export function concerns(viewpoint: Viewpoint, event: ValidatorAdded | ValidatorRemoved): boolean {
  if (viewpoint.owners !== undefined && !viewpoint.owners.has(event.owner)) return false
  return viewpoint.operatorId === undefined || event.operatorIds.includes(viewpoint.operatorId)
}

/** What an event means in a state, seen from a viewpoint. Changes nothing. */
export function decide(
  state: SsvState,
  event: SsvEvent | OwnerNonceUsed,
  viewpoint: Viewpoint,
  checks: SsvChecks,
): Outcome {
  switch (event.name) {
    case 'OperatorAdded':
      return decideOperatorAdded(state, event)
    case 'OperatorRemoved':
      if (!state.operators.has(event.id)) return nothing('ignored: operator unknown')
      return { effect: 'operator removed', changes: [{ kind: 'operator-removed', id: event.id }] }
    case 'OwnerNonceUsed':
      return { effect: OTHER_CLUSTER, changes: [{ kind: 'nonce-used', owner: event.owner }] }
    case 'ValidatorAdded': {
      const used = { kind: 'nonce-used', owner: event.owner } as const
      if (!concerns(viewpoint, event)) return { effect: OTHER_CLUSTER, changes: [used] }
      const outcome = examine(state, event, viewpoint, checks)
      return { ...outcome, changes: [used, ...outcome.changes] }
    }
    case 'ValidatorRemoved':
      return decideValidatorRemoved(state, event, viewpoint)
  }
}

/** Carries out what was decided. */
export function evolve(state: SsvState, changes: readonly Change[]): void {
  for (const change of changes) {
    switch (change.kind) {
      case 'operator-added':
        state.operators.set(change.id, change.publicKey)
        state.operatorKeys.add(change.publicKey)
        break
      case 'operator-removed':
        state.operatorKeys.delete(state.operators.get(change.id) ?? '')
        state.operators.delete(change.id)
        break
      case 'nonce-used':
        state.nonces.set(change.owner, (state.nonces.get(change.owner) ?? 0) + 1)
        break
      case 'validator-added':
        state.validators.set(change.validator.publicKey, change.validator)
        break
      case 'validator-removed':
        state.validators.delete(change.publicKey)
        break
    }
  }
}

function nothing(effect: string): Outcome {
  return { effect, changes: [] }
}

function decideOperatorAdded(state: SsvState, { id, publicKey }: OperatorAdded): Outcome {
  if (publicKey === undefined) return nothing('ignored: public key is not an ABI-encoded string')
  if (state.operatorKeys.has(publicKey)) return nothing('ignored: operator public key already registered')
  if (state.operators.has(id)) return nothing('ignored: operator id already registered')
  return { effect: 'operator added', changes: [{ kind: 'operator-added', id, publicKey }] }
}

function decideValidatorRemoved(state: SsvState, event: ValidatorRemoved, viewpoint: Viewpoint): Outcome {
  const known = state.validators.get(event.publicKey)
  if (known === undefined) {
    return nothing(concerns(viewpoint, event) ? 'skipped: validator unknown' : OTHER_CLUSTER)
  }
  if (known.owner !== event.owner) return nothing('skipped: validator belongs to another owner')
  return { effect: 'removed', changes: [{ kind: 'validator-removed', publicKey: event.publicKey }] }
}

/** Rules 2 to 6 for a registration in a cluster that counts. */
function examine(state: SsvState, event: ValidatorAdded, viewpoint: Viewpoint, checks: SsvChecks): Outcome {
  const { operatorIds, owner, publicKey } = event
  const threshold = ssvThreshold(operatorIds.length)
  if (threshold === undefined) return nothing(`skipped: ${operatorIds.length} operators`)
  if (new Set(operatorIds).size !== operatorIds.length) return nothing('skipped: duplicate operators')
  const stranger = operatorIds.find((id) => !state.operators.has(id))
  if (stranger !== undefined) return nothing(`skipped: unknown operator ${stranger}`)
  const shares = splitShares(event.shares, operatorIds)
  if (shares === undefined) return nothing('skipped: shares length')

  const ownerNonce = state.nonces.get(owner) ?? 0
  const signed = checks.signedNonce(event, shares.signature, ownerNonce)
  if (signed !== ownerNonce) {
    const effect = `skipped: owner:nonce signature (expected ${ownerNonceText(owner, ownerNonce)})`
    return { ...nothing(effect), ...(signed === undefined ? {} : { laterNonce: signed }) }
  }
  const known = state.validators.get(publicKey)
  if (known !== undefined) {
    return nothing(
      known.owner === owner
        ? 'skipped: validator known already'
        : 'skipped: validator belongs to another owner',
    )
  }
  const secret = openOwnShare(shares, viewpoint)
  if (typeof secret === 'string') return nothing(`skipped: ${secret}`)
  const validator: SsvValidator = {
    publicKey,
    owner,
    ownerNonce,
    threshold,
    shares: shares.publicKeys,
    usable: checks.sharesBelongTogether(event, shares, threshold),
    ...(secret === undefined ? {} : { secret }),
  }
  return { effect: 'added', changes: [{ kind: 'validator-added', validator }] }
}

/** The operator's own key share, or why it cannot be had; undefined where the viewpoint needs none. */
function openOwnShare(
  shares: SsvShares,
  { operatorId, decryptShare }: Viewpoint,
): Secret<SecretScalar> | string | undefined {
  if (operatorId === undefined || decryptShare === undefined) return undefined
  const ciphertext = shares.ciphertexts.get(operatorId)
  const expected = shares.publicKeys.get(operatorId)
  if (ciphertext === undefined || expected === undefined) return undefined
  const plaintext = decryptShare(ciphertext)
  if (plaintext === undefined) return 'RSA decryption'
  const opened = readKeyShare(plaintext)
  if (opened === undefined) return 'decrypted text is not a scalar in (0,r)'
  if (!equalBytes(bls.encodePublicKey(opened.publicKey), fromHex(expected)))
    return 'share public key mismatch'
  return new Secret(opened.secret)
}
