import { expect } from 'chai'
import { bls } from '../../../core/bls/backend.js'
import { rememberedChecks, type Verdicts } from '../../../core/clusters/ssv-checks.js'
import { decodeSsvEvent } from '../../../core/clusters/ssv-events.js'
import {
  decide,
  emptySsvState,
  evolve,
  type SsvState,
  type Viewpoint,
} from '../../../core/clusters/ssv-rules.js'
import { fromHex, type Hex, type PublicKeyHex, toHex } from '../../../core/hex.js'
import { decryptWith, EXPECTED, LOGS, logAt, OPERATOR_IDS, operatorPrivateKey } from './ssv-fixture.js'

const verdicts: Verdicts[] = LOGS.map(() => ({}))
const operator = (id: bigint): Viewpoint => ({
  operatorId: id,
  decryptShare: decryptWith(operatorPrivateKey(id)),
})

/** The effects of some of the logs, in order, and the state after them. */
function replay(viewpoint: Viewpoint, positions: readonly number[], checks = verdicts) {
  const state = emptySsvState()
  const effects = positions.map((i) => {
    const event = decodeSsvEvent(logAt(i))
    if (event === undefined) return 'ignored'
    const outcome = decide(state, event, viewpoint, rememberedChecks(checks[i] ?? {}))
    evolve(state, outcome.changes)
    return outcome.effect
  })
  return { state, effects }
}

const ALL = LOGS.map((_, i) => i)
const OPERATORS = ALL.slice(0, 10)
const recorded = (nonces: SsvState['nonces']) => Object.fromEntries(nonces)
const lower = (nonces: Record<Hex, number>) =>
  Object.fromEntries(Object.entries(nonces).map(([owner, nonce]) => [owner.toLowerCase(), nonce]))
const [OWNER_A = '0x', OWNER_B = '0x', OWNER_C = '0x'] = Object.keys(EXPECTED.ownerNonces).map(
  (owner) => owner.toLowerCase() as Hex,
)
const V0: PublicKeyHex = EXPECTED.validators[0]?.publicKey ?? '0x'

describe('the SSV rules', () => {
  for (const id of OPERATOR_IDS) {
    it(`give every recorded event its effect on operator ${id}, and the operator its final keys`, () => {
      const { state, effects } = replay(operator(id), ALL)
      for (const [i, { effect }] of EXPECTED.events.entries()) {
        const expected = Object.keys(effect).find((reason) => effect[reason]?.includes(Number(id)))
        expect(effects[i], `event ${i}`).to.equal(expected)
      }
      const final = EXPECTED.finalByOperator[String(id)] ?? {}
      expect([...state.validators.keys()]).to.have.members(Object.keys(final))
      for (const [publicKey, key] of Object.entries(final)) {
        const validator = state.validators.get(publicKey as PublicKeyHex)
        expect(validator?.owner).to.equal(key.owner.toLowerCase())
        expect(validator?.ownerNonce).to.equal(key.ownerNonce)
        expect(validator?.threshold).to.equal(3)
        expect([...(validator?.shares.keys() ?? [])].map(Number)).to.deep.equal(key.operatorIds)
        expect(validator?.shares.get(id)).to.equal(key.sharePublicKey)
        expect(validator?.usable).to.equal(key.sharesInterpolateToPublicKey)
        const secret = validator?.secret?.reveal()
        if (secret === undefined) throw new Error('no key share')
        const message = new Uint8Array(32).fill(7)
        const expectedSecret = bls.decodeSecretKey(fromHex(key.shareSecretKey, 32))
        expect(toHex(bls.encodeSignature(bls.sign(secret, message)))).to.equal(
          toHex(bls.encodeSignature(bls.sign(expectedSecret, message))),
        )
      }
      expect(recorded(state.nonces)).to.deep.equal(lower(EXPECTED.ownerNonces))
    })
  }

  it('give a relayer the public shares of its owners without any key, also where one ciphertext is bad', () => {
    const { state, effects } = replay({ owners: new Set([OWNER_B]) }, ALL)
    expect([...state.validators.values()].map(({ usable }) => usable)).to.deep.equal([true, true, false])
    expect([...state.validators.values()].every(({ secret }) => secret === undefined)).to.equal(true)
    expect(effects[12]).to.equal('other cluster')
    expect(effects[16]).to.equal('added')
    expect(recorded(state.nonces)).to.deep.equal(lower(EXPECTED.ownerNonces))
  })

  it('count only the named owners for an operator that names some', () => {
    const { state } = replay({ ...operator(11n), owners: new Set([OWNER_C]) }, ALL)
    expect([...state.validators.values()].map(({ owner }) => owner)).to.deep.equal([OWNER_C])
  })

  it('name the later nonce that a signature is for, and only then', () => {
    const state = replay(operator(11n), OPERATORS).state
    const later = (i: number) => {
      const event = decodeSsvEvent(logAt(i))
      if (event === undefined) throw new Error('no event')
      return decide(state, event, operator(11n), rememberedChecks({})).laterNonce
    }
    expect(later(12)).to.equal(1)
    expect(later(13)).to.equal(2)
    expect(later(23)).to.equal(7)
    expect(later(15)).to.equal(undefined)
    expect(later(19)).to.equal(undefined)
  })

  it('change nothing while deciding', () => {
    const { state } = replay(operator(11n), ALL.slice(0, 12))
    const event = decodeSsvEvent(logAt(12))
    if (event === undefined) throw new Error('no event')
    for (let time = 0; time < 2; time++) {
      expect(decide(state, event, operator(11n), rememberedChecks({})).effect).to.equal('added')
    }
    expect(state.validators.size).to.equal(0)
    expect(state.nonces.get(OWNER_A)).to.equal(1)
  })

  it('keep the first shares of a validator that the same owner registers again', () => {
    const { state } = replay(operator(11n), ALL.slice(0, 13))
    const event = decodeSsvEvent(logAt(12))
    if (event?.name !== 'ValidatorAdded') throw new Error('no event')
    const outcome = decide(state, event, operator(11n), {
      signedNonce: (_event, _signature, counted) => counted,
      sharesBelongTogether: () => true,
    })
    expect(outcome.effect).to.equal('skipped: validator known already')
    expect(outcome.changes).to.deep.equal([{ kind: 'nonce-used', owner: OWNER_A }])
    evolve(state, outcome.changes)
    expect(state.validators.get(V0)?.ownerNonce).to.equal(1)
  })

  it('refuse other numbers of operators, operators given twice and operators that are unknown', () => {
    const { state } = replay(operator(11n), OPERATORS)
    const event = decodeSsvEvent(logAt(12))
    if (event?.name !== 'ValidatorAdded') throw new Error('no event')
    const effectWith = (operatorIds: bigint[]) =>
      decide(state, { ...event, operatorIds }, operator(11n), rememberedChecks({})).effect
    expect(effectWith([11n, 27n, 42n])).to.equal('skipped: 3 operators')
    expect(effectWith([11n, 11n, 42n, 350n])).to.equal('skipped: duplicate operators')
    expect(effectWith([11n, 27n, 42n, 999n])).to.equal('skipped: unknown operator 999')
    evolve(state, [{ kind: 'operator-removed', id: 350n }])
    expect(effectWith([11n, 27n, 42n, 350n])).to.equal('skipped: unknown operator 350')
  })

  it('let the key of a removed operator be registered again', () => {
    const { state } = replay(operator(11n), OPERATORS)
    const again = {
      name: 'OperatorAdded',
      id: 999n,
      publicKey: EXPECTED.operators['11']?.publicKeyBase64,
    } as const
    const effect = () => decide(state, again, operator(11n), rememberedChecks({})).effect
    expect(effect()).to.equal('ignored: operator public key already registered')
    evolve(state, [{ kind: 'operator-removed', id: 11n }])
    expect(effect()).to.equal('operator added')
    const unknown = { name: 'OperatorRemoved', id: 11n } as const
    expect(decide(state, unknown, operator(11n), rememberedChecks({})).effect).to.equal(
      'ignored: operator unknown',
    )
  })
})
