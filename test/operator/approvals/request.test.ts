import { expect } from 'chai'
import { approvalRequestBody } from '../../../operator/approvals/request.js'
import { SUBJECT } from './oracle-double.js'

const COMMON = {
  validator_index: 1_234_567,
  vault_address: '0xba447498DC4c169f2b4f427B2c4D532320457E89',
  validators_root: `0x${'ab'.repeat(32)}`,
  public_keys: [`0x${'11'.repeat(48)}`, `0x${'22'.repeat(48)}`],
  deposit_signatures: [`0x${'33'.repeat(96)}`, `0x${'44'.repeat(96)}`],
  public_key_shards: [[`0x${'55'.repeat(48)}`], [`0x${'66'.repeat(48)}`]],
  exit_signature_shards: [['0x77'], ['0x88']],
  deadline: 1_800_000_000,
}

describe('the body of an approval request', () => {
  it('through the registry has the proof and no manager', () => {
    expect(JSON.parse(approvalRequestBody(SUBJECT, 1_800_000_000n))).to.deep.equal({
      ...COMMON,
      proof: [`0x${'99'.repeat(32)}`],
      proof_flags: [true],
      proof_indexes: [1, 0],
      validators_manager_signature: null,
    })
  })

  it('by the manager has its signature and the amounts in Gwei, and no proof', () => {
    const signature = `0x${'ee'.repeat(65)}` as const
    const body = approvalRequestBody(
      { ...SUBJECT, authority: { kind: 'manager', signature, amounts: [64_000_000_000n, 32_000_000_000n] } },
      1_800_000_000n,
    )
    expect(JSON.parse(body)).to.deep.equal({
      ...COMMON,
      validators_manager_signature: signature,
      amounts: [64_000_000_000, 32_000_000_000],
    })
  })

  it('by the manager for validators of type 0x01 has no amounts but says so', () => {
    const signature = `0x${'ee'.repeat(65)}` as const
    const body = approvalRequestBody(
      { ...SUBJECT, authority: { kind: 'manager', signature, amounts: null } },
      1_800_000_000n,
    )
    expect(JSON.parse(body)).to.deep.equal({
      ...COMMON,
      validators_manager_signature: signature,
      amounts: null,
    })
  })
})
