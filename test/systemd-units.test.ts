import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { obolOptions } from '../adapters/obol/options.js'
import { sidecarOptions } from '../adapters/sidecar/options.js'
import { ssvOptions } from '../adapters/ssv/options.js'
import { commonOptions } from '../core/command.js'
import { type OptionSet, readOptions } from '../core/options.js'
import { operatorOptions } from '../operator/agent/options.js'
import { relayerOptions } from '../relayer/options.js'

const FOLDER = fileURLToPath(new URL('../docs/systemd/', import.meta.url))
const COMMANDS: Readonly<Record<string, OptionSet>> = {
  relayer: relayerOptions,
  sidecar: { ...sidecarOptions, ...obolOptions, ...ssvOptions },
  operator: operatorOptions,
}

/** The values of each directive of a unit, in order. */
function directivesOf(unit: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [, name = '', value = ''] of unit.matchAll(/^([A-Za-z]+)=(.*)$/gm)) {
    found.set(name, [...(found.get(name) ?? []), value])
  }
  return found
}

describe('the documented systemd units', () => {
  const files = readdirSync(FOLDER)

  it('are one for each part that runs', () => {
    expect(files).to.have.members(Object.keys(COMMANDS).map((command) => `dvt-exit-${command}.service`))
  })

  for (const [command, options] of Object.entries(COMMANDS)) {
    describe(command, () => {
      const file = `${FOLDER}dvt-exit-${command}.service`
      const unit = readFileSync(file, 'utf8')
      const directives = directivesOf(unit)
      const environment = Object.fromEntries(
        (directives.get('Environment') ?? []).flatMap((line) =>
          line.split(' ').map((pair) => pair.split('=') as [string, string]),
        ),
      )

      it('sets options that there are, to values that they take', () => {
        const all = { ...options, ...commonOptions }
        const names = new Set<string>(Object.values(all).flatMap(({ env }) => env))
        expect(Object.keys(environment).filter((name) => !names.has(name))).to.deep.equal([])
        expect(() => readOptions(all, { flags: {}, env: environment })).to.not.throw()
        expect(directives.get('ExecStart')).to.deep.equal([`/usr/bin/env dvt-exit ${command}`])
      })

      it('writes to its own folders alone, and keeps the memory in memory', () => {
        const folders = directives.get('StateDirectory')?.map((folder) => `/var/lib/${folder}/`) ?? []
        for (const name of ['DATABASE', 'AUDIT_LOG', 'RELAYER_KEY_FILE']) {
          const path = environment[name]
          if (path === undefined) continue
          expect(
            folders.some((folder) => path.startsWith(folder)),
            `${name}=${path}`,
          ).to.equal(true)
        }
        for (const line of [
          'LimitCORE=0',
          'MemorySwapMax=0',
          'NoNewPrivileges=true',
          'ProtectSystem=strict',
          'ProtectHome=true',
          'PrivateTmp=true',
          'RestartPreventExitStatus=2',
          'UMask=0077',
          'User=dvt-exit',
        ]) {
          const [name = '', value] = line.split('=')
          expect(directives.get(name)?.at(-1), line).to.equal(value)
        }
        expect(unit).to.not.match(/MemoryDenyWriteExecute=/)
      })

      it('is one that systemd takes', function () {
        const { error, status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
        if (error !== undefined) this.skip()
        expect(stderr).to.not.match(/Unknown|Failed to parse|Invalid|ignoring/)
        expect(status).to.equal(0)
      })
    })
  }

  it('keep the relayer’s key apart from its database', () => {
    const unit = readFileSync(`${FOLDER}dvt-exit-relayer.service`, 'utf8')
    const [key = '', database = ''] = ['RELAYER_KEY_FILE', 'DATABASE'].map(
      (name) => new RegExp(`${name}=(\\S+)/[^/]+$`, 'm').exec(unit)?.[1],
    )
    expect(key).to.not.equal('')
    expect(`${key}/`.startsWith(`${database}/`)).to.equal(false)
  })
})
