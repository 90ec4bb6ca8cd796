/** The devnet's contracts, compiled from contracts/*.sol. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import solcPackage from 'solc/package.json' with { type: 'json' }
import { z } from 'zod'
import type { Hex } from '../../../core/hex.js'

const SOURCES = fileURLToPath(new URL('./contracts/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/dvt-exit/', import.meta.url))
const COMPILER_MILLISECONDS = 120_000
const SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'prague',
  outputSelection: { '*': { '*': ['evm.deployedBytecode.object'] } },
}

const outputSchema = z.object({
  errors: z.array(z.object({ formattedMessage: z.string() })).default([]),
  contracts: z
    .record(
      z.string(),
      z.record(
        z.string(),
        z.object({ evm: z.object({ deployedBytecode: z.object({ object: z.string() }) }) }),
      ),
    )
    .default({}),
})

let compiled: Promise<ReadonlyMap<string, Hex>> | undefined

/**
 * The code that each contract has on chain, by the contract's name. Compiled once for the same sources and
 * kept under node_modules/.cache: the compiler takes seconds.
 * @throws Error with what the compiler says, warnings included
 */
export function compileContracts(): Promise<ReadonlyMap<string, Hex>> {
  compiled ??= readOrCompile()
  return compiled
}

async function readOrCompile(): Promise<ReadonlyMap<string, Hex>> {
  const input = JSON.stringify({ language: 'Solidity', sources: await readSources(), settings: SETTINGS })
  const key = createHash('sha256').update(solcPackage.version).update(input).digest('hex')
  const file = join(CACHE, `contracts-${key}.json`)
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept !== undefined) return new Map<string, Hex>(JSON.parse(kept))

  const codes = await compile(input)
  await mkdir(CACHE, { recursive: true })
  const unfinished = `${file}.${process.pid}`
  await writeFile(unfinished, JSON.stringify([...codes]))
  await rename(unfinished, file)
  return codes
}

async function readSources(): Promise<Record<string, { content: string }>> {
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith('.sol')).sort()
  const entries = names.map(
    async (name) => [name, { content: await readFile(join(SOURCES, name), 'utf8') }] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}

async function compile(input: string): Promise<Map<string, Hex>> {
  const { errors, contracts } = outputSchema.parse(JSON.parse(await runCompiler(input)))
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'))
  return new Map(
    Object.values(contracts)
      .flatMap((ofFile) => Object.entries(ofFile))
      .map(([name, { evm }]) => [name, `0x${evm.deployedBytecode.object}` as const]),
  )
}

/** In a process of its own: the compiler changes how the process that loads it handles rejected promises. */
function runCompiler(input: string): Promise<string> {
  const compiler = createRequire(import.meta.url).resolve('solc/solc.js')
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [compiler, '--standard-json'],
      { maxBuffer: 64 * 1024 * 1024, timeout: COMPILER_MILLISECONDS },
      // It says first that it has no SMT solver.
      (error, stdout) => (error === null ? resolve(stdout.slice(stdout.indexOf('{'))) : reject(error)),
    )
    child.stdin?.end(input)
  })
}
