import { expect } from 'chai'
import { concatHex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { RelayerClient } from '../../../core/clients/relayer.js'
import { type Hex, toHex } from '../../../core/hex.js'
import { parseJson, stringifyJson } from '../../../core/json.js'
import { loadNetwork } from '../../../core/network.js'
import { parseProtocolConfig } from '../../../core/oracles/protocol-config.js'
import { managerTypedData } from '../../../core/vault/signatures.js'
import { validatorBytes } from '../../../core/vault/validator-bytes.js'
import { Approvals } from '../../../operator/approvals/approvals.js'
import {
  type ApprovalSubject,
  approvalRequestBody,
  type RegistrationAuthority,
} from '../../../operator/approvals/request.js'
import { DepositDataTree } from '../../../operator/deposit-data/merkle.js'
import { createOracles, protocolConfigOf } from '../oracles.js'
import { type OracleFault, OracleServers } from './oracle-servers.js'
import { type MadeValidator, makeValidators, RelayerWithKeys } from './relayer-with-keys.js'

const hoodi = loadNetwork('hoodi')
const VAULT: Hex = `0x${'ba'.repeat(20)}`
const REGISTRY = hoodi.depositDataRegistry?.address ?? '0x'
const ROOT: Hex = `0x${'ab'.repeat(32)}`
const NEXT_INDEX = 1_234_567
const PERIOD = 3600
const NOW = 1_800_000_000
const never = new AbortController().signal

const oracles = createOracles(4, 3)
const account = privateKeyToAccount(generatePrivateKey())
const entries = makeValidators({ network: hoodi, vault: VAULT, count: 4 })
const compounding = makeValidators({
  network: hoodi,
  vault: VAULT,
  count: 2,
  type: '0x02',
  amount: 64_000_000_000n,
  prefix: 'compounding',
})
const tree = new DepositDataTree(
  entries.map(({ deposit }) => deposit),
  VAULT,
)
const POSITION = 1
const ofFile = entries.slice(POSITION, POSITION + 2)

type Fields = Record<string, unknown>

describe('the devnet’s oracles', () => {
  let relayer: RelayerWithKeys
  let servers: OracleServers
  let known: Set<Hex>
  let manager: () => Promise<Hex>
  let byProof: ApprovalSubject
  let byManager: ApprovalSubject
  let ofCompounding: ApprovalSubject

  before(async () => {
    const validators = [...entries, ...compounding]
    const nextIndex = async () => NEXT_INDEX
    relayer = await new RelayerWithKeys({ network: hoodi, oracles, validators, nextIndex }).listen()
    const { proof, proofFlags, leafPositions } = tree.prove([POSITION, POSITION + 1])
    byProof = await subjectOf(ofFile, () => ({
      kind: 'registry',
      proof,
      proofFlags,
      proofIndexes: leafPositions,
    }))
    byManager = await subjectOf(ofFile, (bytes) => signed(bytes, null))
    ofCompounding = await subjectOf(compounding, (bytes) =>
      signed(
        bytes,
        compounding.map(({ deposit }) => deposit.amount),
      ),
    )
  })

  after(() => relayer.close())

  beforeEach(async () => {
    known = new Set()
    manager = async () => REGISTRY
    servers = await OracleServers.start({
      network: hoodi,
      vault: VAULT,
      oracles,
      batchLimit: 2,
      validityPeriod: PERIOD,
      now: () => NOW * 1000,
      depositRoot: async () => ROOT,
      nextIndex: async () => NEXT_INDEX,
      isKnown: async (publicKey) => known.has(publicKey),
      manager: () => manager(),
      depositData: async () => ({ root: tree.root, position: POSITION }),
      replicas: 2,
    })
  })

  afterEach(() => servers.close())

  async function signed(validators: Hex, amounts: readonly bigint[] | null): Promise<RegistrationAuthority> {
    const message = { validatorsRegistryRoot: ROOT, validators }
    const signature = await account.signTypedData(managerTypedData(hoodi, VAULT, message))
    return { kind: 'manager', signature, amounts }
  }

  async function subjectOf(
    validators: readonly MadeValidator[],
    authorityOf: (bytes: Hex) => RegistrationAuthority | Promise<RegistrationAuthority>,
  ): Promise<ApprovalSubject> {
    const publicKeys = validators.map(({ deposit }) => deposit.publicKey)
    const bytes = concatHex(validators.map(({ type, deposit }) => validatorBytes(type, deposit)))
    const parts = await new RelayerClient(relayer.url).requestValidators(publicKeys)
    return {
      validatorIndex: NEXT_INDEX,
      vault: VAULT,
      validatorsRoot: ROOT,
      validators: bytes,
      publicKeys,
      depositSignatures: validators.map(({ deposit }) => deposit.signature),
      publicKeyShards: parts.map(({ oracleParts }) => oracleParts?.publicKeys ?? []),
      exitSignatureShards: parts.map(({ oracleParts }) => oracleParts?.encryptedExitSignatures ?? []),
      authority: await authorityOf(bytes),
    }
  }

  async function post(body: string, oracle = 0): Promise<{ status: number; text: string }> {
    const url = servers.endpoints[oracle]?.[0] ?? ''
    const response = await fetch(url, { method: 'POST', body })
    return { status: response.status, text: await response.text() }
  }

  /** The agent's own request, and with fields changed. */
  function bodyOf(subject: ApprovalSubject, change: (fields: Fields) => Fields = () => ({})): string {
    const fields = parseJson(approvalRequestBody(subject, BigInt(NOW + PERIOD))) as Fields
    return stringifyJson({ ...fields, ...change(fields) })
  }

  /** Posts to one oracle, and checks that it approved nothing. */
  async function refusal(body: string): Promise<string> {
    const { status, text } = await post(body)
    expect(status, text).to.equal(400)
    expect(servers.all.flatMap(({ approved }) => approved)).to.deep.equal([])
    expect(servers.refusals).to.have.length(1)
    expect(JSON.parse(text)).to.deep.equal([{ code: 400, message: servers.refusals[0] }])
    return servers.refusals[0] ?? ''
  }

  const approvalsOf = (subject: ApprovalSubject) => {
    const text = protocolConfigOf(oracles, { endpoints: servers.endpoints, validityPeriod: PERIOD })
    const clock = { now: () => NOW * 1000, sleep: async () => undefined }
    return new Approvals(subject, parseProtocolConfig(JSON.parse(text), 'test'), { network: hoodi, clock })
  }

  for (const [what, subject, named] of [
    ['entries of the deposit data', () => byProof, async () => REGISTRY],
    ['entries of a vault of version 1', () => byProof, () => Promise.reject(new Error('execution reverted'))],
    ['validators that the manager signed', () => byManager, async () => account.address],
    ['compounding validators that the manager signed', () => ofCompounding, async () => account.address],
  ] as const) {
    it(`approve ${what}, all of them the same, and can make the exits then`, async () => {
      manager = named
      expect(servers.recoverableExits()).to.deep.equal([])
      const outcome = await approvalsOf(subject()).collect(4, never)
      expect(outcome).to.have.property('approved')
      expect(servers.refusals).to.deep.equal([])
      expect(servers.recoverableExits()).to.deep.equal(
        subject().publicKeys.map((publicKey, i) => ({
          publicKey,
          validatorIndex: NEXT_INDEX + i,
          holders: 4,
        })),
      )
    })
  }

  it('cannot make an exit from the parts of fewer than the threshold', async () => {
    for (const oracle of [0, 3]) expect((await post(bodyOf(byProof), oracle)).status).to.equal(200)
    expect(servers.recoverableExits()).to.deep.equal([])
    await post(bodyOf(byProof), 1)
    expect(servers.recoverableExits()).to.have.length(2)
  })

  it('have several replicas each, any of which answers for its oracle', async () => {
    expect(servers.endpoints.map(({ length }) => length)).to.deep.equal([2, 2, 2, 2])
    for (const server of servers.all.filter((_, i) => i % 2 === 0)) server.faults.down = true
    expect(await approvalsOf(byProof).collect(4, never)).to.have.property('approved')
  })

  for (const fault of ['bad-signature', 'other-cid', 'other-deadline'] as const satisfies OracleFault[]) {
    it(`with the fault ${fault} do not count`, async () => {
      servers.first(1, (server) => Object.assign(server, { wrong: fault }))
      expect(await approvalsOf(byProof).collect(4, never)).to.have.property('missing')
      expect(await approvalsOf(byProof).collect(3, never)).to.have.property('approved')
    })
  }

  const other = (hex: unknown): string => String(hex).replace(/.$/, (digit) => (digit === '1' ? '2' : '1'))
  const invertCase = (address: string): string =>
    address.replace(/[a-f]/gi, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    )
  const swapped = (list: unknown): unknown[] => (list as unknown[]).toReversed()
  const first = (list: unknown, change: (item: unknown) => unknown): unknown[] =>
    (list as unknown[]).map((item, i) => (i === 0 ? change(item) : item))

  const wrong: readonly [string, (fields: Fields) => Fields, RegExp][] = [
    ['an unknown field', () => ({ amounts: null }), /unexpected shape.*amounts/],
    ['a missing field', () => ({ proof_flags: undefined }), /unexpected shape: proof_flags/],
    ['a deadline as text', ({ deadline }) => ({ deadline: String(deadline) }), /unexpected shape: deadline/],
    [
      'a key without 0x',
      ({ public_keys }) => ({ public_keys: first(public_keys, (key) => String(key).slice(2)) }),
      /unexpected shape: public_keys\.0: expected 48 bytes in lowercase hex with 0x/,
    ],
    [
      'a vault with a wrong checksum',
      ({ vault_address }) => ({ vault_address: invertCase(String(vault_address)) }),
      /unexpected shape: vault_address: expected an address/,
    ],
    ['no key', () => ({ public_keys: [] }), /unexpected shape: public_keys/],
    [
      'a list that is too short',
      ({ deposit_signatures }) => ({ deposit_signatures: (deposit_signatures as unknown[]).slice(1) }),
      /1 deposit_signatures for 2 public_keys/,
    ],
    ['another vault', () => ({ vault_address: `0x${'77'.repeat(20)}` }), /unknown vault/],
    [
      'a key twice',
      ({ public_keys }) => ({ public_keys: (public_keys as unknown[]).map(() => `0x${'11'.repeat(48)}`) }),
      /asked for twice/,
    ],
    ['a deadline that has passed', () => ({ deadline: NOW }), /the deadline has passed/],
    ['a deadline that is too far', () => ({ deadline: NOW + PERIOD + 1 }), /the deadline is too far/],
    [
      'another root',
      ({ validators_root }) => ({ validators_root: other(validators_root) }),
      /validators_root is not 0xab/,
    ],
    ['an index too low', () => ({ validator_index: NEXT_INDEX - 1 }), /validator_index is not 1234567/],
    ['an index too high', () => ({ validator_index: NEXT_INDEX + 1 }), /validator_index is not 1234567/],
    [
      'each other’s deposit signatures',
      ({ deposit_signatures }) => ({ deposit_signatures: swapped(deposit_signatures) }),
      /the deposit signature of 0x.* is wrong/,
    ],
    [
      'a proof that is too short',
      ({ proof }) => ({ proof: (proof as unknown[]).slice(1) }),
      /does not fit the vault's deposit data/,
    ],
    [
      'a proof of other nodes',
      ({ proof }) => ({ proof: first(proof, other) }),
      /does not fit the vault's deposit data/,
    ],
    [
      'leaves at later positions',
      ({ proof_indexes }) => ({ proof_indexes: (proof_indexes as number[]).map((index) => index + 1) }),
      /does not fit the vault's deposit data/,
    ],
    [
      'a leaf twice',
      ({ proof_indexes }) => ({ proof_indexes: first(proof_indexes, () => (proof_indexes as number[])[1]) }),
      /proof_indexes repeats a position/,
    ],
    [
      'another public key’s shards',
      ({ public_key_shards }) => ({ public_key_shards: swapped(public_key_shards) }),
      /the public key shards of 0x.* do not make it/,
    ],
    [
      'one shard of another key, beyond the threshold',
      ({ public_key_shards }) => ({
        public_key_shards: first(public_key_shards, (shards) => [
          ...(shards as unknown[]).slice(0, -1),
          ofFile[0]?.deposit.publicKey,
        ]),
      }),
      /do not make it/,
    ],
    [
      'a shard that is no point',
      ({ public_key_shards }) => ({
        public_key_shards: first(public_key_shards, (shards) =>
          first(shards, () => toHex(new Uint8Array(48))),
        ),
      }),
      /the exit signature's part of 0x/,
    ],
    [
      'too few shards',
      ({ public_key_shards }) => ({
        public_key_shards: first(public_key_shards, (shards) => (shards as unknown[]).slice(1)),
      }),
      /has 3 public key shards/,
    ],
    [
      'too few parts',
      ({ exit_signature_shards }) => ({
        exit_signature_shards: first(exit_signature_shards, (parts) => (parts as unknown[]).slice(0, -1)),
      }),
      /has 3 exit signature shards/,
    ],
    [
      'parts sealed for each other’s oracles',
      ({ exit_signature_shards }) => ({ exit_signature_shards: first(exit_signature_shards, swapped) }),
      /the exit signature's part of 0x/,
    ],
    [
      'exits of each other’s validators',
      ({ exit_signature_shards }) => ({ exit_signature_shards: swapped(exit_signature_shards) }),
      /does not verify under its public key share/,
    ],
  ]
  for (const [what, change, reason] of wrong) {
    it(`refuse ${what}`, async () => {
      expect(await refusal(bodyOf(byProof, change))).to.match(reason)
    })
  }

  it('refuse what is not JSON', async () => {
    expect(await refusal('{"validator_index": ')).to.match(/^not JSON/)
  })

  it('refuse more validators than the batch limit', async () => {
    const three = await subjectOf(entries.slice(POSITION), (bytes) => signed(bytes, null))
    expect(await refusal(bodyOf(three))).to.equal('more than 2 validators')
  })

  it('refuse a key that was deposited before', async () => {
    const [, second] = byProof.publicKeys
    known.add(second ?? '0x')
    expect(await refusal(bodyOf(byProof))).to.equal(`${second} was deposited before`)
  })

  it('refuse entries that are not the next of the deposit data', async () => {
    const { proof, proofFlags, leafPositions } = tree.prove([2, 3])
    const later = await subjectOf(entries.slice(2), () => ({
      kind: 'registry',
      proof,
      proofFlags,
      proofIndexes: leafPositions,
    }))
    expect(await refusal(bodyOf(later))).to.match(/does not fit the vault's deposit data from position 1 on/)
  })

  it('refuse exits that were signed for another index', async () => {
    const late = await OracleServers.start({
      network: hoodi,
      vault: VAULT,
      oracles,
      batchLimit: 2,
      validityPeriod: PERIOD,
      now: () => NOW * 1000,
      depositRoot: async () => ROOT,
      nextIndex: async () => NEXT_INDEX + 1,
      isKnown: async () => false,
      manager: async () => account.address,
      depositData: async () => ({ root: tree.root, position: POSITION }),
    })
    try {
      const body = bodyOf(byManager, () => ({ validator_index: NEXT_INDEX + 1 }))
      const response = await fetch(late.endpoints[0]?.[0] ?? '', { method: 'POST', body })
      expect(response.status).to.equal(400)
      expect(late.refusals[0]).to.match(/does not verify under its public key share/)
    } finally {
      await late.close()
    }
  })

  it('refuse a proof where the vault has a validators manager', async () => {
    manager = async () => account.address
    expect(await refusal(bodyOf(byProof))).to.match(/wants the signature of its validators manager/)
  })

  it('refuse a manager’s signature where the registry is the validators manager', async () => {
    expect(await refusal(bodyOf(byManager))).to.match(/not by the validators manager/)
  })

  it('refuse the signature of somebody else than the manager', async () => {
    const other = privateKeyToAccount(generatePrivateKey()).address
    manager = async () => other
    expect(await refusal(bodyOf(byManager))).to.include(
      `by ${account.address}, not by the validators manager`,
    )
  })

  it('refuse the manager’s signature over other validators', async () => {
    manager = async () => account.address
    const { authority } = await subjectOf(ofFile.slice(0, 1), (bytes) => signed(bytes, null))
    expect(await refusal(bodyOf({ ...byManager, authority }))).to.include('not by the validators manager')
  })

  it('refuse a malformed manager’s signature', async () => {
    manager = async () => account.address
    const body = bodyOf(byManager, () => ({ validators_manager_signature: `0x${'ff'.repeat(65)}` }))
    expect(await refusal(body)).to.match(/validators_manager_signature is malformed/)
  })

  it('refuse amounts that the deposits were not signed for', async () => {
    manager = async () => account.address
    for (const [i, amounts] of [[64_000_000_000, 63_000_000_000], null].entries()) {
      const { status } = await post(bodyOf(ofCompounding, () => ({ amounts })))
      expect(status).to.equal(400)
      expect(servers.refusals[i]).to.match(/the deposit signature of 0x.* is wrong/)
    }
  })
})
