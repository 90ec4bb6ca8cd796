import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { createObolSigners } from '../../../adapters/obol/create.js'
import { obolOptions } from '../../../adapters/obol/options.js'
import { createSsvSigners } from '../../../adapters/ssv/create.js'
import { ssvOptions } from '../../../adapters/ssv/options.js'
import { RelayerClient } from '../../../core/clients/relayer.js'
import { RelayerValidators } from '../../../core/clients/relayer-validators.js'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { normalizeHex } from '../../../core/hex.js'
import { readOptions } from '../../../core/options.js'
import type { ExitSigner } from '../../../core/signer.js'
import type { App } from '../../../relayer/http/fastify.js'
import type { WantedValidator } from '../../../relayer/validators/service.js'
import { SsvChainDouble } from '../../core/clusters/ssv-chain-double.js'
import { EXPECTED, LOGS, SSV_FIXTURE } from '../../core/clusters/ssv-fixture.js'
import { testApp } from '../../relayer/http/test-app.js'
import { combineParts, type TestRelayer, TestWorld } from '../../relayer/relayer.js'
import { nodeHome } from '../obol/node-directory.js'
import { network, SidecarBench } from './sidecar-bench.js'

/** A validator with everything that its cluster is to make. */
interface Golden extends WantedValidator {
  readonly exit: Hex
  readonly depositSignature: Hex
}

interface ObolExpected {
  readonly validators: readonly {
    readonly distributed_public_key: PublicKeyHex
    readonly withdrawal_address: Hex
    readonly golden_exit: { readonly validator_index: number; readonly full_signature: Hex }
    readonly golden_deposit: {
      readonly amount_gwei: string
      readonly withdrawal_credentials: Hex
      readonly full_signature: Hex
    }
  }[]
}

const typeOf = (credentials: Hex) => (credentials.startsWith('0x02') ? '0x02' : '0x01')

function obolGolden(cluster: string): Golden[] {
  const file = new URL(`../../fixtures/obol/${cluster}.EXPECTED.json`, import.meta.url)
  const { validators } = JSON.parse(readFileSync(file, 'utf8')) as ObolExpected
  return validators.map((validator) => ({
    publicKey: validator.distributed_public_key,
    validatorIndex: validator.golden_exit.validator_index,
    exit: validator.golden_exit.full_signature,
    depositSignature: validator.golden_deposit.full_signature,
    deposit: {
      vault: normalizeHex(validator.withdrawal_address, 20),
      type: typeOf(validator.golden_deposit.withdrawal_credentials),
      amount: BigInt(validator.golden_deposit.amount_gwei),
    },
  }))
}

/** Each validator with its n-th golden deposit. */
function ssvGolden(n: number): Golden[] {
  return EXPECTED.validators.flatMap(({ publicKey, exits: [exit], deposits }) => {
    const deposit = deposits[n]
    if (exit === undefined || deposit === undefined) return []
    return {
      publicKey,
      validatorIndex: Number(exit.validatorIndex),
      exit: exit.signature,
      depositSignature: deposit.signature,
      deposit: {
        vault: normalizeHex(deposit.vault, 20),
        type: deposit.validatorType,
        amount: BigInt(deposit.amountGwei),
      },
    }
  })
}

describe('sidecars with our own relayer, which knows no public shares', () => {
  let bench: SidecarBench
  let world: TestWorld
  let relayer: TestRelayer
  let app: App
  let url: string
  const open: ExitSigner[] = []

  beforeEach(async () => {
    bench = await new SidecarBench().start()
    world = new TestWorld()
  })
  async function startRelayer(signatureThreshold: number): Promise<void> {
    relayer = await world.open({ signatureThreshold })
    app = await testApp(relayer.service)
    url = await app.listen({ port: 0, host: '127.0.0.1' })
  }
  afterEach(async () => {
    await Promise.all(open.splice(0).map((signer) => signer.close()))
    await app.close()
    await relayer.close()
    await bench.stop()
  })

  async function obolNodes(cluster: string, nodes: string): Promise<ExitSigner[]> {
    const template = `${nodeHome(cluster, 0).replace(/node0$/, 'node{node_index}')}/validator_keys`
    const env = { OBOL_KEYSTORES_DIR_TEMPLATE: template, OBOL_NODE_INDEXES: nodes }
    const { logger } = bench.log
    const signers = await createObolSigners(readOptions(obolOptions, { flags: {}, env }), { network, logger })
    open.push(...signers)
    return signers
  }
  async function ssvNodes(ids: string): Promise<ExitSigner[]> {
    const env = {
      DATABASE: ':memory:',
      SSV_OPERATOR_KEY_FILE_TEMPLATE: `${SSV_FIXTURE}operators/{operator_id}/private_key.base64`,
      SSV_OPERATOR_IDS: ids,
    }
    const signers = await createSsvSigners(readOptions(ssvOptions, { flags: {}, env }), {
      network,
      logger: bench.log.logger,
      signal: new AbortController().signal,
      execution: new SsvChainDouble(LOGS),
    })
    open.push(...signers)
    return signers
  }
  async function round(signers: ExitSigner[], vaults?: ReadonlySet<Hex>): Promise<void> {
    const client = new RelayerClient(url)
    const validators = new RelayerValidators(client.connection)
    await bench.round(await bench.sidecar(signers, { relayer: client, validators, vaults }))
    await relayer.service.idle()
  }
  async function expectGolden(golden: readonly Golden[]): Promise<void> {
    const collected = await relayer.service.requestValidators(golden)
    expect(collected.map(({ depositSignature }) => depositSignature)).to.deep.equal(
      golden.map(({ depositSignature }) => depositSignature),
    )
    for (const [i, { oracleShares, publicKey, validatorIndex }] of collected.entries()) {
      if (oracleShares === null) throw new Error('the exit is not ready')
      expect(combineParts(world.oracles, oracleShares, publicKey, validatorIndex)).to.equal(golden[i]?.exit)
    }
  }

  for (const [cluster, threshold, nodes] of [
    ['obol-4n3t-hoodi', 3, '0,2,3'],
    ['obol-4n3t-hoodi-secure', 3, '0,1,2'],
    ['obol-16n10t-hoodi', 10, '1,2,3,5,6,8,9,11,14,15'],
  ] as const) {
    it(`make both golden signatures of every validator of ${cluster}`, async () => {
      const golden = obolGolden(cluster)
      await startRelayer(threshold)
      await relayer.service.requestValidators(golden)
      await round(await obolNodes(cluster, nodes))
      await expectGolden(golden)
      expect(bench.log.messages('warn').filter((line) => line.includes('reject'))).to.deep.equal([])
    })
  }

  for (const n of [0, 1, 2]) {
    it(`make both golden signatures of every validator of the SSV cluster, deposit ${n}`, async () => {
      const golden = ssvGolden(n)
      await startRelayer(3)
      await relayer.service.requestValidators(golden)
      const signers = await ssvNodes('11,42,350')
      await round(signers)
      expect((await relayer.service.listValidators()).map(({ isReady }) => isReady)).to.not.include(true)
      await round(signers, new Set(golden.map(({ deposit }) => deposit.vault)))
      await expectGolden(golden)
    })
  }

  it('make the exits that an operator of dialect 1 asks for, without one that may not sign the deposits', async () => {
    const golden = obolGolden('obol-4n3t-hoodi')
    await startRelayer(3)
    for (const { publicKey, deposit } of golden) world.deposits.set(publicKey, deposit)
    world.nextIndex = golden[0]?.validatorIndex ?? 0
    const keys = golden.map(({ publicKey }) => publicKey)
    await relayer.service.requestExits(keys)
    expect(await relayer.service.listValidators()).to.have.length(keys.length)
    const signers = await obolNodes('obol-4n3t-hoodi', '0,1,2,3')
    await round(signers.slice(3), new Set<Hex>([`0x${'cc'.repeat(20)}`]))
    await round(signers.slice(0, 3))
    const made = (await relayer.service.requestExits(keys)).map(
      ({ oracleShares, publicKey, validatorIndex }) =>
        oracleShares && combineParts(world.oracles, oracleShares, publicKey, validatorIndex),
    )
    expect(made[0]).to.equal(golden[0]?.exit)
    expect(made).to.have.length(2).and.not.include(null)
    const lines = await bench.auditLines()
    const deposits = lines.filter(({ reason }) => String(reason).startsWith('deposit'))
    expect(deposits.map(({ verdict, share_index }) => `${verdict} by ${share_index}`)).to.have.members([
      ...['signed by 1', 'signed by 1', 'signed by 2', 'signed by 2', 'signed by 3', 'signed by 3'],
      ...['refused by 4', 'refused by 4'],
    ])
  })
})
