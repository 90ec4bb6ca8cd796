import { expect } from 'chai'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { ApprovalSubject } from '../../../operator/approvals/request.js'
import {
  bodyOf,
  COMPOUNDING,
  ENTRIES,
  type Fields,
  MANAGER,
  NEXT_INDEX,
  NOW,
  PERIOD,
  POSITION,
  post,
  REGISTRY,
  type SeenChain,
  Subjects,
  startOracles,
} from './oracle-scene.js'
import type { OracleServers } from './oracle-servers.js'

type Change = (fields: Fields) => Fields

const other = (hex: unknown): string => String(hex).replace(/.$/, (digit) => (digit === '1' ? '2' : '1'))
const invertCase = (address: unknown): string =>
  String(address).replace(/[a-f]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  )

/** Changes a list of the request. */
const list =
  (field: string, change: (items: unknown[]) => unknown[]): Change =>
  (fields) => ({ [field]: change(fields[field] as unknown[]) })
/** Changes the list that a list of the request has for the first validator. */
const inner = (field: string, change: (items: unknown[]) => unknown[]): Change =>
  list(field, ([first, ...rest]) => [change(first as unknown[]), ...rest])
const reversed = (items: unknown[]) => items.toReversed()
const withoutFirst = (items: unknown[]) => items.slice(1)

const SHAPES: readonly [string, Change, RegExp][] = [
  ['an unknown field', () => ({ amounts: null }), /unexpected shape.*amounts/],
  ['a missing field', () => ({ proof_flags: undefined }), /unexpected shape: proof_flags/],
  ['a deadline as text', () => ({ deadline: String(NOW + 1) }), /unexpected shape: deadline/],
  [
    'a key without 0x',
    list('public_keys', (keys) => keys.map((key) => String(key).slice(2))),
    /unexpected shape: public_keys\.0: expected 48 bytes in lowercase hex with 0x/,
  ],
  [
    'a vault with a wrong checksum',
    ({ vault_address }) => ({ vault_address: invertCase(vault_address) }),
    /unexpected shape: vault_address: expected an address/,
  ],
  ['no key', () => ({ public_keys: [] }), /unexpected shape: public_keys/],
  [
    'a list that is too short',
    list('deposit_signatures', withoutFirst),
    /1 deposit_signatures for 2 public_keys/,
  ],
]

const BATCHES: readonly [string, Change, RegExp][] = [
  ['another vault', () => ({ vault_address: `0x${'77'.repeat(20)}` }), /unknown vault/],
  ['a key twice', list('public_keys', ([key]) => [key, key]), /asked for twice/],
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
    list('deposit_signatures', reversed),
    /the deposit signature of 0x.* is wrong/,
  ],
]

const PROOFS: readonly [string, Change][] = [
  ['that is too short', list('proof', withoutFirst)],
  ['of other nodes', list('proof', ([first, ...rest]) => [other(first), ...rest])],
  ['with other flags', list('proof_flags', (flags) => flags.map((flag) => flag !== true))],
  ['of later positions', list('proof_indexes', (indexes) => indexes.map((index) => Number(index) + 1))],
]

const EXITS: readonly [string, Change, RegExp][] = [
  [
    'another key’s shards',
    list('public_key_shards', reversed),
    /the public key shards of 0x.* do not make it/,
  ],
  [
    'a shard of another key beyond the threshold',
    inner('public_key_shards', (shards) => [...shards.slice(0, -1), ENTRIES[0]?.deposit.publicKey]),
    /the public key shards of 0x.* do not make it/,
  ],
  [
    'a shard that is no point',
    inner('public_key_shards', ([, ...rest]) => [`0x${'00'.repeat(48)}`, ...rest]),
    /the exit signature's part of 0x/,
  ],
  ['too few shards', inner('public_key_shards', withoutFirst), /has 3 public key shards/],
  [
    'too few parts',
    inner('exit_signature_shards', (parts) => parts.slice(0, -1)),
    /has 3 exit signature shards/,
  ],
  [
    'parts that are sealed for each other’s oracles',
    inner('exit_signature_shards', reversed),
    /the exit signature's part of 0x/,
  ],
  [
    'each other’s exits',
    list('exit_signature_shards', reversed),
    /does not verify under its public key share/,
  ],
]

describe('the devnet’s oracles refuse', () => {
  let subjects: Subjects
  let byProof: ApprovalSubject
  let byManager: ApprovalSubject
  let ofCompounding: ApprovalSubject
  let chain: SeenChain
  let servers: OracleServers

  before(async () => {
    subjects = await Subjects.start()
    byProof = await subjects.byProof(POSITION, 2)
    byManager = await subjects.byManager(ENTRIES.slice(POSITION, POSITION + 2))
    ofCompounding = await subjects.byManager(COMPOUNDING)
  })

  after(() => subjects.close())

  beforeEach(async () => {
    chain = { manager: async () => REGISTRY, nextIndex: NEXT_INDEX, known: new Set() }
    servers = await startOracles(chain)
  })

  afterEach(() => servers.close())

  /** Why the first oracle refuses a request. It approves nothing then. */
  async function refusal(body: string): Promise<string> {
    expect(await post(servers, body)).to.equal(400)
    expect(servers.all.flatMap(({ approved }) => approved)).to.deep.equal([])
    expect(servers.refusals).to.have.length(1)
    return servers.refusals.join()
  }

  for (const [what, change, reason] of [...SHAPES, ...BATCHES, ...EXITS]) {
    it(what, async () => {
      expect(await refusal(bodyOf(byProof, change))).to.match(reason)
    })
  }

  for (const [what, change] of PROOFS) {
    it(`a proof ${what}`, async () => {
      expect(await refusal(bodyOf(byProof, change))).to.match(/^the proof does not fit/)
    })
  }

  it('a leaf twice', async () => {
    const change = list('proof_indexes', ([, last]) => [last, last])
    expect(await refusal(bodyOf(byProof, change))).to.equal('proof_indexes repeats a position')
  })

  it('entries that are not the next of the deposit data', async () => {
    const later = await subjects.byProof(POSITION + 1, 2)
    expect(await refusal(bodyOf(later))).to.match(/^the proof does not fit .* from position 1 on/)
  })

  it('what is not JSON', async () => {
    expect(await refusal('{"validator_index": ')).to.match(/^not JSON/)
  })

  it('more validators than the batch limit', async () => {
    const three = await subjects.byManager(ENTRIES.slice(POSITION))
    expect(await refusal(bodyOf(three))).to.equal('more than 2 validators')
  })

  it('a key that was deposited before', async () => {
    const [, second = '0x'] = byProof.publicKeys
    chain.known.add(second)
    expect(await refusal(bodyOf(byProof))).to.equal(`${second} was deposited before`)
  })

  it('exits that were signed for another index', async () => {
    chain.nextIndex += 1
    const change = () => ({ validator_index: NEXT_INDEX + 1 })
    expect(await refusal(bodyOf(byProof, change))).to.match(/does not verify under its public key share/)
  })

  it('a proof where the vault has a validators manager', async () => {
    chain.manager = async () => MANAGER.address
    expect(await refusal(bodyOf(byProof))).to.match(/wants the signature of its validators manager/)
  })

  it('a manager’s signature where the registry is the validators manager', async () => {
    expect(await refusal(bodyOf(byManager))).to.include('not by the validators manager')
  })

  it('the signature of somebody else than the manager', async () => {
    const somebody = privateKeyToAccount(generatePrivateKey()).address
    chain.manager = async () => somebody
    const reason = `by ${MANAGER.address}, not by the validators manager`
    expect(await refusal(bodyOf(byManager))).to.include(reason)
  })

  it('the manager’s signature over other validators', async () => {
    chain.manager = async () => MANAGER.address
    const { authority } = await subjects.byManager(ENTRIES.slice(POSITION, POSITION + 1))
    expect(await refusal(bodyOf({ ...byManager, authority }))).to.include('not by the validators manager')
  })

  it('a malformed manager’s signature', async () => {
    chain.manager = async () => MANAGER.address
    const change = () => ({ validators_manager_signature: `0x${'ff'.repeat(65)}` })
    expect(await refusal(bodyOf(byManager, change))).to.match(/^validators_manager_signature is malformed/)
  })

  for (const [what, amounts] of [
    ['other amounts than the deposits’', [64_000_000_000, 63_000_000_000]],
    ['no amounts of compounding validators', null],
  ] as const) {
    it(what, async () => {
      chain.manager = async () => MANAGER.address
      const body = bodyOf(ofCompounding, () => ({ amounts }))
      expect(await refusal(body)).to.match(/^the deposit signature of 0x.* is wrong$/)
    })
  }
})
