/** What of a relayer's lists a node is to sign. */
import type { PublishedExit } from '../../core/clients/relayer.js'
import type { PublishedValidator, ValidatorShares } from '../../core/clients/relayer-validators.js'
import type { PublicKeyHex } from '../../core/hex.js'
import type { ExitSigner } from '../../core/signer.js'
import type { SignedDeposits, WantedDeposit } from './deposit-signing.js'
import type { SignedExit, WantedExit } from './exit-signing.js'
import { exitId } from './signing-limit.js'

/** Both signatures of one node for one validator. */
export interface SignedValidator extends SignedExit {
  readonly deposit: SignedDeposits['signed'][number]
}

/** The exits that a node holds a key share for, that are not ready, and that lack its share: each once. */
export function wantedOf(signer: ExitSigner, exits: readonly PublishedExit[]): WantedExit[] {
  const held = signer.validators()
  const wanted = new Map<string, WantedExit>()
  for (const { publicKey, validatorIndex, isExitSignatureReady, shareIndexesReady } of exits) {
    if (isExitSignatureReady || shareIndexesReady.includes(signer.shareIndex)) continue
    const exit = { signer, publicKey, validatorIndex }
    if (held.has(publicKey)) wanted.set(exitId(exit), exit)
  }
  return [...wanted.values()]
}

/** The same with their deposits: each key once. */
export function wantedDepositsOf(
  signer: ExitSigner,
  validators: readonly PublishedValidator[],
): WantedDeposit[] {
  const held = signer.validators()
  const wanted = new Map<PublicKeyHex, WantedDeposit>()
  for (const { isReady, shareIndexesReady, ...validator } of validators) {
    if (isReady || shareIndexesReady.includes(signer.shareIndex)) continue
    if (held.has(validator.publicKey)) wanted.set(validator.publicKey, { ...validator, signer })
  }
  return [...wanted.values()]
}

/** Names a node's work on a key. */
export function nodeAndKey({ signer, publicKey }: Pick<WantedExit, 'signer' | 'publicKey'>): string {
  return `${signer.shareIndex}/${publicKey}`
}

/** As they are posted, with the public shares of the cluster's nodes as far as this one knows them. */
export function toShares({ publicKey, signature, signer, deposit }: SignedValidator): ValidatorShares {
  return {
    publicKey,
    exitSignature: signature,
    depositSignature: deposit.signature,
    publicShares: signer.validators().get(publicKey)?.shares ?? new Map(),
  }
}
