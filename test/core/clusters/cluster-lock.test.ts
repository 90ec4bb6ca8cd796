import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { loadClusterLock, parseClusterLock } from '../../../core/clusters/cluster-lock.js'
import { publicKeyOfEnr } from '../../../core/clusters/enr.js'
import { toHex } from '../../../core/hex.js'

const OBOL = fileURLToPath(new URL('../../fixtures/obol/', import.meta.url))
const expected = JSON.parse(readFileSync(`${OBOL}obol-4n3t-hoodi.EXPECTED.json`, 'utf8')) as {
  validators: { distributed_public_key: string; public_shares: string[]; withdrawal_address: string }[]
}

describe('cluster lock', () => {
  const versions = readdirSync(`${OBOL}obol-4n3t-hoodi.legacy-locks`)

  it('is there in all twelve versions', () => {
    expect(versions).to.have.length(12)
  })

  for (const version of versions) {
    it(`of ${version} gives threshold, keys, public shares by share index and withdrawal addresses`, async () => {
      const lock = await loadClusterLock(`${OBOL}obol-4n3t-hoodi.legacy-locks/${version}/cluster-lock.json`, {
        strict: true,
      })
      expect(lock).to.include({ version, threshold: 3, forkVersion: '0x10000910', name: 'obol-4n3t-hoodi' })
      expect(lock.warnings).to.deep.equal([])
      expect(lock.operators.map(({ enr }) => publicKeyOfEnr(enr).length)).to.deep.equal([33, 33, 33, 33])
      expect(
        lock.validators.map((validator) => ({
          distributed_public_key: validator.publicKey,
          public_shares: [...validator.shares.values()],
          indexes: [...validator.shares.keys()],
          withdrawal: validator.withdrawalAddress,
        })),
      ).to.deep.equal(
        expected.validators.map((validator) => ({
          distributed_public_key: validator.distributed_public_key,
          public_shares: validator.public_shares,
          indexes: [1n, 2n, 3n, 4n],
          withdrawal: validator.withdrawal_address.toLowerCase(),
        })),
      )
    })
  }

  it('is refused with one forged public share, at any place', async () => {
    const text = readFileSync(`${OBOL}obol-16n10t-hoodi/node0/cluster-lock.json`, 'utf8')
    for (const place of [0, 9, 10, 15]) {
      const lock = JSON.parse(text) as { distributed_validators: { public_shares: string[] }[] }
      const shares = lock.distributed_validators[0]?.public_shares ?? []
      shares[place] = expected.validators[0]?.public_shares[0] ?? ''
      const failure = await parseClusterLock(JSON.stringify(lock), 'forged').catch((error: unknown) => error)
      expect(failure).to.have.property('code', 'LOCK_SHARES_DO_NOT_INTERPOLATE')
    }
  })

  it('is refused, and never throws something unexpected, whatever is missing', async () => {
    const text = readFileSync(`${OBOL}obol-4n3t-hoodi/node0/cluster-lock.json`, 'utf8')
    const essential =
      /cluster_definition$|version|threshold|operators$|distributed_validators$|public_key$|public_shares$|lock_hash$/
    const paths = pathsOf(JSON.parse(text)).filter((path) => essential.test(path.join('.')))
    expect(paths.length).to.be.greaterThan(8)
    for (const path of paths) {
      for (const bad of [null, 7, 'x', {}]) {
        const lock: unknown = JSON.parse(text)
        replace(lock, path, bad)
        const failure = await parseClusterLock(JSON.stringify(lock), 'broken').catch(
          (error: unknown) => error,
        )
        expect(failure, `${path.join('.')} = ${JSON.stringify(bad)}`)
          .to.have.property('code')
          .that.matches(/LOCK/)
      }
    }
  })
})

describe('node record', () => {
  it('gives the key of EIP-778’s example, whose sequence is a number', () => {
    const enr =
      'enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8'
    expect(toHex(publicKeyOfEnr(enr))).to.equal(
      '0x03ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138',
    )
  })

  it('is refused when it is cut off or something else', () => {
    for (const bad of ['', 'enr:', 'enr:-IS4', 'enr:AAAA', 'enode://x', `enr:${'_'.repeat(200)}`]) {
      expect(() => publicKeyOfEnr(bad))
        .to.throw()
        .with.property('code', 'INVALID_ENR')
    }
  })
})

function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...path, key]))].filter(
    (p) => p.length > 0,
  )
}

function replace(root: unknown, path: readonly string[], value: unknown): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((object, key) => (object as Record<string, unknown>)[key], root)
  ;(parent as Record<string, unknown>)[path.at(-1) ?? ''] = value
}
