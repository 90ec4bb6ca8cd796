/** Whether the nodes' shares open, are what their rows say, and verify under the public shares that they were taken for. */
import type { SignaturePoint, SignatureSet } from '../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import { verifyEach } from '../../core/bls/verify.js'
import { DvtExitError } from '../../core/errors.js'
import type { SigningRoots } from '../exits/signing-roots.js'
import type { SignatureSharesTable } from '../store/schema.js'
import type { ShareCipher } from '../store/share-cipher.js'

/** Shares that are verified with one check. */
const SHARES_AT_A_TIME = 256

export interface CheckedShares {
  /** One line each. */
  readonly problems: readonly string[]
  /** Shares that were verified under a public share, the others having none that is known. */
  readonly verified: number
}

interface OpenedShare {
  readonly row: SignatureSharesTable
  readonly point: SignaturePoint
}

export function checkStoredShares(
  shares: readonly SignatureSharesTable[],
  cipher: ShareCipher,
  roots: SigningRoots,
): CheckedShares {
  const problems: string[] = []
  const opened: OpenedShare[] = []
  for (const row of shares) {
    const found = openShare(row, cipher)
    if (typeof found === 'string') problems.push(`${nameOf(row)}: ${found}`)
    else if (row.verified_under !== null) opened.push({ row, point: found })
  }
  for (let start = 0; start < opened.length; start += SHARES_AT_A_TIME) {
    problems.push(...unverified(opened.slice(start, start + SHARES_AT_A_TIME), roots))
  }
  return { problems, verified: opened.length }
}

/** The share's point, or what is wrong with the row. */
function openShare(row: SignatureSharesTable, cipher: ShareCipher): SignaturePoint | string {
  const { public_key: publicKey, message } = row
  try {
    const shareIndex = BigInt(row.share_index)
    const signature = cipher.open({ publicKey, message, shareIndex }, row.sealed)
    if (cipher.digest(publicKey, shareIndex, signature) !== row.digest)
      return 'its digest is that of other bytes'
    return parseSignature(signature)
  } catch (error) {
    if (error instanceof DvtExitError && error.code === 'SHARE_UNREADABLE') {
      return 'it does not open with the relayer’s key: its row was altered, or written with another key'
    }
    return error instanceof Error ? error.message : String(error)
  }
}

function unverified(shares: readonly OpenedShare[], roots: SigningRoots): string[] {
  const problems: string[] = []
  const sets: (SignatureSet & { readonly row: SignatureSharesTable })[] = []
  for (const { row, point: signature } of shares) {
    try {
      const publicKey = parsePublicKey(row.verified_under ?? '')
      sets.push({ row, publicKey, signature, message: roots.of(idOf(row)) })
    } catch (error) {
      problems.push(`${nameOf(row)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  for (const [i, right] of verifyEach(sets).entries()) {
    const row = sets[i]?.row
    if (!right && row !== undefined) {
      problems.push(`${nameOf(row)}: it does not verify under its public share ${row.verified_under}`)
    }
  }
  return problems
}

const idOf = ({ public_key: publicKey, message }: SignatureSharesTable) => ({ publicKey, message })

function nameOf(row: SignatureSharesTable): string {
  return `${row.public_key} ${row.message}, share index ${row.share_index}`
}
