import { ByteVectorType, ContainerType, ListCompositeType, UintBigintType } from '@chainsafe/ssz'
import { expect } from 'chai'
import {
  decodeErrorResult,
  decodeFunctionResult,
  encodeFunctionData,
  numberToHex,
  parseAbi,
  parseEther,
} from 'viem'
import { fromHex, type Hex, toHex } from '../../../core/hex.js'
import { depositDataRoot } from '../../../core/messages/deposit.js'
import type { SignedDeposit } from '../../../core/vault/validator-bytes.js'
import { AnvilError } from './anvil.js'
import { ContractScene, depositOf, depositsOf, network, SOMEBODY } from './contract-scene.js'

const abi = parseAbi([
  'function deposit(bytes pubkey, bytes withdrawal_credentials, bytes signature, bytes32 deposit_data_root) payable',
  'function get_deposit_count() view returns (bytes)',
  'error Error(string reason)',
])
const DepositList = new ListCompositeType(
  new ContainerType({
    pubkey: new ByteVectorType(48),
    withdrawalCredentials: new ByteVectorType(32),
    amount: new UintBigintType(8),
    signature: new ByteVectorType(96),
  }),
  2 ** 32,
)

/** What the beacon chain makes of the same deposits. */
function listRoot(deposits: readonly SignedDeposit[]): Hex {
  const list = deposits.map(({ publicKey, withdrawalCredentials, amount, signature }) => ({
    pubkey: fromHex(publicKey, 48),
    withdrawalCredentials: fromHex(withdrawalCredentials, 32),
    amount,
    signature: fromHex(signature, 96),
  }))
  return toHex(DepositList.hashTreeRoot(list))
}

describe('the devnet’s deposit contract', function () {
  this.timeout(120_000)
  const contract = network.depositContract.address
  let scene: ContractScene

  before(async () => {
    scene = await ContractScene.start()
    await scene.place({ kind: 'v5' })
  })
  beforeEach(() => scene.reset())
  after(() => scene.anvil.stop())

  const count = async (): Promise<Hex> => {
    const data = encodeFunctionData({ abi, functionName: 'get_deposit_count' })
    const answer = await scene.execution.call(contract, data)
    return decodeFunctionResult({ abi, functionName: 'get_deposit_count', data: answer })
  }

  /** What a deposit with these changes reverts with. */
  const reasonOf = async (
    changes: Partial<{ publicKey: Hex; credentials: Hex; signature: Hex; root: Hex; value: bigint }>,
  ): Promise<string> => {
    const deposit = depositOf(1)
    const { publicKey, credentials, signature, root, value } = {
      ...deposit,
      credentials: deposit.withdrawalCredentials,
      root: toHex(depositDataRoot(deposit, fromHex(deposit.signature, 96))),
      value: parseEther('32'),
      ...changes,
    }
    const data = encodeFunctionData({
      abi,
      functionName: 'deposit',
      args: [publicKey, credentials, signature, root],
    })
    const call = { from: SOMEBODY.address, to: contract, data, value: numberToHex(value) }
    try {
      await scene.anvil.rpc('eth_call', [call, 'latest'])
    } catch (error) {
      if (!(error instanceof AnvilError) || error.data === undefined) throw error
      return reasonIn(error.data)
    }
    return 'accepted'
  }

  it('has the root of the beacon chain’s list of deposits after each of them', async () => {
    const deposits = [
      ...depositsOf(6),
      depositOf(7, '0x02', 2_048_000_000_000n),
      depositOf(7, '0x02', 1_000_000_001n),
      depositOf(8, '0x01', 1_000_000_000n),
    ]
    expect(await scene.world.depositRoot()).to.equal(listRoot([]))
    for (const [i, deposit] of deposits.entries()) {
      await scene.world.deposit(deposit)
      expect(await scene.world.depositRoot()).to.equal(listRoot(deposits.slice(0, i + 1)))
    }
    expect(await count()).to.equal('0x0900000000000000')
  })

  it('announces each deposit as it was made', async () => {
    const deposits = [depositOf(1), depositOf(2, '0x02', 64_000_000_000n)]
    for (const deposit of deposits) await scene.world.deposit(deposit)
    expect(await scene.world.registered()).to.deep.equal(
      deposits.map(({ publicKey, amount, withdrawalCredentials: credentials }) => ({
        publicKey,
        amount,
        credentials,
      })),
    )
  })

  it('takes a deposit that is right', async () => {
    expect(await reasonOf({})).to.equal('accepted')
  })

  for (const [what, changes, reason] of [
    ['another data root', { root: `0x${'12'.repeat(32)}` }, /another root/],
    ['another amount than the root’s', { value: parseEther('31') }, /another root/],
    ['other credentials than the root’s', { credentials: `0x02${'00'.repeat(31)}` }, /another root/],
    ['a public key of 47 bytes', { publicKey: `0x${'aa'.repeat(47)}` }, /48 bytes/],
    ['credentials of 33 bytes', { credentials: `0x${'01'.repeat(33)}` }, /32 bytes/],
    ['a signature of 95 bytes', { signature: `0x${'aa'.repeat(95)}` }, /96 bytes/],
    ['less than 1 ETH', { value: parseEther('0.999999999') }, /less than 1 ether/],
    ['parts of a Gwei', { value: parseEther('32') + 1n }, /1 gwei/],
  ] as const) {
    it(`refuses ${what} with a text`, async () => {
      expect(await reasonOf(changes)).to.match(reason)
    })
  }
})

function reasonIn(data: Hex): string {
  return String(decodeErrorResult({ abi, data }).args[0])
}
