/** Which deposits may be signed: whoever is named in one owns what the validator ever holds. */
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import {
  type DepositMessage,
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
  /** Gwei. */
  readonly amount: bigint
}

/** Why a deposit is refused, as the audit log says it. */
export type DepositRefusal = 'deposit-other-vault' | 'deposit-wrong-amount'

export type DepositVerdict =
  | 'sign'
  /** Nobody said which vaults are right: this node signs no deposits. */
  | 'not-configured'
  | DepositRefusal

const ETH_32 = 32_000_000_000n
const ETH_2048 = 2_048_000_000_000n

/**
 * @param vaults SIDECAR_VAULTS in lower case; undefined: those that the signer itself knows
 */
export function judgeDeposit(
  { vault, type, amount }: DepositRequest,
  signer: Pick<ExitSigner, 'knowsWithdrawalAddresses'>,
  vaults: ReadonlySet<Hex> | undefined,
): DepositVerdict {
  if (vaults === undefined && !signer.knowsWithdrawalAddresses) return 'not-configured'
  if (vaults !== undefined && !vaults.has(vault)) return 'deposit-other-vault'
  const most = type === '0x01' ? ETH_32 : ETH_2048
  return amount < ETH_32 || amount > most ? 'deposit-wrong-amount' : 'sign'
}

/** What is signed. */
export function depositMessageOf({ publicKey, vault, type, amount }: DepositRequest): DepositMessage {
  return { publicKey, withdrawalCredentials: withdrawalCredentials(type, vault), amount }
}

export function explainDepositRefusal(reason: DepositRefusal): string {
  return reason === 'deposit-other-vault'
    ? 'its withdrawal address is none that the cluster lock or SIDECAR_VAULTS names'
    : 'a validator of type 0x01 has exactly 32 ETH, one of type 0x02 from 32 to 2048'
}
