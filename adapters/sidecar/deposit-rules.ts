/** Which deposits may be signed: whoever is named in one owns what the validator ever holds. */
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import {
  type DepositMessage,
  isActivationAmount,
  type ValidatorType,
  withdrawalCredentials,
} from '../../core/messages/deposit.js'
import type { ExitSigner } from '../../core/signer.js'

/** A deposit that a relayer asks for. */
export interface DepositRequest {
  readonly publicKey: PublicKeyHex
  /** In lower case. */
  readonly vault: Hex
  readonly type: ValidatorType
  /** Gwei; of mGNO on Gnosis. */
  readonly amount: bigint
}

/** Why a deposit is refused, as the audit log says it. */
export type DepositRefusal = 'deposit-other-vault' | 'deposit-wrong-amount'

export type DepositVerdict =
  | 'sign'
  /** Nobody said which vaults are right: this node signs no deposits. */
  | 'not-configured'
  | DepositRefusal

/**
 * An address must be one that the signer knows to be right and one that a person named, where each of them says
 * anything at all.
 * @param vaults SIDECAR_VAULTS in lower case; undefined: nobody named any
 */
export function judgeDeposit(
  { publicKey, vault, type, amount }: DepositRequest,
  signer: Pick<ExitSigner, 'withdrawalAddresses'>,
  vaults: ReadonlySet<Hex> | undefined,
): DepositVerdict {
  const known = signer.withdrawalAddresses(publicKey)
  if (known === undefined && vaults === undefined) return 'not-configured'
  if (known?.includes(vault) === false || vaults?.has(vault) === false) return 'deposit-other-vault'
  return isActivationAmount(type, amount) ? 'sign' : 'deposit-wrong-amount'
}

/** What is signed. */
export function depositMessageOf({ publicKey, vault, type, amount }: DepositRequest): DepositMessage {
  return { publicKey, withdrawalCredentials: withdrawalCredentials(type, vault), amount }
}

/** A refusal for a person. */
export function explainDepositRefusal(reason: DepositRefusal): string {
  return reason === 'deposit-other-vault'
    ? 'its withdrawal address is none that the cluster lock and SIDECAR_VAULTS allow'
    : 'a validator of type 0x01 has exactly 32 ETH, one of type 0x02 from 32 to 2048'
}
