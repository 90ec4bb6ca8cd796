/** The test suite on another version of Node. */
import { delimiter, dirname, join } from 'node:path'
import { missingNodeVersions, nodeBinary } from './node-versions.js'
import type { Outcome, SoakPart } from './part.js'
import { ROOT, runProcess, runSuccessfully } from './process.js'

const SUITE_TIMEOUT = 20 * 60_000
const ALL = ['test/**/*.test.ts']
/** What rests on Node most: keys, files, threads, sockets and the database. */
const SHORT = ['test/core/**/*.test.ts', 'test/adapters/**/*.test.ts', 'test/relayer/**/*.test.ts']

/** Mocha's counts; a run that ends badly without a failing test counts as one failure. */
export function countsOf(output: string, code: number | null): Outcome {
  const count = (word: string) => Number(new RegExp(`^\\s*(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0)
  const [passed, failed] = [count('passing'), count('failing')]
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed }
}

/** Runs every test, or in the short form those of most parts, under the newest release of a Node major. */
export function suiteOn(major: number): SoakPart {
  return {
    name: `suite on Node ${major}`,
    async run(short) {
      const skipped = missingNodeVersions()
      if (skipped !== undefined) return { passed: 0, failed: 0, skipped }
      const node = await nodeBinary(major)
      const version = await runSuccessfully(node, ['--version'], { timeout: 60_000 })
      process.stdout.write(`  ${version.trim()}\n`)
      // Processes that tests start as plain `node` have to be of this version too.
      const path = `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}`
      const { code, output } = await runProcess(
        node,
        [join(ROOT, 'node_modules/mocha/bin/mocha.js'), ...(short ? SHORT : ALL)],
        {
          env: { PATH: path },
          timeout: SUITE_TIMEOUT,
        },
      )
      const counts = countsOf(output, code)
      if (counts.failed > 0)
        process.stdout.write(output.slice(Math.max(0, output.search(/^\s*\d+ passing/m))))
      return counts
    },
  }
}
