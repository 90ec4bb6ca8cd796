/** npm run bench: prints what things cost on this machine beside what they may cost. */
import { cpus } from 'node:os'
import { bls } from '../../core/bls/backend.js'
import { type BenchLine, benchCore } from './core.bench.js'
import { benchFlood } from './flood.bench.js'
import { benchKeystores } from './keystores.bench.js'
import { benchRelayer } from './relayer.bench.js'

const benches: readonly (readonly [string, () => readonly BenchLine[] | Promise<readonly BenchLine[]>])[] = [
  ['core, one thread, CPU time', benchCore],
  ['keystores', benchKeystores],
  ['relayer', benchRelayer],
  ['relayer under a flood', benchFlood],
]

function print(lines: readonly BenchLine[]): void {
  const width = Math.max(...lines.map((line) => line.name.length))
  for (const { name, value, target } of lines) {
    process.stdout.write(
      `  ${name.padEnd(width)}  ${value}${target === undefined ? '' : `  (target ${target})`}\n`,
    )
  }
}

const [cpu] = cpus()
process.stdout.write(
  `${cpu?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${process.platform}-${process.arch}, ` +
    `node ${process.version}, ${bls.name}\n`,
)
for (const [name, run] of benches) {
  process.stdout.write(`\n${name}\n`)
  print(await run())
}
