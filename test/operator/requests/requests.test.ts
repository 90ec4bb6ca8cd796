import { expect } from 'chai'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { DvtExitError, describeError } from '../../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { readOptions } from '../../../core/options.js'
import { runConsolidate, runWithdraw } from '../../../operator/requests/command.js'
import { consolidateOptions, withdrawOptions } from '../../../operator/requests/options.js'
import { writeWallet } from '../../devnet/wallet-file.js'
import { TestLog } from '../../doubles/log.js'
import { ETH, Scene, type SceneOptions, validatorsOf } from '../rounds/scene.js'

const hoodi = loadNetwork('hoodi')
const GWEI_PER_ETH = 1_000_000_000n
/** Blocks after which one is final on the devnet. */
const FINALITY = 70
const FEE = 12_345n

describe('requests for the vault’s validators', function () {
  this.timeout(120_000)
  let scene: Scene
  let keys: readonly PublicKeyHex[]
  let wallet: { readonly address: Hex; readonly env: Readonly<Record<string, string>> }
  let log: TestLog

  const start = async (type: '0x01' | '0x02', options: Partial<SceneOptions> = {}) => {
    const amount = type === '0x02' ? 64n : 32n
    scene = await Scene.start({
      kind: 'v5',
      manager: 'relayer',
      validators: validatorsOf(hoodi, { count: 3, type, amount: amount * GWEI_PER_ETH }),
      assets: 2n * amount * ETH,
      env: { VALIDATOR_TYPE: type, MAX_VALIDATOR_BALANCE_GWEI: String(amount * GWEI_PER_ETH) },
      ...options,
    })
    keys = (await scene.registered()).publicKeys
    await scene.devnet.anvil.mine()
    await scene.devnet.beacon.activate(2)
    await scene.devnet.anvil.mine(FINALITY)
    await scene.devnet.world.setRequestFee(FEE)
    await scene.restart()
    const privateKey = generatePrivateKey()
    const { file, passwordFile } = writeWallet(scene.devnet.folder, 'requests', privateKey)
    const { address } = privateKeyToAccount(privateKey)
    wallet = { address, env: { WALLET_FILE: file, WALLET_PASSWORD_FILE: passwordFile } }
    await scene.devnet.anvil.setBalance(address, ETH)
  }

  beforeEach(() => {
    log = new TestLog()
  })
  afterEach(() => scene.close())

  const context = () => ({ signal: new AbortController().signal, logger: log.logger })
  const environment = (env: Readonly<Record<string, string>>) => ({
    flags: {},
    env: { ...scene.env, ...wallet.env, ASSUME_YES: 'true', ...env },
  })
  const withdraw = (publicKeys: readonly string[], eth: bigint, env: Readonly<Record<string, string>> = {}) =>
    runWithdraw(
      readOptions(
        withdrawOptions,
        environment({
          WITHDRAW_PUBLIC_KEYS: publicKeys.join(','),
          WITHDRAW_AMOUNT_GWEI: String(eth * GWEI_PER_ETH),
          ...env,
        }),
      ),
      context(),
    )
  const consolidate = (
    sources: readonly string[],
    targets: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) =>
    runConsolidate(
      readOptions(
        consolidateOptions,
        environment({
          CONSOLIDATE_SOURCE_PUBLIC_KEYS: sources.join(','),
          CONSOLIDATE_TARGET_PUBLIC_KEY: targets.join(','),
          ...env,
        }),
      ),
      context(),
    )
  /** What a command failed with, as its one line. */
  const refusal = async (command: Promise<void>): Promise<string> => {
    try {
      await command
    } catch (error) {
      if (!(error instanceof DvtExitError)) throw error
      expect(await scene.devnet.world.requests()).to.deep.equal([])
      expect(describeError(error)).to.not.include('\n')
      return describeError(error)
    }
    throw new Error('it went through')
  }
  const key = (i: number): PublicKeyHex => keys[i] ?? '0x'
  const gwei = (eth: bigint) => (eth * GWEI_PER_ETH).toString(16).padStart(16, '0')

  it('withdraw with the relayer’s signature, pay the fee and get the rest back', async () => {
    await start('0x02')
    const { world, anvil } = scene.devnet
    const nonce = await world.managerNonce()

    await withdraw(keys, 5n)

    expect(await world.requests()).to.deep.equal(
      keys.map((publicKey) => ({ kind: 'withdrawal', request: `${publicKey}${gwei(5n)}` })),
    )
    expect(await world.managerNonce()).to.equal(nonce + 1n)
    const paid = BigInt(
      (await anvil.rpc('eth_getBalance', ['0x00000961Ef480Eb55e80D19ad83579A64c007002', 'latest'])) as string,
    )
    expect(paid).to.equal(2n * FEE)
    expect(log.messages('info').at(-1)).to.match(/^the withdrawal is in block \d+, transaction 0x/)
  })

  it('exit a validator of type 0x01 with an amount of 0, and nothing less', async () => {
    await start('0x01')
    expect(await refusal(withdraw([key(0)], 1n))).to.match(/is of type 0x01, which can only exit as a whole/)
    await withdraw([key(0)], 0n)
    expect(await scene.devnet.world.requests()).to.deep.equal([
      { kind: 'withdrawal', request: `${key(0)}${gwei(0n)}` },
    ])
  })

  it('consolidate with the relayer’s signature into a validator that the vault knows', async () => {
    await start('0x02')
    const nonce = await scene.devnet.world.managerNonce()
    const asked = () => scene.devnet.oracleServers.all.map(({ total }) => total)
    const before = asked()

    await consolidate([key(0)], [key(1)])

    expect(await scene.devnet.world.requests()).to.deep.equal([
      { kind: 'consolidation', request: `${key(0)}${key(1).slice(2)}` },
    ])
    expect(await scene.devnet.world.managerNonce()).to.equal(nonce + 1n)
    expect(asked()).to.deep.equal(before)
  })

  it('make validators of type 0x01 compounding, with the oracles’ signatures and without the wrong ones', async () => {
    await start('0x01')
    scene.devnet.oracleServers.first(2, (oracle) => {
      oracle.wrong = 'bad-signature'
    })
    await consolidate(keys, keys)
    expect(await scene.devnet.world.requests()).to.deep.equal(
      keys.map((publicKey) => ({ kind: 'consolidation', request: `${publicKey}${publicKey.slice(2)}` })),
    )
  })

  it('make none compounding where too few oracles agree, nor move one into a validator of type 0x01', async () => {
    await start('0x01')
    scene.devnet.oracleServers.first(3, (oracle) => {
      oracle.wrong = 'bad-signature'
    })
    expect(await refusal(consolidate([key(0)], [key(0)]))).to.match(
      /2 of 3 approvals of the consolidation: 0x/,
    )
    expect(await refusal(consolidate([key(0)], [key(1)]))).to.match(/the target 0x\S+ is of type 0x01/)
  })

  it('with the manager’s own key, as the sender or signed', async () => {
    await start('0x02')
    const { world } = scene.devnet
    const nonce = await world.managerNonce()
    await world.setManager(wallet.address)
    await withdraw([key(0)], 1n)
    expect(await world.managerNonce()).to.equal(nonce)

    const privateKey = generatePrivateKey()
    await world.setManager(privateKeyToAccount(privateKey).address)
    const { file, passwordFile } = writeWallet(scene.devnet.folder, 'manager', privateKey)
    const manager = { VALIDATORS_MANAGER_KEY_FILE: file, VALIDATORS_MANAGER_PASSWORD_FILE: passwordFile }
    await consolidate([key(0)], [key(1)], manager)
    expect(await world.managerNonce()).to.equal(nonce + 1n)
    expect((await world.requests()).map(({ kind }) => kind)).to.deep.equal(['withdrawal', 'consolidation'])
    expect(scene.relayer.requests.get('POST /withdraw')).to.equal(undefined)
  })

  it('are refused before anything is sent', async () => {
    await start('0x02')
    const stranger = scene.validators[2]?.deposit.publicKey ?? '0x'
    expect(await refusal(withdraw([stranger], 0n))).to.match(/the beacon node knows no validator 0x/)
    expect(await refusal(withdraw([key(0), key(0)], 0n))).to.match(/is named twice/)
    expect(await refusal(consolidate([key(0)], [key(0)]))).to.match(/is compounding already/)
    expect(await refusal(consolidate(keys, [key(1)]))).to.match(/is compounding already|is a source too/)
    expect(await refusal(consolidate([key(0)], [key(1), key(0)]))).to.match(/2 targets for 1 sources/)
    expect(await refusal(withdraw([key(0)], 0n, { MAX_WITHDRAWAL_REQUEST_FEE_GWEI: '0' }))).to.match(
      /charges 0\.000012345 Gwei for one withdrawal, more than the limit of 0/,
    )
    scene.devnet.beacon.statuses.set(key(0), 'active_exiting')
    expect(await refusal(withdraw([key(0)], 0n))).to.match(/is active_exiting, only an active validator/)
    scene.devnet.beacon.statuses.clear()
    scene.managingRelayer.signatureGiven = (signature) =>
      `${signature.slice(0, -2) as Hex}${signature.endsWith('1b') ? '1c' : '1b'}`
    expect(await refusal(withdraw([key(0)], 0n))).to.match(/manager signature for the withdrawal is by 0x/)
    scene.managingRelayer.signatureGiven = () => null
    expect(await refusal(withdraw([key(0)], 0n))).to.match(/gives no validators manager signature/)
    expect(await refusal(withdraw([key(0)], 0n, { ASSUME_YES: 'false' }))).to.match(
      /nobody can be asked: 1 validators of 0x\S+ exit for good: 0x\S+\. The chain charges .* --yes/,
    )
    expect(await scene.devnet.world.managerNonce()).to.equal(1n)
  })

  it('are only shown in a dry run', async () => {
    await start('0x02')
    const write = process.stdout.write
    let out = ''
    process.stdout.write = ((text: string) => {
      out += text
      return true
    }) as typeof process.stdout.write
    try {
      await withdraw([key(0)], 0n, { DRY_RUN: 'true' })
    } finally {
      process.stdout.write = write
    }
    const shown = JSON.parse(out) as { kind: string; transaction: { from: string; value: string } }
    expect(shown.kind).to.equal('withdrawal')
    expect(shown.transaction.from).to.equal(wallet.address)
    expect(BigInt(shown.transaction.value)).to.equal(2n * FEE)
    expect(await scene.devnet.world.requests()).to.deep.equal([])
  })
})
