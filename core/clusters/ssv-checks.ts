import type { ValidatorAdded } from './ssv-events.js'
import type { SsvChecks } from './ssv-rules.js'
import { type SsvShares, sharesBelongTogether, signedNonce } from './ssv-shares.js'

/** How many nonces after the counted one are tried, at under a millisecond each. */
const NONCES_AHEAD = 50

/** What is known about one registration's signature and shares. */
export interface Verdicts {
  /** The nonce that it is signed for; −1 where it is for none at or shortly after the counted one. */
  signedNonce?: number
  sharesBelongTogether?: boolean
}

/** The checks of a registration, each made once and kept in its verdicts, whoever asks. */
export function rememberedChecks(verdicts: Verdicts): SsvChecks {
  return {
    signedNonce(event: ValidatorAdded, signature: Uint8Array, counted: number) {
      verdicts.signedNonce ??=
        signedNonce(event.publicKey, signature, event.owner, counted, counted + NONCES_AHEAD) ?? -1
      return verdicts.signedNonce < 0 ? undefined : verdicts.signedNonce
    },
    sharesBelongTogether(event: ValidatorAdded, shares: SsvShares, threshold: number) {
      verdicts.sharesBelongTogether ??= sharesBelongTogether(event.publicKey, shares.publicKeys, threshold)
      return verdicts.sharesBelongTogether
    },
  }
}
