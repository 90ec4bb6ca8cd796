/** A beacon node beside a real EVM: its blocks carry the EVM's, whose deposits enter its queue. */
import { decodeEventLog, parseAbi } from 'viem'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import { verifySignature } from '../../../core/bls/verify.js'
import { DvtExitError } from '../../../core/errors.js'
import { fromHex, type Hex, normalizeHex } from '../../../core/hex.js'
import { depositSigningRoot } from '../../../core/messages/deposit.js'
import type { Network } from '../../../core/network.js'
import { BeaconDouble } from '../beacon-double.js'
import { Chain, compactRegistry } from '../chain.js'
import type { ChainDeposit } from '../deposits.js'
import type { DoubleAnswer, DoubleRequest } from '../http-double.js'
import type { Anvil } from './anvil.js'

const abi = parseAbi([
  'event DepositEvent(bytes pubkey, bytes withdrawal_credentials, bytes amount, bytes signature, bytes index)',
])

interface EvmBlock {
  readonly number: Hex
  readonly hash: Hex
}
interface EvmLog {
  readonly topics: [Hex, ...Hex[]]
  readonly data: Hex
  readonly blockNumber: Hex
}

export class BeaconMirror extends BeaconDouble {
  readonly #anvil: Anvil
  readonly #chain: Chain
  #following: Promise<void> = Promise.resolve()

  private constructor(anvil: Anvil, chain: Chain) {
    super(chain)
    this.#anvil = anvil
    this.#chain = chain
  }

  /** @param validators how many there were before the EVM's first block */
  static async start(anvil: Anvil, network: Network, validators: number): Promise<BeaconMirror> {
    const chain = new Chain({ network, registry: compactRegistry(validators), head: -1, finalized: 0 })
    const mirror = new BeaconMirror(anvil, chain)
    await mirror.listen()
    await mirror.follow()
    return mirror
  }

  /** The index that the next new validator gets. */
  async nextIndex(): Promise<number> {
    await this.follow()
    const { head } = this.#chain
    const isNew = ({ publicKey, valid }: ChainDeposit) =>
      valid && this.#chain.validatorIndex(publicKey, head) === undefined
    const queued = this.#chain.pendingDeposits(head).map(({ deposit }) => deposit)
    const keys = new Set(queued.filter(isNew).map(({ publicKey }) => publicKey))
    return this.#chain.validatorCount(head) + keys.size
  }

  /** Whether a key is a validator's, or was in any deposit. */
  async isKnown(publicKey: Hex): Promise<boolean> {
    await this.follow()
    const { head } = this.#chain
    if (this.#chain.validatorIndex(publicKey, head) !== undefined) return true
    return this.#chain.pendingDeposits(head).some(({ deposit }) => deposit.publicKey === publicKey)
  }

  /** The queue's next entries leave it: new keys become validators. */
  async activate(entries: number): Promise<void> {
    await this.follow()
    this.#chain.process(entries)
  }

  /** Takes over the EVM's blocks up to its head. */
  follow(): Promise<void> {
    this.#following = this.#following.catch(() => undefined).then(() => this.#readOn())
    return this.#following
  }

  protected override async answer(request: DoubleRequest): Promise<DoubleAnswer> {
    await this.follow()
    return super.answer(request)
  }

  async #readOn(): Promise<void> {
    const first = this.#chain.head + 1
    const { number } = await this.#block('latest')
    if (Number(number) >= first) {
      for (const log of await this.#deposits(first, Number(number))) {
        this.#chain.landAt(Number(log.blockNumber), this.#depositOf(log))
      }
      for (let height = first; height <= Number(number); height += 1) {
        const block = await this.#block(`0x${height.toString(16)}`)
        this.#chain.adopt({ number: height, hash: block.hash })
      }
    }
    this.#chain.finalize(Number((await this.#block('finalized')).number))
  }

  async #block(tag: string): Promise<EvmBlock> {
    return (await this.#anvil.rpc('eth_getBlockByNumber', [tag, false])) as EvmBlock
  }

  async #deposits(from: number, to: number): Promise<readonly EvmLog[]> {
    const { address } = this.#chain.network.depositContract
    const [fromBlock, toBlock] = [from, to].map((block) => `0x${block.toString(16)}`)
    return (await this.#anvil.rpc('eth_getLogs', [{ address, fromBlock, toBlock }])) as EvmLog[]
  }

  #depositOf({ topics, data }: EvmLog): ChainDeposit {
    const { args } = decodeEventLog({ abi, eventName: 'DepositEvent', topics, data })
    const deposit = {
      publicKey: normalizeHex(args.pubkey, 48),
      withdrawalCredentials: normalizeHex(args.withdrawal_credentials, 32),
      amount: Buffer.from(fromHex(args.amount, 8)).readBigUInt64LE(),
      signature: normalizeHex(args.signature, 96),
    }
    return { ...deposit, valid: this.#isValid(deposit) }
  }

  #isValid(deposit: Omit<ChainDeposit, 'valid'>): boolean {
    try {
      return verifySignature({
        message: depositSigningRoot(this.#chain.network, deposit),
        publicKey: parsePublicKey(deposit.publicKey),
        signature: parseSignature(deposit.signature),
      })
    } catch (error) {
      if (error instanceof DvtExitError) return false
      throw error
    }
  }
}
