/** Everything that can be told about a relayer's database with its key, and without a chain. */
import type { Network } from '../../core/network.js'
import { isExit, parseMessage } from '../exits/message.js'
import { SigningRoots } from '../exits/signing-roots.js'
import type { MessagesTable } from '../store/schema.js'
import type { ShareCipher } from '../store/share-cipher.js'
import { checkClaimedSharings } from './check-claimed-sharings.js'
import { checkDepositSignatures } from './check-deposit-signatures.js'
import { checkOracleParts, type KnownOracles } from './check-oracle-parts.js'
import { checkStoredShares } from './check-stored-shares.js'
import type { DatabaseContents } from './contents.js'

export interface VerifyParts {
  readonly cipher: ShareCipher
  readonly network: Network
  /** The set that exits are split for now, where it is known. */
  readonly oracles: KnownOracles | undefined
}

export interface Verification {
  /** One line each; none where all is well. */
  readonly problems: readonly string[]
  readonly counts: {
    readonly exits: number
    readonly deposits: number
    readonly shares: number
    /** Of the shares, those verified under a public share. */
    readonly verifiedShares: number
    /** Exits that have their parts, for each set of oracles. */
    readonly parts: number
    readonly depositSignatures: number
    readonly claimedSharings: number
  }
}

/** Checks what was read. It does the work of some thousand verifications where there are as many shares. */
export function verify(contents: DatabaseContents, { cipher, network, oracles }: VerifyParts): Verification {
  const roots = new SigningRoots(network)
  const isForeignKey =
    contents.keyFingerprint !== undefined && contents.keyFingerprint !== cipher.fingerprint()
  const shares = isForeignKey
    ? { problems: ['the shares were encrypted with another key than this one'], verified: 0 }
    : checkStoredShares(contents.shares, cipher, roots)
  const exits = contents.messages.filter(({ message }) => isExit(message)).length
  return {
    problems: [
      ...contents.faults,
      ...unreadableMessages(contents.messages),
      ...shares.problems,
      ...checkOracleParts(contents.parts, oracles),
      ...checkDepositSignatures(contents.depositSignatures, roots),
      ...checkClaimedSharings(contents.claimedSharings),
    ],
    counts: {
      exits,
      deposits: contents.messages.length - exits,
      shares: contents.shares.length,
      verifiedShares: shares.verified,
      parts: contents.parts.length,
      depositSignatures: contents.depositSignatures.length,
      claimedSharings: contents.claimedSharings.length,
    },
  }
}

function unreadableMessages(messages: readonly MessagesTable[]): string[] {
  return messages.flatMap(({ public_key, message }) => {
    try {
      const parsed = parseMessage(message)
      if (parsed.kind === 'deposit' || Number.isSafeInteger(parsed.validatorIndex)) return []
    } catch {
      // Told below.
    }
    return `${public_key} ${message}: no message has that name`
  })
}
