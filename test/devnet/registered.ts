/** What the vault has registered on the devnet, by transaction. */
import { decodeEventLog, parseAbi } from 'viem'
import { type Hex, normalizeHex, type PublicKeyHex } from '../../core/hex.js'
import type { VaultDevnet } from './evm/vault-devnet.js'

const abi = parseAbi([
  'event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)',
])

/** A transaction that registered validators. */
export interface RegisteringTransaction {
  readonly hash: Hex
  readonly block: number
  readonly gasUsed: bigint
  readonly from: Hex
  readonly to: Hex
  readonly publicKeys: readonly PublicKeyHex[]
}

interface Log {
  readonly topics: [Hex, ...Hex[]]
  readonly data: Hex
  readonly transactionHash: Hex
}
interface Receipt {
  readonly blockNumber: Hex
  readonly gasUsed: Hex
  readonly from: Hex
  readonly to: Hex
}

/** The transactions with deposits, oldest first. */
export async function registeringTransactions({
  anvil,
  network,
}: Pick<VaultDevnet, 'anvil' | 'network'>): Promise<RegisteringTransaction[]> {
  const filter = { address: network.depositContract.address, fromBlock: 'earliest' }
  const keys = new Map<Hex, PublicKeyHex[]>()
  for (const { topics, data, transactionHash } of (await anvil.rpc('eth_getLogs', [filter])) as Log[]) {
    const { args } = decodeEventLog({ abi, eventName: 'DepositEvent', topics, data })
    const before = keys.get(transactionHash) ?? []
    keys.set(transactionHash, [...before, normalizeHex(args.pubkey, 48)])
  }
  const transactions = [...keys].map(async ([hash, publicKeys]) => {
    const { blockNumber, gasUsed, from, to } = (await anvil.rpc('eth_getTransactionReceipt', [
      hash,
    ])) as Receipt
    return { hash, block: Number(blockNumber), gasUsed: BigInt(gasUsed), from, to, publicKeys }
  })
  return Promise.all(transactions)
}
