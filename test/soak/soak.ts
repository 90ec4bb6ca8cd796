/** npm run soak [-- [--short] [PART…]]: the longer proofs, part by part. Ends with a line of counts. */

import { hostileFlood } from './flood/hostile-flood.js'
import { replays } from './flood/replays.js'
import { schemathesis } from './flood/schemathesis.js'
import { hostile } from './hostile.js'
import { agentKills } from './kills/agent/agent-kills.js'
import { durability } from './kills/durability/durability.js'
import { relayerKills } from './kills/relayer/relayer-kills.js'
import { obolKills } from './kills/sidecars/obol-kills.js'
import { ssvKills } from './kills/sidecars/ssv-kills.js'
import { packed } from './packed.js'
import type { Outcome, SoakPart } from './part.js'
import { suiteOn } from './suite.js'
import { watched } from './watched.js'

const parts: readonly SoakPart[] = [
  packed,
  suiteOn(22),
  suiteOn(24),
  hostile,
  watched(relayerKills),
  watched(obolKills),
  watched(ssvKills),
  watched(agentKills),
  durability,
  hostileFlood,
  schemathesis,
  replays,
]

async function runPart(part: SoakPart, short: boolean): Promise<Outcome> {
  process.stdout.write(`${part.name}\n`)
  const started = performance.now()
  let outcome: Outcome
  try {
    outcome = await part.run(short)
  } catch (error) {
    process.stdout.write(`  ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    outcome = { passed: 0, failed: 1 }
  }
  if (outcome.skipped !== undefined) {
    process.stdout.write(`  skipped: ${outcome.skipped}\n`)
    return process.env['CI'] === undefined ? outcome : { passed: 0, failed: 1 }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  process.stdout.write(`  ${outcome.passed} passed, ${outcome.failed} failed, ${seconds} s\n`)
  return outcome
}

const words = process.argv.slice(2).filter((argument) => argument !== '--short')
const chosen = parts.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
if (chosen.length === 0) {
  const names = parts.map(({ name }) => name).join(', ')
  process.stderr.write(`soak: no part is named ${words.join(' ')}. There are --short, and: ${names}\n`)
  process.exit(2)
}
const total = { passed: 0, failed: 0 }
for (const part of chosen) {
  const outcome = await runPart(part, process.argv.includes('--short'))
  total.passed += outcome.passed
  total.failed += outcome.failed
}
process.stdout.write(`soak: ${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 ? 0 : 1
