import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { obolOptions } from '../adapters/obol/options.js'
import { sidecarOptions } from '../adapters/sidecar/options.js'
import { ssvOptions } from '../adapters/ssv/options.js'
import { commonOptions } from '../core/command.js'
import type { OptionSet } from '../core/options.js'
import { operatorOptions, viewOptions } from '../operator/agent/options.js'
import { collectOptions } from '../operator/collect/options.js'
import { consolidateOptions, withdrawOptions } from '../operator/requests/options.js'
import { newTokenOptions, revokeTokenOptions, tokenOptions } from '../relayer/access/options.js'
import { backupOptions, restoreOptions, verifyOptions } from '../relayer/maintenance/options.js'
import { relayerOptions } from '../relayer/options.js'
import { DvtExitProcess } from './devnet/processes.js'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A folder of its own, where a command may write. */
const folder = mkdtempSync(join(tmpdir(), 'dvt-exit-cli-'))

/** Runs the command to its end, in an environment of its own. */
async function dvtExit(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const command = new DvtExitProcess('dvt-exit', args, env, folder)
  const { code } = await command.exited
  return { code, stdout: command.stdout, stderr: command.stderr }
}

const COMMANDS: readonly [string, OptionSet][] = [
  ['sidecar obol', { ...sidecarOptions, ...obolOptions }],
  ['sidecar ssv', { ...sidecarOptions, ...ssvOptions }],
  ['sidecar', { ...sidecarOptions, ...obolOptions, ...ssvOptions }],
  ['relayer', relayerOptions],
  ['relayer token new', newTokenOptions],
  ['relayer token list', tokenOptions],
  ['relayer token revoke', revokeTokenOptions],
  ['relayer backup', backupOptions],
  ['relayer restore', restoreOptions],
  ['relayer verify', verifyOptions],
  ['operator', operatorOptions],
  ['operator status', viewOptions],
  ['operator validators', viewOptions],
  ['operator collect', collectOptions],
  ['operator withdraw', withdrawOptions],
  ['operator consolidate', consolidateOptions],
]

describe('command line', () => {
  after(() => rmSync(folder, { recursive: true }))

  for (const [command, options] of COMMANDS) {
    it(`shows every option of "${command}" with its environment variables and default in --help`, async () => {
      const { code, stdout } = await dvtExit([...command.split(' '), '--help'])
      expect(code).to.equal(0)
      const help = stdout.replace(/\s+/g, '')
      for (const option of Object.values({ ...options, ...commonOptions })) {
        expect(help).to.include(`--${option.flag}`)
        for (const name of option.env) expect(help, option.flag).to.include(name)
        const { default: fallback } = option as { default?: string }
        if (fallback !== undefined)
          expect(help, option.flag).to.include(`default${fallback.replace(/\s+/g, '')}`)
      }
    })
  }

  it('knows every environment variable that the README names, and every flag', () => {
    const known = COMMANDS.flatMap(([, options]) => Object.values({ ...options, ...commonOptions }))
    const names = new Set<string>(known.flatMap((option) => [...option.env]))
    const flags = new Set<string>(known.map((option) => option.flag))
    const inReadme = README.match(/\b[A-Z]{2,}(_[A-Z0-9]+)+\b/g) ?? []
    expect(inReadme.filter((name) => !names.has(name))).to.deep.equal([])
    const own = README.match(/(?<=`|\s)--[a-z][a-z-]+/g) ?? []
    const others = ['--once', '--help', '--relayer-type']
    expect(own.filter((flag) => !others.includes(flag) && !flags.has(flag.slice(2)))).to.deep.equal([])
  })

  it('ends with exit code 2 and one line for wrong usage', async () => {
    for (const args of [
      [],
      ['sidecars'],
      ['relayer', '--prot', '1'],
      ['operator', 'sing'],
      ['relayer', 'token'],
    ]) {
      const { code, stderr } = await dvtExit(args)
      expect(code, args.join(' ')).to.equal(2)
      expect(stderr.trim().split('\n'), args.join(' ')).to.have.length(1)
    }
  })

  it('ends with exit code 2 and names each wrong value, with where it came from', async () => {
    const { code, stderr } = await dvtExit(['relayer', '--port', '99999'], {
      VALIDATOR_LIFETIME: 'long',
      NETWORK: 'hoodi',
    })
    expect(code).to.equal(2)
    expect(stderr).to.include('--port').and.include('VALIDATOR_LIFETIME')
  })

  it('ends with exit code 2 for an unknown network, a missing option and a missing config file', async () => {
    const beacon = { UNCHECKED_EXITS: 'true', RELAYER_ENDPOINT: 'http://127.0.0.1:1' }
    for (const [args, env, named] of [
      [['sidecar', 'obol'], { ...beacon, NETWORK: 'goerli', OBOL_KEYSTORES_DIR: '/nowhere' }, 'goerli'],
      [['sidecar', 'obol'], { ...beacon, NETWORK: 'hoodi' }, 'OBOL_KEYSTORES_DIR'],
      [['sidecar'], { ...beacon, NETWORK: 'hoodi' }, 'CLUSTER_TYPE'],
      [['sidecar', 'obol', '--config', '/nowhere/config.env'], {}, '/nowhere/config.env'],
      [['sidecar', 'obol'], { NETWORK: 'hoodi', RELAYER_ENDPOINT: 'http://127.0.0.1:1' }, 'UNCHECKED_EXITS'],
    ] as const) {
      const { code, stderr } = await dvtExit(args, env)
      expect(code, stderr).to.equal(2)
      expect(stderr).to.include(named)
      expect(stderr.trim().split('\n')).to.have.length(1)
    }
  })
})
