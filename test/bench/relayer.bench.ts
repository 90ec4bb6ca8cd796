/** What the relayer's core costs: CPU of one validator from its third share to the stored oracle parts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseProtocolConfig } from '../../core/oracles/protocol-config.js'
import { sealForOracle } from '../../core/oracles/seal.js'
import { fourNodeValidators, garbage, type TestValidator, wireKeys } from '../relayer/clusters.js'
import { type TestRelayer, TestWorld } from '../relayer/relayer.js'

const ROUNDS = 30
const SEALS = 300

export interface BenchLine {
  readonly name: string
  readonly value: string
}

/** Runs the relayer's benches in this thread, 11 oracles of which 8 recover. */
export async function benchRelayer(): Promise<BenchLine[]> {
  const config = parseProtocolConfig(wireKeys.oracles_config, 'bench')
  const lines: BenchLine[] = []
  for (const known of [true, false]) {
    const world = new TestWorld()
    world.currentOracles = config
    if (known) world.sharings = fourNodeValidators.map(({ validator }) => validator)
    const folder = mkdtempSync(join(tmpdir(), 'relayer-bench-'))
    const relayer = await world.open({ file: join(folder, 'relayer.db') })
    try {
      lines.push({
        name: `relayer: third share to stored oracle parts, ${known ? 'known' : 'no'} public shares, denominator 1`,
        value: await thirdShareToParts(world, relayer),
      })
    } finally {
      await relayer.close()
      rmSync(folder, { recursive: true })
    }
  }
  lines.push({ name: 'relayer: seal a part for an oracle', value: timeSeal(config.oracles[0]?.publicKey) })
  return lines
}

async function thirdShareToParts(world: TestWorld, { service }: TestRelayer): Promise<string> {
  let spent = 0
  let validators = 0
  for (let round = 0; round <= ROUNDS; round++) {
    await service.requestExits(fourNodeValidators.map(({ validator }) => validator.publicKey))
    for (const node of [1n, 2n]) await service.postShares(node, sharesOf(world, node), `node ${node}`)
    const shares = sharesOf(world, 3n)
    const before = process.cpuUsage()
    await service.postShares(3n, shares, 'node 3')
    await service.idle()
    const { user, system } = process.cpuUsage(before)
    // The first round warms the code up.
    if (round > 0) {
      spent += user + system
      validators += shares.length
    }
    world.nextIndex += 100
  }
  return `${(spent / validators / 1000).toFixed(1)} ms CPU a validator`
}

function sharesOf(world: TestWorld, node: bigint) {
  return fourNodeValidators.map((own: TestValidator, i) => ({
    publicKey: own.validator.publicKey,
    signature: own.sign(node, world.nextIndex + i),
  }))
}

function timeSeal(oracle: Uint8Array | undefined): string {
  if (oracle === undefined) throw new Error('no oracle')
  const part = garbage(1)
  for (let i = 0; i < SEALS; i++) sealForOracle(oracle, part)
  const before = process.hrtime.bigint()
  for (let i = 0; i < SEALS; i++) sealForOracle(oracle, part)
  return `${(Number(process.hrtime.bigint() - before) / SEALS / 1e6).toFixed(2)} ms`
}
