import { expect } from 'chai'
import { type Hex, slice } from 'viem'
import { approvalsScene, missingOf, never } from './approvals-scene.js'
import { type OracleReplica, OTHER_CID, oracleAccount, PERIOD, signApproval } from './oracle-double.js'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

describe('the oracles’ approvals do not count', () => {
  const { serve, ofOne } = approvalsScene()

  const highS = (signature: Hex): Hex => {
    const s = ORDER - BigInt(slice(signature, 32, 64))
    const v = slice(signature, 64) === '0x1b' ? '1c' : '1b'
    return `${slice(signature, 0, 32)}${s.toString(16).padStart(64, '0')}${v}`
  }
  const wrong: Record<string, [(oracle: OracleReplica, deadline: number) => Promise<unknown>, string]> = {
    'over other validators': [
      (oracle, deadline) => oracle.signed({ deadline, validators: '0x1234' }),
      'its signature is not its own',
    ],
    'signed by somebody else': [
      async (oracle, deadline) => ({
        ...(await oracle.signed({ deadline })),
        signature: await signApproval(oracleAccount(77), { deadline }),
      }),
      'its signature is not its own',
    ],
    'with another content than was signed': [
      async (oracle, deadline) => ({ ...(await oracle.signed({ deadline })), ipfs_hash: OTHER_CID }),
      'its signature is not its own',
    ],
    'with another deadline than was signed': [
      async (oracle, deadline) => ({ ...(await oracle.signed({ deadline })), deadline: deadline - 1 }),
      'its signature is not its own',
    ],
    'with a later deadline than was asked for': [
      (oracle, deadline) => oracle.signed({ deadline: deadline + 1 }),
      'later than',
    ],
    'with a deadline that has passed': [
      (oracle, deadline) => oracle.signed({ deadline: deadline - PERIOD }),
      'has passed',
    ],
    'with s in the upper half': [
      async (oracle, deadline) => {
        const answer = await oracle.signed({ deadline })
        return { ...answer, signature: highS(answer.signature as Hex) }
      },
      'upper half',
    ],
    'with r on no point of the curve': [
      async (oracle, deadline) => ({
        ...(await oracle.signed({ deadline })),
        signature: `0x${'00'.repeat(31)}05${'00'.repeat(31)}011b`,
      }),
      'on no point',
    ],
    'with a signature of 64 bytes': [
      async (oracle, deadline) => ({
        ...(await oracle.signed({ deadline })),
        signature: `0x${'11'.repeat(64)}`,
      }),
      'expected 65 bytes',
    ],
    'with a text as deadline': [
      async (oracle, deadline) => ({ ...(await oracle.signed({ deadline })), deadline: `${deadline}` }),
      'deadline',
    ],
    'with a content that is no CID': [
      async (oracle, deadline) => oracle.signed({ deadline, ipfsHash: 'Qm\nforged line' }),
      'expected a CID',
    ],
    'that are an array': [async () => [], 'gave a wrong answer'],
  }
  for (const [what, [reply, said]] of Object.entries(wrong)) {
    it(what, async () => {
      const [good, bad] = await serve(1, 2)
      if (good === undefined || bad === undefined) throw new Error('no oracles')
      bad.reply = async (deadline) => ({ status: 200, body: await reply(bad, deadline) })
      const { missing, refusals } = missingOf(await ofOne([good, bad]).collect(2, never))
      expect(missing).to.match(/^1 of 2 approvals wanted: /)
      expect(missing).to.contain(said)
      expect(missing).not.to.contain('\n')
      expect(refusals).to.equal(0)
    })
  }
})
