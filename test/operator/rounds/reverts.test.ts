import { expect } from 'chai'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'
import { oracleAccounts } from '../../devnet/oracles.js'
import { until } from '../../doubles/poll.js'
import { ETH, Scene, type SceneOptions, validatorsOf } from './scene.js'

const hoodi = loadNetwork('hoodi')
const somebody = (): Hex => privateKeyToAccount(generatePrivateKey()).address
const addresses = (scene: Scene): Hex[] => oracleAccounts(scene.devnet.oracles).map(({ address }) => address)

interface Case {
  readonly cause: string
  /** What the agent must call it. */
  readonly name: RegExp
  readonly options: Pick<SceneOptions, 'kind' | 'manager'>
  /** Done when the oracles have approved. */
  readonly change: (scene: Scene) => Promise<unknown>
  /** Sets it right again, where that can be. */
  readonly repair?: (scene: Scene) => Promise<unknown>
}

const registry = { kind: 'v5', manager: 'registry' } as const
const manager = { kind: 'v5', manager: 'wallet' } as const
const another = { kind: 'v5', manager: 'another' } as const

const CASES: readonly Case[] = [
  {
    cause: 'the deadline passed',
    name: /DeadlineExpired/,
    options: registry,
    change: ({ devnet }) => devnet.anvil.rpc('evm_increaseTime', [7200]).then(() => devnet.anvil.mine()),
  },
  {
    cause: 'the oracles are others now',
    name: /InvalidOracle/,
    options: registry,
    change: (scene) => scene.devnet.world.setOracles([somebody(), somebody(), somebody()], 3),
    repair: (scene) => scene.devnet.world.setOracles(addresses(scene), 3),
  },
  {
    cause: 'the Keeper wants more of them now',
    name: /NotEnoughSignatures/,
    options: registry,
    change: (scene) => scene.devnet.world.setOracles(addresses(scene), 5),
    repair: async () => undefined,
  },
  {
    cause: 'the validators manager, who sends, is another now',
    name: /AccessDenied/,
    options: manager,
    change: ({ devnet }) => devnet.world.setManager(somebody()),
    repair: ({ devnet, keys }) => devnet.world.setManager(keys.manager.address),
  },
  {
    cause: 'the validators manager, who signed, is another now',
    name: /AccessDenied/,
    options: another,
    change: ({ devnet }) => devnet.world.setManager(somebody()),
    repair: ({ devnet, keys }) => devnet.world.setManager(keys.manager.address),
  },
  {
    cause: 'the deposit data was replaced',
    name: /InvalidProof/,
    options: registry,
    change: ({ devnet }) => devnet.world.setDepositDataRoot(`0x${'12'.repeat(32)}`),
    repair: (scene) => scene.accept(scene.validators),
  },
  {
    cause: 'two rewards updates came',
    name: /NotHarvested/,
    options: registry,
    change: async ({ devnet: { world, ipfs } }) => {
      await world.collateralize()
      const cid = ipfs.add('{"vaults": []}')
      for (const byte of ['21', '22']) await world.updateRewards({ root: `0x${byte.repeat(32)}`, cid })
    },
  },
  {
    cause: 'the exit queue took the assets',
    name: /Panic.*0x11|arithmetic/i,
    options: manager,
    change: ({ devnet }) => devnet.world.reserve(32n * ETH),
    repair: ({ devnet }) => devnet.world.reserve(0n),
  },
  {
    cause: 'a vault of version 2 has too few assets now',
    name: /InsufficientAssets/,
    options: { kind: 'v2', manager: 'registry' },
    change: ({ devnet }) => devnet.world.reserve(32n * ETH),
    repair: ({ devnet }) => devnet.world.reserve(0n),
  },
  {
    cause: 'the Keeper does not know the vault any more',
    name: /InvalidVault/,
    options: registry,
    change: ({ devnet }) => devnet.world.forgetVault(),
    repair: ({ devnet }) => devnet.world.knowVault(),
  },
  {
    cause: 'the Keeper does not know a manager’s vault any more',
    name: /AccessDenied/,
    options: manager,
    change: ({ devnet }) => devnet.world.forgetVault(),
    repair: ({ devnet }) => devnet.world.knowVault(),
  },
]

describe('an agent whose registration would revert', function () {
  this.timeout(120_000)
  let scene: Scene

  afterEach(() => scene.close())

  for (const { cause, name, options, change, repair } of CASES) {
    it(`because ${cause} sends nothing and names the error${repair === undefined ? '' : ', and registers when it is right again'}`, async () => {
      const validators = validatorsOf(hoodi, { count: 2 })
      scene = await Scene.start({ ...options, validators, assets: 32n * ETH })
      const { all } = scene.devnet.oracleServers
      let changed: Promise<unknown> | undefined
      for (const oracle of all) {
        oracle.beforeAnswer = async () => {
          await until(() => all.every(({ approved }) => approved.length > 0), 'all oracles approve')
          changed ??= change(scene)
          await changed
        }
      }

      const { code, message } = await scene.notNow()

      expect(code).to.equal('WOULD_REVERT')
      expect(message).to.match(name).and.not.include('\n')
      expect(await scene.publicKeys()).to.deep.equal([])
      if (repair === undefined) return
      await repair(scene)
      await scene.registered()
      expect(await scene.publicKeys()).to.deep.equal([validators[0]?.deposit.publicKey])
    })
  }
})
