import { parsePublicKey, parseSignature } from '../../core/bls/points.js'
import { verifySignature } from '../../core/bls/verify.js'
import { isExit } from '../exits/message.js'
import type { SigningRoots } from '../exits/signing-roots.js'
import type { DepositSignaturesTable } from '../store/schema.js'

/** Whether the deposits' signatures verify under the validators' keys. @returns a line for each that does not */
export function checkDepositSignatures(
  signatures: readonly DepositSignaturesTable[],
  roots: SigningRoots,
): string[] {
  return signatures.flatMap((row) => {
    const problem = problemOf(row, roots)
    return problem === undefined ? [] : `${row.public_key} ${row.message}: ${problem}`
  })
}

function problemOf(row: DepositSignaturesTable, roots: SigningRoots): string | undefined {
  if (isExit(row.message)) return 'a whole exit signature must not be kept'
  try {
    const isRight = verifySignature({
      publicKey: parsePublicKey(row.public_key),
      message: roots.of({ publicKey: row.public_key, message: row.message }),
      signature: parseSignature(row.signature),
    })
    return isRight ? undefined : 'its signature does not verify under the validator’s key'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
