import { isAddressEqual, recoverTypedDataAddress } from 'viem'
import { DvtExitError } from '../../core/errors.js'
import { type Hex, shorten } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import { oracleApprovalTypedData } from '../../core/vault/signatures.js'
import type { Approval } from './group.js'
import type { OracleAnswer } from './oracle-client.js'
import type { ApprovalSubject } from './request.js'
import { normalizeSignature } from './signature.js'

/** What an answer is held against. Times are seconds since 1970. */
export interface ApprovalQuestion {
  readonly network: Network
  readonly subject: ApprovalSubject
  /** The deadline that was asked for. */
  readonly deadline: bigint
  readonly now: bigint
}

/**
 * The approval that an oracle's answer is, where the Keeper would take it: one wrong signature among those that
 * are sent reverts the whole registration (chain.md, "Signatures").
 * @param oracle the address of the oracle that was asked
 * @throws DvtExitError WRONG_DEADLINE, MALFORMED_SIGNATURE, WRONG_SIGNER
 */
export async function verifyApproval(
  oracle: Hex,
  answer: OracleAnswer,
  { network, subject, deadline, now }: ApprovalQuestion,
): Promise<Approval> {
  if (answer.deadline <= now) throw wrongDeadline(`${answer.deadline}, which has passed`)
  if (answer.deadline > deadline) throw wrongDeadline(`${answer.deadline}, later than ${deadline}`)
  const signature = normalizeSignature(answer.signature)
  const signer = await signerOf(
    oracleApprovalTypedData(network, {
      validatorsRegistryRoot: subject.validatorsRoot,
      vault: subject.vault,
      validators: subject.validators,
      exitSignaturesIpfsHash: answer.ipfsHash,
      deadline: answer.deadline,
    }),
    signature,
  )
  if (!isAddressEqual(signer, oracle)) {
    throw new DvtExitError(
      'WRONG_SIGNER',
      `its signature is not its own over this registration (it recovers to ${shorten(signer)})`,
    )
  }
  return { oracle, ipfsHash: answer.ipfsHash, deadline: answer.deadline, signature }
}

async function signerOf(typedData: ReturnType<typeof oracleApprovalTypedData>, signature: Hex): Promise<Hex> {
  try {
    return await recoverTypedDataAddress({ ...typedData, signature })
  } catch (cause) {
    throw new DvtExitError('MALFORMED_SIGNATURE', 'malformed signature: r is on no point of the curve', {
      cause,
    })
  }
}

function wrongDeadline(reason: string): DvtExitError {
  return new DvtExitError('WRONG_DEADLINE', `it signed the deadline ${reason}`)
}
