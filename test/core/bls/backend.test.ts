import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import fc from 'fast-check'
import { type BlsBackend, bls } from '../../../core/bls/backend.js'
import { blstBackend } from '../../../core/bls/blst-backend.js'
import { GROUP_ORDER } from '../../../core/bls/lagrange.js'
import { createWasmBackend } from '../../../core/bls/wasm-backend.js'
import { toHex } from '../../../core/hex.js'
import { backendResults } from './backend-results.js'
import { goldenMessages } from './golden-messages.js'

/** Where blst publishes a binary; elsewhere WASM has to run. */
const NATIVE = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win32-x64']
const scalar = fc.bigInt({ min: 1n, max: GROUP_ORDER - 1n })

/** Every operation of a backend on two keys and a message, as text. */
function operations(backend: BlsBackend, keys: readonly [bigint, bigint], message: Uint8Array): unknown[] {
  const [first, second] = keys.map((key) =>
    backend.decodeSecretKey(Buffer.from(key.toString(16).padStart(64, '0'), 'hex')),
  )
  if (first === undefined || second === undefined) throw new Error('two keys were given')
  const [p, q] = [backend.toPublicKey(first), backend.toPublicKey(second)]
  const [s, t] = [backend.sign(first, message), backend.sign(second, message)]
  const [noKey, noSignature] = [
    backend.addPublicKeys([p, backend.negatePublicKey(p)]),
    backend.addSignatures([s, backend.negateSignature(s)]),
  ]
  const publicKeys = [
    p,
    backend.negatePublicKey(p),
    noKey,
    backend.negatePublicKey(noKey),
    ...[[p], [p, p], [p, q], [p, q, p], [noKey, q], [q, noKey], [noKey, noKey]].map(backend.addPublicKeys),
    backend.decodePublicKey(backend.encodePublicKey(q)),
  ]
  const signatures = [
    s,
    backend.negateSignature(s),
    noSignature,
    backend.negateSignature(noSignature),
    ...[[s], [s, s, s, s], [s, t], [s, t, s], [noSignature, t], [t, noSignature, s]].map(
      backend.addSignatures,
    ),
    backend.decodeSignature(backend.encodeSignature(t)),
  ]
  const right = { message, publicKey: p, signature: s }
  const wrong = { message, publicKey: q, signature: s }
  const infinite = { message, publicKey: noKey, signature: noSignature }
  return [
    ...publicKeys.map((key) => toHex(backend.encodePublicKey(key))),
    ...signatures.map((signature) => toHex(backend.encodeSignature(signature))),
    ...[right, wrong, infinite].map(backend.verify),
    ...[[right], [right, right], [right, wrong], [right, infinite], []].map((sets) =>
      backend.verifyAll(sets),
    ),
  ]
}

describe('BLS backends', () => {
  let wasmBackend: BlsBackend
  before(async () => {
    wasmBackend = await createWasmBackend()
  })

  it('the native one runs wherever it has a binary', function () {
    if (!NATIVE.includes(`${process.platform}-${process.arch}`)) this.skip()
    expect(bls.name).to.equal('blst-native')
  })

  it('give the same bytes and verdicts for every operation', () => {
    const distinct = fc.tuple(scalar, scalar).filter(([a, b]) => a !== b)
    const message = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const property = fc.property(distinct, message, (keys, signed) => {
      expect(operations(wasmBackend, keys, signed)).to.deep.equal(operations(blstBackend, keys, signed))
    })
    fc.assert(property, { numRuns: 10, examples: [[[1n, GROUP_ORDER - 1n], new Uint8Array(32)]] })
  })

  it('sign and verify the bundled clusters alike', () => {
    for (const golden of goldenMessages().slice(0, 3)) {
      for (const [index, secret] of golden.secretShares) {
        const bytes = Buffer.from(secret.slice(2), 'hex')
        const message = Buffer.from(golden.signingRoot.slice(2), 'hex')
        const signature = wasmBackend.sign(wasmBackend.decodeSecretKey(bytes), message)
        expect(toHex(wasmBackend.encodeSignature(signature))).to.equal(golden.partials.get(index))
      }
    }
  })

  it('refuse to add nothing', () => {
    for (const backend of [blstBackend, wasmBackend]) {
      expect(() => backend.addPublicKeys([])).to.throw()
      expect(() => backend.addSignatures([])).to.throw()
    }
  })

  it('a process with DVT_EXIT_BLS=wasm warns, and recovers, splits and verifies the same', async () => {
    const script = fileURLToPath(new URL('backend-results-process.ts', import.meta.url))
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], {
      env: { ...process.env, DVT_EXIT_BLS: 'wasm' },
      maxBuffer: 2 ** 26,
    })
    const { backend, results } = JSON.parse(stdout) as { backend: string; results: string[] }
    expect(backend).to.equal('herumi-wasm')
    expect(results).to.deep.equal(backendResults())
    expect(results.length).to.be.greaterThan(100)
    expect(stderr).to.match(/BLS_WASM.*slower/)
  })
})
