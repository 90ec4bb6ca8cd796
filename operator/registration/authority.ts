/** By whose right a batch is registered, in the forms that the oracles and the contract want. */
import { isAddressEqual } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { Hex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'
import { managerTypedData } from '../../core/vault/signatures.js'
import type { RegistrationAuthority } from '../approvals/request.js'
import type { DepositDataTree } from '../deposit-data/merkle.js'
import type { VaultDeposit } from '../deposit-data/vault-deposits.js'
import { NotNow } from '../not-now.js'
import type { Way } from '../vault/way.js'
import type { Authority } from './call.js'

export interface Keys {
  /** Sends the transactions. */
  readonly wallet: PrivateKeyAccount
  /** Signs as the validators manager; the wallet itself where no other key was given. */
  readonly manager: PrivateKeyAccount
}

export interface BatchAuthority {
  readonly forOracles: RegistrationAuthority
  readonly forContract: Authority
}

export interface AuthorityQuestion {
  readonly network: Network
  readonly vault: Hex
  readonly way: Way
  readonly keys: Keys
  readonly batch: readonly VaultDeposit[]
  /** The batch's bytes, one validator after the other. */
  readonly validators: Hex
  readonly registryRoot: Hex
  readonly tree: () => DepositDataTree
}

/** @throws NotNow NOT_THE_MANAGER */
export async function batchAuthority(question: AuthorityQuestion): Promise<BatchAuthority> {
  const { way, batch } = question
  if (way.kind === 'manager') return managerAuthority(question, way.manager)
  const proof = question.tree().prove(batch.map(({ position }) => position))
  const { proofFlags, leafPositions } = proof
  return {
    forOracles: { kind: 'registry', proof: proof.proof, proofFlags, proofIndexes: leafPositions },
    forContract:
      way.kind === 'own' ? { kind: 'own', proof } : { kind: 'registry', registry: way.registry, proof },
  }
}

/** The oracles want the manager's signature also where the manager sends; the contract then needs none. */
async function managerAuthority(
  { network, vault, keys, batch, validators, registryRoot }: AuthorityQuestion,
  manager: Hex,
): Promise<BatchAuthority> {
  assertManager(keys, manager)
  const message = { validatorsRegistryRoot: registryRoot, validators }
  const signature = await keys.manager.signTypedData(managerTypedData(network, vault, message))
  const isCompounding = batch[0]?.type === '0x02'
  const amounts = isCompounding ? batch.map(({ deposit }) => deposit.amount) : null
  return {
    forOracles: { kind: 'manager', signature, amounts },
    forContract: {
      kind: 'manager',
      signature: isAddressEqual(keys.wallet.address, manager) ? undefined : signature,
    },
  }
}

/** @throws NotNow NOT_THE_MANAGER where no key here is the validators manager's */
export function assertManager({ manager: key }: Keys, manager: Hex): void {
  if (isAddressEqual(key.address, manager)) return
  throw new NotNow(
    'NOT_THE_MANAGER',
    `the vault’s validators manager is ${manager}, the key here is of ${key.address}`,
    {
      level: 'warn',
      hint: 'Give the manager’s key (VALIDATORS_MANAGER_KEY_FILE), or have the vault’s admin set this address',
    },
  )
}
