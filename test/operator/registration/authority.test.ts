import { expect } from 'chai'
import { concatHex, recoverTypedDataAddress } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { Hex } from '../../../core/hex.js'
import { managerTypedData } from '../../../core/vault/signatures.js'
import { DepositDataTree } from '../../../operator/deposit-data/merkle.js'
import type { VaultDeposit } from '../../../operator/deposit-data/vault-deposits.js'
import { assertManager, batchAuthority, type Keys } from '../../../operator/registration/authority.js'
import type { Way } from '../../../operator/vault/way.js'
import { failureOf } from '../../doubles/failure.js'
import { hoodi, VAULT } from '../signed-entries.js'
import { ETH, several, usable } from './entries.js'

const wallet = privateKeyToAccount(`0x${'11'.repeat(32)}`)
const manager = privateKeyToAccount(`0x${'22'.repeat(32)}`)
const ROOT: Hex = `0x${'ab'.repeat(32)}`

/** Fails where nobody should need the tree. */
const noTree = () => {
  throw new Error('asked for the tree')
}

function authority(
  way: Way,
  batch: readonly VaultDeposit[],
  keys: Keys,
  tree: () => DepositDataTree = noTree,
) {
  const validators = concatHex(batch.map(({ bytes }) => bytes))
  return batchAuthority({
    network: hoodi,
    vault: VAULT,
    way,
    keys,
    batch,
    validators,
    registryRoot: ROOT,
    tree,
  })
}

describe('by whose right a batch is registered', () => {
  const way: Way = { kind: 'manager', manager: manager.address, compounding: true }

  const signerOf = (signature: Hex, batch: readonly VaultDeposit[]) => {
    const validators = concatHex(batch.map(({ bytes }) => bytes))
    const message = { validatorsRegistryRoot: ROOT, validators }
    return recoverTypedDataAddress({ ...managerTypedData(hoodi, VAULT, message), signature })
  }

  it('the manager that sends signs for the oracles, and its sending is enough for the contract', async () => {
    const batch = several(2)
    const { forOracles, forContract } = await authority(way, batch, { wallet: manager, manager })
    expect(forContract).to.deep.equal({ kind: 'manager', signature: undefined })
    if (forOracles.kind !== 'manager') throw new Error('not by the manager')
    expect(await signerOf(forOracles.signature, batch)).to.equal(manager.address)
    expect(forOracles.amounts).to.equal(null)
  })

  it('the manager signs for oracles and contract where another wallet sends', async () => {
    const batch = several(1)
    const { forOracles, forContract } = await authority(way, batch, { wallet, manager })
    if (forOracles.kind !== 'manager') throw new Error('not by the manager')
    expect(forContract).to.deep.equal({ kind: 'manager', signature: forOracles.signature })
    expect(await signerOf(forOracles.signature, batch)).to.equal(manager.address)
  })

  it('validators of 0x02 tell the oracles their amounts', async () => {
    const batch = [usable(0, '0x02', 64n * ETH), usable(1, '0x02', 1945n * ETH)]
    const { forOracles } = await authority(way, batch, { wallet, manager })
    expect(forOracles)
      .to.have.property('amounts')
      .that.deep.equals([64n * ETH, 1945n * ETH])
  })

  it('a key that is not the manager’s signs nothing', async () => {
    const error = await failureOf(authority(way, several(1), { wallet: manager, manager: wallet }))
    expect(error).to.include({ name: 'NotNow', code: 'NOT_THE_MANAGER', level: 'warn' })
    expect(error.message).to.include(manager.address).and.to.include(wallet.address)
    expect(error.hint).to.include('VALIDATORS_MANAGER_KEY_FILE')
  })

  it('the manager is the same in any case of letters', () => {
    expect(() => assertManager({ wallet, manager }, manager.address.toLowerCase() as Hex)).to.not.throw()
  })

  for (const [kind, other] of [
    ['registry', { kind: 'registry', registry: `0x${'93'.repeat(20)}` }],
    ['own', { kind: 'own' }],
  ] as const) {
    for (const positions of [[3], [2, 3, 4]]) {
      it(`the deposit data’s proof is all that ${positions.length} need by ${kind}`, async () => {
        const entries = several(7).map(({ deposit }) => deposit)
        const tree = new DepositDataTree(entries, VAULT)
        const batch = several(7).filter(({ position }) => positions.includes(position))
        const { forOracles, forContract } = await authority(other, batch, { wallet, manager }, () => tree)
        const proof = tree.prove(positions)
        expect(forOracles).to.deep.equal({
          kind: 'registry',
          proof: proof.proof,
          proofFlags: proof.proofFlags,
          proofIndexes: proof.leafPositions,
        })
        expect(forContract).to.deep.equal({ ...other, proof })
      })
    }
  }
})
