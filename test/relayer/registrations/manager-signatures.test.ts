import { expect } from 'chai'
import { concatHex, numberToHex } from 'viem'
import type { Hex, PublicKeyHex } from '../../../core/hex.js'
import { parseJson } from '../../../core/json.js'
import { type ValidatorType, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { validatorBytes } from '../../../core/vault/validator-bytes.js'
import { managerSignatureAnswer, registerAnswer } from '../../../core/wire/dialect4.js'
import { comparable, readRecording } from '../../doubles/wire-recordings.js'
import { fourNodeValidators } from '../clusters.js'
import { OperatorSide, OTHER_VAULT, VAULT } from './operator-side.js'

const validators = fourNodeValidators.slice(0, 3)
const [A, B, C] = validators.map(({ validator }) => validator.publicKey)
if (A === undefined || B === undefined || C === undefined) throw new Error('the recordings have validators')
const ETH = 1_000_000_000

describe('POST /fund, /withdraw and /consolidate', () => {
  let side: OperatorSide
  beforeEach(async () => {
    side = new OperatorSide({ validators })
    await side.start()
  })
  afterEach(() => side.stop())

  const are = (type: ValidatorType, vault: Hex, ...publicKeys: readonly PublicKeyHex[]) => {
    for (const key of publicKeys) side.registry.set(key, withdrawalCredentials(type, vault))
  }
  /** Expects the manager's signature over the nonce and these bytes. */
  const expectSigned = async (path: string, body: unknown, bytes: Hex) => {
    const { status, text, body: answer } = await side.ask(path, body)
    expect(status, text).to.equal(200)
    const nonce = numberToHex(side.nonce, { size: 32 })
    const signer = await side.signer(answer.validators_manager_signature, nonce, bytes)
    expect(signer).to.equal(side.manager.address)
  }
  const expectRefused = async (path: string, body: unknown, status: number, reason: RegExp) => {
    const { status: found, text } = await side.ask(path, body)
    expect([found, reason.test(text)], text).to.deep.equal([status, true])
    expect(text).not.to.match(/manager_signature/)
  }
  const amounts = (publicKeys: readonly PublicKeyHex[], gwei: readonly number[]) => ({
    vault: VAULT,
    public_keys: publicKeys,
    amounts: gwei,
  })
  const pairs = (...some: readonly (readonly [PublicKeyHex, PublicKeyHex])[]) => ({
    vault: VAULT,
    source_public_keys: some.map(([source]) => source),
    target_public_keys: some.map(([, target]) => target),
  })

  it('sign top-ups of compounding validators without their signatures', async () => {
    are('0x02', VAULT, A, B)
    const bytes = [A, B].map((publicKey, i) =>
      validatorBytes('0x02', {
        publicKey,
        amount: BigInt((i + 1) * ETH),
        withdrawalCredentials: withdrawalCredentials('0x02', VAULT),
        signature: `0x${'00'.repeat(96)}`,
      }),
    )
    await expectSigned('/fund', amounts([A, B], [ETH, 2 * ETH]), concatHex(bytes))
  })

  it('sign withdrawals and exits of validators of either type, each over the nonce of now', async () => {
    are('0x01', VAULT, A)
    are('0x02', VAULT, B)
    const bytes = concatHex([A, numberToHex(0, { size: 8 }), B, numberToHex(5, { size: 8 })])
    await expectSigned('/withdraw', amounts([A, B], [0, 5]), bytes)
    side.nonce = 2n ** 200n
    await expectSigned('/withdraw', amounts([A, B], [0, 5]), bytes)
  })

  it('sign consolidations within the vault, and into itself', async () => {
    are('0x01', VAULT, A, B)
    are('0x02', VAULT, C)
    await expectSigned('/consolidate', pairs([A, C], [B, B]), concatHex([A, C, B, B]))
  })

  it('sign nothing about a validator that is not the vault’s by the beacon node, targets included', async () => {
    are('0x02', VAULT, A)
    are('0x02', OTHER_VAULT, B)
    await expectRefused('/fund', amounts([A, B], [ETH, ETH]), 409, /withdrawal credentials/)
    await expectRefused('/withdraw', amounts([A, B], [0, 0]), 409, /withdrawal credentials/)
    await expectRefused('/consolidate', pairs([B, A]), 409, /withdrawal credentials/)
    await expectRefused('/consolidate', pairs([A, B]), 409, /withdrawal credentials/)
    await expectRefused('/withdraw', amounts([C], [0]), 409, /no validator/)
    are('0x01', VAULT, C)
    await expectRefused('/fund', amounts([C], [ETH]), 409, /withdrawal credentials/)
    await expectRefused('/consolidate', pairs([A, C]), 409, /withdrawal credentials/)
    side.registry.set(C, `0x00${'ab'.repeat(31)}`)
    await expectRefused('/withdraw', amounts([C], [0]), 409, /withdrawal credentials/)
  })

  it('sign nothing for a vault that is not configured, or that another manages, or without the key', async () => {
    are('0x02', VAULT, A)
    const foreign: Hex = `0x${'dd'.repeat(20)}`
    await expectRefused('/withdraw', { ...amounts([A], [0]), vault: foreign }, 403, /VAULTS/)
    side.storedManager = `0x${'77'.repeat(20)}`
    await expectRefused('/withdraw', amounts([A], [0]), 409, /validators manager/)
    await side.stop()
    side.hasKey = false
    await side.start()
    await expectRefused('/withdraw', amounts([A], [0]), 403, /VALIDATORS_MANAGER_KEY_FILE/)
  })

  it('refuse what no contract takes, and more than fits', async () => {
    are('0x02', VAULT, A)
    await expectRefused('/fund', amounts([A], [ETH - 1]), 422, /999999999/)
    const many = amounts(Array(22).fill(A), Array(22).fill(ETH))
    await expectRefused('/fund', many, 422, /22/)
    await expectRefused('/fund', amounts([A, A], [ETH]), 422, /amounts/)
    await expectRefused('/withdraw', amounts(Array(1001).fill(A), Array(1001).fill(0)), 413, /1001/)
    await expectRefused('/consolidate', { ...pairs([A, A]), target_public_keys: [] }, 422, /target/)
    await expectRefused('/consolidate', pairs(...Array(1001).fill([A, A])), 413, /1001/)
  })

  it('leave a row with who asked for what, and a line that shows no signature', async () => {
    are('0x02', VAULT, A, B)
    await side.ask('/fund', amounts([A], [ETH]))
    await side.ask('/withdraw', amounts([A], [0]))
    await side.ask('/consolidate', pairs([A, B]))
    await side.ask('/withdraw', amounts([C], [0]))
    const rows = await side.audited()
    expect(
      rows.map(({ noted_at: _, vault, ...row }) => ({ ...row, isVault: vault === VAULT })),
    ).to.deep.equal(
      [
        ['fund', 'signed', `[{"publicKey":"${A}","amount":${ETH}}]`],
        ['withdraw', 'signed', `[{"publicKey":"${A}","amount":0}]`],
        ['consolidate', 'signed', `[{"publicKey":"${A}","target":"${B}"}]`],
        ['withdraw', 'FOREIGN_VALIDATOR', `[{"publicKey":"${C}","amount":0}]`],
      ].map(([call, outcome, items]) => ({ caller: 'vault-operator', call, outcome, items, isVault: true })),
    )
    const lines = side.log.lines.filter((line) => line.includes('"audit":true'))
    expect(lines).to.have.length(4)
    expect(lines.every((line) => line.includes('vault-operator') && !/0x[0-9a-f]{96}/.test(line))).to.equal(
      true,
    )
  })
})

describe('the recorded requests of the Python operator v4.2', () => {
  it('are answered in the form that it reads', async () => {
    const side = new OperatorSide({ validators })
    side.world.nextIndex = 1_234_567
    for (const name of ['aa', 'ab']) {
      side.registry.set(`0x${name.repeat(48)}`, withdrawalCredentials('0x02', VAULT))
    }
    await side.start()
    try {
      for (const { request, response } of readRecording('operator-v4.2-relayer-client')) {
        const { path, body } = comparable(request)
        if (path === '/info') {
          expect(await side.get(path)).to.deep.equal({
            network: 'hoodi',
            validators_manager_address: side.manager.address.toLowerCase(),
          })
          continue
        }
        const sent = request.body ?? ''
        const { status, text } = await side.ask(path, sent)
        expect(status, `${path} ${text}`).to.equal(200)
        if (path !== '/register') {
          expect(managerSignatureAnswer.parse(parseJson(text)).validators_manager_signature).to.be.a('string')
          expect(Object.keys(JSON.parse(text))).to.deep.equal(Object.keys(response.body as object))
          continue
        }
        await side.sign()
        const ready = (await side.ask(path, sent)).text
        const recorded = response.body as { validators: object[] }
        const answer = JSON.parse(ready) as { validators: Record<string, unknown>[] }
        expect(Object.keys(answer)).to.deep.equal(Object.keys(recorded))
        for (const item of answer.validators) {
          expect(Object.keys(item)).to.deep.equal(Object.keys(recorded.validators[0] ?? {}))
          expect(item['exit_signature']).to.equal(null)
        }
        const { amounts } = body as { amounts: number[] }
        expect(answer.validators.map(({ amount }) => amount)).to.deep.equal(amounts)
        const parsed = registerAnswer.parse(parseJson(ready))
        expect(parsed.validators_manager_signature).to.be.a('string')
      }
    } finally {
      await side.stop()
    }
  })
})
