import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { obolOptions } from '../adapters/obol/options.js'
import { sidecarOptions } from '../adapters/sidecar/options.js'
import { ssvOptions } from '../adapters/ssv/options.js'
import { commonOptions } from '../core/command.js'
import { operatorOptions, viewOptions } from '../operator/agent/options.js'
import { collectOptions } from '../operator/collect/options.js'
import { consolidateOptions, withdrawOptions } from '../operator/requests/options.js'
import { newTokenOptions } from '../relayer/access/options.js'
import { restoreOptions, verifyOptions } from '../relayer/maintenance/options.js'
import { relayerOptions } from '../relayer/options.js'
import { REFUSALS } from '../relayer/refusals.js'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

/** Names in capitals that are no codes: what the system, SQLite, Node or Fastify call theirs. */
const NOT_OURS = /^(ERR|HPE|SQLITE|UV|FST|NODE|DVT_EXIT)_|^(BLS_WASM|WAL_CHECKPOINT)$/
/** Classes of errors, and the answer that one of them means. */
const ANSWERS: Readonly<Record<string, string>> = {
  ConfigurationError: 'exit 2',
  DvtExitError: 'exit 1',
  UnavailableError: 'exit 1',
  NotNow: 'waits',
}

interface Row {
  readonly code: string
  readonly answers: readonly string[]
  readonly meaning: string
  readonly action: string
}

function documented(): Row[] {
  const text = readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8')
  return [...text.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, code = '', answer = '', meaning = '', action = '']) => ({
      code,
      answers: answer.split(' or '),
      meaning,
      action,
    }),
  )
}

/** The sources of the package, with their paths. */
function sources(): { file: string; text: string }[] {
  const files = ['core', 'adapters', 'relayer', 'operator'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(folder, file)),
  )
  return [...files, 'cli.ts'].map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }))
}

const optionNames = new Set(
  [
    commonOptions,
    relayerOptions,
    newTokenOptions,
    restoreOptions,
    verifyOptions,
    sidecarOptions,
    obolOptions,
    ssvOptions,
    operatorOptions,
    viewOptions,
    collectOptions,
    withdrawOptions,
    consolidateOptions,
  ].flatMap((set) => Object.values(set).flatMap((option) => option.env)),
)

/** Every name of several words in capitals that is no option's, and every first argument of an error's class. */
function codesInSources(): Map<string, string> {
  const codes = new Map<string, string>()
  for (const { file, text } of sources()) {
    for (const [, code = ''] of text.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)) codes.set(code, file)
    for (const [, code = ''] of text.matchAll(/(?:Error|NotNow|Refusal)\(\s*'([A-Z]+)'/g))
      codes.set(code, file)
  }
  for (const name of codes.keys()) if (NOT_OURS.test(name) || optionNames.has(name)) codes.delete(name)
  for (const code of Object.keys(REFUSALS)) codes.set(code, 'relayer/refusals.ts')
  codes.set('WRONG_USAGE', 'cli.ts')
  return codes
}

/** The answers that the sources give with each code, as far as they name its class beside it. */
function answersInSources(): Map<string, Set<string>> {
  const answers = new Map<string, Set<string>>()
  for (const { text } of sources()) {
    for (const [, name = '', code = ''] of text.matchAll(/new (\w+)\(\s*'([A-Z][A-Z0-9_]+)'/g)) {
      const status = name in ANSWERS ? undefined : (REFUSALS as Record<string, number>)[code]
      const answer = status === undefined ? ANSWERS[name] : `HTTP ${status}`
      if (answer === undefined) continue
      answers.set(code, (answers.get(code) ?? new Set()).add(answer))
    }
  }
  for (const [code, status] of Object.entries(REFUSALS)) {
    answers.set(code, (answers.get(code) ?? new Set()).add(`HTTP ${status}`))
  }
  return answers
}

describe('the table of error codes', () => {
  it('names every code of the sources, and no other', () => {
    const codes = codesInSources()
    const rows = documented()
      .map(({ code }) => code)
      .filter((code) => code === code.toUpperCase())
    const missing = [...codes].filter(([code]) => !rows.includes(code))
    expect(missing, 'codes that the table lacks').to.deep.equal([])
    expect(
      rows.filter((code) => !codes.has(code)),
      'codes that nothing has any more',
    ).to.deep.equal([])
  })

  it('says of each what it is answered with, as the sources do', () => {
    const inSources = answersInSources()
    for (const { code, answers } of documented()) {
      // Refusals of requests are DvtExitErrors too, and end no command.
      const ofCode = [...(inSources.get(code) ?? [])]
      const expected = code in REFUSALS ? ofCode.filter((answer) => answer !== 'exit 1') : ofCode
      for (const answer of expected) expect(answers, code).to.include(answer)
    }
  })

  it('names every reason of a rejected share and of a refusal in the audit log', () => {
    const rows = documented().filter(({ code }) => code !== code.toUpperCase())
    const reasons = sources().flatMap(({ file, text }) =>
      [
        ...text.matchAll(/type (?:RejectionReason|RefusalReason|DepositRefusal) =((?:\s*\|?\s*'[a-z-]+')+)/g),
      ].flatMap(([, union = '']) =>
        [...union.matchAll(/'([a-z-]+)'/g)].map(([, reason]) => ({
          reason,
          answer: file.startsWith('relayer') ? 'in `rejected`' : 'in the audit log',
        })),
      ),
    )
    expect(reasons).to.have.length.greaterThan(7)
    expect(rows.map(({ code, answers }) => ({ reason: code, answer: answers.join() }))).to.have.deep.members(
      reasons,
    )
  })

  it('has each once, in order, with a meaning and what to do', () => {
    const rows = documented()
    const names = rows.map(({ code }) => code)
    const sorted = [...new Set(names)].sort()
    expect(names).to.deep.equal(sorted)
    for (const { code, meaning, action } of rows) {
      expect(meaning.trim(), code).to.not.equal('')
      expect(action.trim(), code).to.not.equal('')
    }
  })
})
