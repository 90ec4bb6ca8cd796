/** The validators manager's word, as the vault checks it. */
import { isAddressEqual, recoverTypedDataAddress } from 'viem'
import { describeError } from '../../core/errors.js'
import type { Hex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import { managerTypedData } from '../../core/vault/signatures.js'
import { normalizeSignature } from '../approvals/signature.js'
import { NotNow } from '../not-now.js'

/** What the manager signs. */
export interface ManagedValidators {
  readonly network: Network
  readonly vault: Hex
  /** The vault's validators manager. */
  readonly manager: Hex
  /** 32 bytes: the registry root of a registration, else the vault's validatorsManagerNonce. */
  readonly rootOrNonce: Hex
  /** The validators' bytes. */
  readonly validators: Hex
}

/**
 * @param given 65 bytes, from elsewhere
 * @param what whose it is, for the message
 * @returns it in the form that the vault takes: v is 27 or 28
 * @throws NotNow WRONG_MANAGER_SIGNATURE where it is not the manager's over these validators
 */
export async function checkManagerSignature(
  { network, vault, manager, rootOrNonce, validators }: ManagedValidators,
  given: Hex,
  { what, hint }: { readonly what: string; readonly hint: string },
): Promise<Hex> {
  const refuse = (reason: string, cause?: unknown) =>
    new NotNow('WRONG_MANAGER_SIGNATURE', `${what} ${reason}`, {
      level: 'warn',
      hint,
      ...(cause === undefined ? {} : { cause }),
    })
  let signer: Hex
  let signature: Hex
  try {
    signature = normalizeSignature(given)
    signer = await recoverTypedDataAddress({
      ...managerTypedData(network, vault, { validatorsRegistryRoot: rootOrNonce, validators }),
      signature,
    })
  } catch (cause) {
    throw refuse(`is malformed: ${describeError(cause).split('\n')[0]}`, cause)
  }
  if (isAddressEqual(signer, manager)) return signature
  throw refuse(`is by ${signer} over these validators, the vault’s validators manager is ${manager}`)
}
