/** What of a relayer's lists a node is to sign. */
import type { PublishedExit } from '../../core/clients/relayer.js'
import type { PublishedValidator } from '../../core/clients/relayer-validators.js'
import type { PublicKeyHex } from '../../core/hex.js'
import type { ExitSigner } from '../../core/signer.js'
import type { WantedValidator } from './deposit-signing.js'
import type { WantedExit } from './exit-signing.js'
import { exitId } from './signing-limit.js'

/** The exits that a node holds a key share for, that are not ready, and that lack its share: each once. */
export function wantedExits(signer: ExitSigner, exits: readonly PublishedExit[]): WantedExit[] {
  const held = signer.validators()
  const wanted = new Map<string, WantedExit>()
  for (const { publicKey, validatorIndex, isExitSignatureReady, shareIndexesReady } of exits) {
    if (isExitSignatureReady || shareIndexesReady.includes(signer.shareIndex)) continue
    const exit = { signer, publicKey, validatorIndex }
    if (held.has(publicKey)) wanted.set(exitId(exit), exit)
  }
  return [...wanted.values()]
}

/** The same of the validators whose exit and deposit are wanted together: each key once, the last one listed. */
export function wantedValidators(
  signer: ExitSigner,
  validators: readonly PublishedValidator[],
): WantedValidator[] {
  const held = signer.validators()
  const wanted = new Map<PublicKeyHex, WantedValidator>()
  for (const { isReady, shareIndexesReady, ...validator } of validators) {
    if (isReady || shareIndexesReady.includes(signer.shareIndex)) continue
    if (held.has(validator.publicKey)) wanted.set(validator.publicKey, { ...validator, signer })
  }
  return [...wanted.values()]
}
