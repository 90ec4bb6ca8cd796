import { createECDH } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { assertLockNetwork, loadClusterLock, parseClusterLock } from '../../../core/clusters/cluster-lock.js'
import { publicKeyOfEnr } from '../../../core/clusters/enr.js'
import { describeError } from '../../../core/errors.js'
import { toHex } from '../../../core/hex.js'
import { loadNetwork } from '../../../core/network.js'

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

  for (const [cluster, nodes] of [
    ['obol-4n3t-hoodi', 4],
    ['obol-4n3t-hoodi-secure', 4],
    ['obol-16n10t-hoodi', 16],
  ] as const) {
    it(`of ${cluster} is the same for each node and is signed by all its shares`, async () => {
      const locks = await Promise.all(
        Array.from({ length: nodes }, (_, node) =>
          loadClusterLock(`${OBOL}${cluster}/node${node}/cluster-lock.json`, { strict: true }),
        ),
      )
      for (const [node, lock] of locks.entries()) {
        expect(lock.operators).to.have.length(nodes)
        expect(lock.lockHash).to.equal(locks[0]?.lockHash)
        const key = readFileSync(`${OBOL}${cluster}/node${node}/charon-enr-private-key`, 'utf8')
        const ecdh = createECDH('secp256k1')
        ecdh.setPrivateKey(key, 'hex')
        expect(toHex(publicKeyOfEnr(lock.operators[node]?.enr ?? ''))).to.equal(
          `0x${ecdh.getPublicKey('hex', 'compressed')}`,
        )
      }
    })
  }

  it('gives the operators’ addresses where it has them', async () => {
    const address = '0xBA447498dc4c169f2b4f427b2c4d532320457E89'
    const lock = await changed((definition) => {
      Object.assign(definition.operators[1] ?? {}, { address })
    })
    expect(lock.operators.map((operator) => operator.address)).to.deep.equal([
      undefined,
      address.toLowerCase(),
      undefined,
      undefined,
    ])
  })

  it('of v1.0 may have a lock hash whose base64 begins as hex does', async () => {
    const lock = await changed((_, file) => {
      file['lock_hash'] = `0x${'A'.repeat(41)}=`
      file['signature_aggregate'] = ''
    }, 'v1.0.0')
    expect(lock.lockHash).to.equal(`0xd31${'0'.repeat(61)}`)
    expect(lock.warnings).to.deep.equal([])
  })

  it('whose shares did not sign it is taken with a warning, and refused by strictness', async () => {
    const other = JSON.parse(readFileSync(`${OBOL}obol-16n10t-hoodi/node0/cluster-lock.json`, 'utf8')) as {
      signature_aggregate: string
    }
    for (const signature of [
      other.signature_aggregate,
      `0x${'00'.repeat(96)}`,
      '0x1234',
      'no hex',
      '',
      '0x',
    ]) {
      const change = (_: unknown, file: Record<string, unknown>) => {
        file['signature_aggregate'] = signature
      }
      const { warnings } = await changed(change)
      expect(warnings, signature).to.have.length(1)
      expect(warnings[0]).to.include('changed.json')
      expect(await failureOf(changed(change, 'v1.11.0', true))).to.include({ code: 'LOCK_SIGNATURE' })
    }
    const absent = (_: unknown, file: Record<string, unknown>) => {
      delete file['signature_aggregate']
    }
    expect((await changed(absent, 'v1.2.0')).warnings).to.have.length(1)
    expect((await changed(absent, 'v1.1.0')).warnings).to.deep.equal([])
    expect(await failureOf(changed(absent, 'v1.1.0', true))).to.include({ code: 'LOCK_SIGNATURE' })
  })

  it('is refused with an impossible threshold, a share too many or too few, or a validator twice', async () => {
    const changes: ((definition: Definition, file: LockFile) => void)[] = [
      (definition) => {
        definition.threshold = 0
      },
      (definition) => {
        definition.threshold = -1
      },
      (definition) => {
        definition.threshold = 5
      },
      (definition) => {
        definition.operators.pop()
      },
      (_, file) => {
        file.distributed_validators[0]?.public_shares.pop()
      },
      (_, file) => {
        file.distributed_validators.push(...file.distributed_validators)
      },
      (_, file) => {
        file.distributed_validators.length = 0
      },
    ]
    for (const change of changes) {
      const failure = await failureOf(changed(change))
      expect(failure, change.toString()).to.include({ code: 'INVALID_CLUSTER_LOCK' })
      expect(describeError(failure)).to.include('changed.json').and.not.include('\n')
    }
    for (const version of ['v1.12.0', 'v2.0.0', 'v0.9.0', '1.7.0', 'v1.7']) {
      const failure = await failureOf(
        changed((definition) => {
          definition.version = version
        }),
      )
      expect(failure).to.include({ code: 'UNKNOWN_LOCK_VERSION' })
    }
    for (const text of ['', '[]', '7', 'null', '{', '"lock"']) {
      expect(await failureOf(parseClusterLock(text, 'changed.json'))).to.include({
        code: 'INVALID_CLUSTER_LOCK',
      })
    }
  })

  it('is refused on another network', async () => {
    const lock = await changed(() => {})
    expect(() => assertLockNetwork(lock, loadNetwork('hoodi'), 'changed.json')).not.to.throw()
    expect(() => assertLockNetwork(lock, loadNetwork('gnosis'), 'changed.json'))
      .to.throw(/changed\.json .*0x10000910.*gnosis/)
      .with.property('code', 'LOCK_OF_ANOTHER_NETWORK')
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

  it('gives the key beside values that are lists, as the eth entry of an execution node is', () => {
    const key = Uint8Array.of(2, ...new Uint8Array(32).fill(9))
    const enr = recordOf(['sig', '', 'eth', [['fork', '']], 'id', 'v4', 'secp256k1', key])
    expect(publicKeyOfEnr(enr)).to.deep.equal(key)
    expect(() => publicKeyOfEnr(recordOf(['sig', '', 'id', 'v4', 'secp256k1', 'short'])))
      .to.throw()
      .with.property('code', 'INVALID_ENR')
  })

  it('is refused when it is cut off or something else', () => {
    for (const bad of ['', 'enr:', 'enr:-IS4', 'enr:AAAA', 'enode://x', `enr:${'_'.repeat(200)}`]) {
      expect(() => publicKeyOfEnr(bad))
        .to.throw()
        .with.property('code', 'INVALID_ENR')
    }
  })
})

type RlpItem = string | Uint8Array | readonly RlpItem[]

/** RLP of short items. */
function rlp(item: RlpItem): Buffer {
  if (typeof item === 'string' || item instanceof Uint8Array) {
    const bytes = Buffer.from(item)
    return Buffer.concat([Uint8Array.of(0x80 + bytes.length), bytes])
  }
  const payload = Buffer.concat(item.map(rlp))
  const header = payload.length <= 55 ? [0xc0 + payload.length] : [0xf8, payload.length]
  return Buffer.concat([Uint8Array.from(header), payload])
}

function recordOf(items: readonly RlpItem[]): string {
  return `enr:${rlp(items).toString('base64url')}`
}

interface Definition {
  version: string
  threshold: number
  operators: object[]
}
interface LockFile extends Record<string, unknown> {
  cluster_definition: Definition
  distributed_validators: { public_shares: string[] }[]
}

/** A lock of obol-4n3t-hoodi after a change. */
async function changed(
  change: (definition: Definition, file: LockFile) => void,
  version = 'v1.11.0',
  strict = false,
) {
  const text = readFileSync(`${OBOL}obol-4n3t-hoodi.legacy-locks/${version}/cluster-lock.json`, 'utf8')
  const file = JSON.parse(text) as LockFile
  change(file.cluster_definition, file)
  return parseClusterLock(JSON.stringify(file), 'changed.json', { strict })
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

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
