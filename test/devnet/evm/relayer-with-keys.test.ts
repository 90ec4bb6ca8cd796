import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import { RelayerClient } from '../../../core/clients/relayer.js'
import { parseDepositData, verifyDepositSignatures } from '../../../core/deposits/deposit-data.js'
import type { Hex } from '../../../core/hex.js'
import { withdrawalCredentials } from '../../../core/messages/deposit.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../core/messages/voluntary-exit.js'
import { loadNetwork } from '../../../core/network.js'
import { assertRelayer } from '../../../operator/relayer-check.js'
import { createOracles, recombine } from '../oracles.js'
import { depositDataOf, makeValidators, RelayerWithKeys } from './relayer-with-keys.js'

const hoodi = loadNetwork('hoodi')
const VAULT: Hex = `0x${'ba'.repeat(20)}`
const oracles = createOracles(4, 3)
const validators = makeValidators({ network: hoodi, vault: VAULT, count: 3 })
const keys = validators.map(({ deposit }) => deposit.publicKey)

describe('validators made for a test', () => {
  it('have deposits that the product takes, of either type and any amount', () => {
    for (const [type, amount] of [
      ['0x01', 32_000_000_000n],
      ['0x02', 1_945_000_000_000n],
    ] as const) {
      const made = makeValidators({ network: hoodi, vault: VAULT, count: 2, type, amount })
      const entries = parseDepositData(depositDataOf(made), 'test', hoodi)
      const credentials = withdrawalCredentials(type, VAULT)
      expect(entries).to.deep.equal(made.map(({ deposit }) => deposit))
      for (const entry of entries) expect(entry).to.include({ amount, withdrawalCredentials: credentials })
      const deposits = entries.map((entry) => ({ ...entry, withdrawalCredentials: credentials }))
      expect(verifyDepositSignatures(hoodi, deposits)).to.deep.equal([true, true])
    }
  })

  it('are the same in every run, and others under another prefix', () => {
    const again = makeValidators({ network: hoodi, vault: VAULT, count: 3 })
    expect(again).to.deep.equal(validators)
    const others = makeValidators({ network: hoodi, vault: VAULT, count: 3, prefix: 'others' })
    expect(new Set([...again, ...others].map(({ deposit }) => deposit.publicKey)).size).to.equal(6)
  })
})

describe('a relayer that knows the keys', () => {
  let relayer: RelayerWithKeys
  let client: RelayerClient
  let next: number

  beforeEach(async () => {
    next = 1_000
    relayer = await new RelayerWithKeys({
      network: hoodi,
      oracles,
      validators,
      nextIndex: async () => next,
    }).listen()
    client = new RelayerClient(relayer.url)
  })

  afterEach(() => relayer.close())

  /** Whether the oracles' parts of a key make its exit at an index. */
  async function exitsAt(asked: readonly Hex[], indexes: readonly number[]): Promise<void> {
    const answers = await client.requestValidators(asked)
    for (const [i, { publicKey, oracleParts }] of answers.entries()) {
      const message = voluntaryExitSigningRoot(hoodi, presignedExit(hoodi, indexes[i] ?? 0))
      const { encryptedExitSignatures = [], publicKeys = [] } = oracleParts ?? {}
      const signature = parseSignature(recombine(oracles, encryptedExitSignatures, publicKeys, message))
      expect(bls.verify({ message, publicKey: parsePublicKey(publicKey), signature })).to.equal(true)
    }
  }

  it('is the relayer of its network', async () => {
    await assertRelayer(client, hoodi)
    relayer.network = 'mainnet'
    expect(await client.info()).to.deep.equal({ network: 'mainnet' })
  })

  it('gives each key the exit of the index in the order asked, and again when the index moves', async () => {
    await exitsAt(keys, [1_000, 1_001, 1_002])
    await exitsAt(keys.toReversed(), [1_000, 1_001, 1_002])
    next = 1_007
    await exitsAt(keys.slice(1), [1_007, 1_008])
    expect((await client.exits()).map(({ validatorIndex }) => validatorIndex)).to.have.members([
      1_002, 1_007, 1_008,
    ])
  })

  it('has no exit of a key that is withheld, until it is not', async () => {
    const [, second] = keys
    relayer.withheld.add(second ?? '0x')
    const answers = await client.requestValidators(keys)
    expect(answers.map(({ oracleParts }) => oracleParts !== null)).to.deep.equal([true, false, true])
    const waiting = (await client.exits()).filter(({ isExitSignatureReady }) => !isExitSignatureReady)
    expect(waiting).to.deep.equal([
      { publicKey: second, validatorIndex: 1_001, isExitSignatureReady: false, shareIndexesReady: [1n, 3n] },
    ])
    relayer.withheld.clear()
    await exitsAt(keys, [1_000, 1_001, 1_002])
  })

  it('echoes keys as they were asked, and refuses what are none with 422', async () => {
    const asked = keys.map((key) => key.slice(2).toUpperCase())
    const post = (body: string) => fetch(`${relayer.url}/validators`, { method: 'POST', body })
    const answer = (await (await post(JSON.stringify({ public_keys: asked }))).json()) as {
      validators: { public_key: string }[]
    }
    expect(answer.validators.map(({ public_key }) => public_key)).to.deep.equal(asked)
    for (const body of ['', '{"public_keys": []}', '{"public_keys": ["0x12"]}', '{"keys": []}']) {
      expect((await post(body)).status, body).to.equal(422)
    }
  })

  it('drops connections while it is away', async () => {
    relayer.faults.down = true
    const failed = await client.requestValidators(keys).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(failed).to.be.an('error')
    relayer.faults.down = false
    expect(await client.requestValidators(keys)).to.have.length(3)
  })
})
