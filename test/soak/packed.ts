/** The packed project, installed in an empty folder as a user would, on the oldest and the newest Node. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { missingNodeVersions, nodeBinary } from './node-versions.js'
import { check, type Outcome, type SoakPart, sum } from './part.js'
import { runSuccessfully } from './process.js'

const INSTALL_TIMEOUT = 8 * 60_000
const RUN_TIMEOUT = 60_000

/** Asserts in the installed package that native BLS runs, and that a signature is recovered with it. */
const NATIVE_CHECK = `
import assert from 'node:assert/strict'
import { bls } from './node_modules/dvt-exit/dist/core/bls/backend.js'
import { recoverVerified, secretFromScalar } from './node_modules/dvt-exit/dist/core/bls/threshold.js'
assert.equal(bls.name, 'blst-native')
const message = new Uint8Array(32).fill(1)
const shares = [1n, 2n, 4n].map((index) => ({
  index,
  signature: bls.sign(secretFromScalar(7n + 8n * index + 9n * index * index), message),
}))
const whole = bls.sign(secretFromScalar(7n), message)
const recovered = recoverVerified(shares, bls.toPublicKey(secretFromScalar(7n)), message)
assert.deepEqual(bls.encodeSignature(recovered), bls.encodeSignature(whole))
`

async function installPacked(folder: string): Promise<void> {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  const packed = await runSuccessfully(
    'npm',
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder],
    { timeout: INSTALL_TIMEOUT },
  )
  const tarball = packed.trim().split('\n').at(-1) ?? ''
  await runSuccessfully('npm', ['install', '--no-audit', '--no-fund', join(folder, tarball)], {
    cwd: folder,
    timeout: INSTALL_TIMEOUT,
  })
}

async function checkInstalled(folder: string, node: string): Promise<Outcome> {
  const version = (await runSuccessfully(node, ['--version'], { timeout: RUN_TIMEOUT })).trim()
  const options = {
    cwd: folder,
    env: { PATH: `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}` },
    timeout: RUN_TIMEOUT,
  }
  return sum([
    await check(`dvt-exit --help on ${version}`, async () => {
      const help = await runSuccessfully(join(folder, 'node_modules/.bin/dvt-exit'), ['--help'], options)
      for (const command of ['sidecar', 'relayer', 'operator']) {
        if (!help.includes(command)) throw new Error(`the help does not name ${command}:\n${help}`)
      }
    }),
    await check(`native BLS on ${version}`, async () => {
      await runSuccessfully(node, ['--input-type=module', '--eval', NATIVE_CHECK], options)
    }),
  ])
}

/** Needs dist/, which `npm run soak` builds first. */
export const packed: SoakPart = {
  name: 'packed and installed elsewhere',
  async run() {
    const skipped = missingNodeVersions()
    if (skipped !== undefined) return { passed: 0, failed: 0, skipped }
    const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-packed-'))
    try {
      await installPacked(folder)
      const outcomes: Outcome[] = []
      for (const node of [process.execPath, await nodeBinary(24)]) {
        outcomes.push(await checkInstalled(folder, node))
      }
      return sum(outcomes)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}
