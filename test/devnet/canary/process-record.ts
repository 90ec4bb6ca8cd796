/** What one process wrote: its output, its HTTP answers, and the files in the folders that it was given. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readAnswers } from './answers.js'
import { type GivenOptions, givenOptions } from './given-secrets.js'
import type { Recorded } from './records.js'
import { temporaryFolderOf } from './written-files.js'

const RECORD_ANSWERS = new URL('./record-answers.mjs', import.meta.url)

/** How a process is started. */
export interface ProcessStart {
  readonly name: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

export class ProcessRecord {
  /** Unique among the processes of a canary. */
  readonly label: string
  readonly options: GivenOptions
  /** Folders of the test in which the process may write. */
  readonly folders: ReadonlySet<string>
  /** The module that the process must load with --import. */
  readonly preload: string
  /** Whether what it prints is a token, for the one who asked for it. */
  readonly makesToken: boolean
  readonly #folder: string
  readonly #answersFile: string
  readonly #output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }

  /** @throws Error where it would write into a folder that is no temporary one, which nobody would look through */
  constructor(start: ProcessStart, number: number) {
    const { name, args, env, cwd } = start
    this.label = `${name} (process ${number})`
    this.options = givenOptions(args, env)
    this.makesToken = args.includes('token') && args.includes('new')
    this.folders = foldersOf(cwd, [...args, ...Object.values(env)])
    this.#folder = mkdtempSync(join(tmpdir(), 'dvt-exit-canary-'))
    this.#answersFile = join(this.#folder, 'answers.jsonl')
    writeFileSync(this.#answersFile, '')
    const preload = new URL(RECORD_ANSWERS)
    preload.searchParams.set('file', this.#answersFile)
    this.preload = preload.href
  }

  wrote(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this.#output[stream].push(chunk)
  }

  get stdout(): string {
    return Buffer.concat(this.#output.stdout).toString('utf8')
  }

  /** Its output and its answers so far. */
  recorded(): Recorded[] {
    const streams = (['stdout', 'stderr'] as const).map(
      (stream): Recorded => ({
        place: { kind: 'output', process: this.label, stream },
        bytes: Buffer.concat(this.#output[stream]),
      }),
    )
    return [...streams, ...readAnswers(this.#answersFile, this.label)]
  }

  /** Drops what was recorded. */
  forget(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function foldersOf(cwd: string, values: readonly string[]): ReadonlySet<string> {
  const own = temporaryFolderOf(cwd)
  if (own === undefined)
    throw new Error(`${cwd} is no temporary folder: a process of a test may not run there`)
  const others = values.flatMap((value) => value.split(',')).filter((value) => value.startsWith('/'))
  return new Set([own, ...others.map(temporaryFolderOf).filter((folder) => folder !== undefined)])
}
