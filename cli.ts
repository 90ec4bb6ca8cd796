#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import yargs, { type Argv } from 'yargs'
import { hideBin } from 'yargs/helpers'
import { obolOptions } from './adapters/obol/options.js'
import { sidecarOptions } from './adapters/sidecar/options.js'
import { ssvOptions } from './adapters/ssv/options.js'
import { type CommandContext, commonOptions, declareOptions, runCommand } from './core/command.js'
import type { OptionSet, Values } from './core/options.js'
import { operatorOptions, viewOptions } from './operator/agent/options.js'
import { collectOptions } from './operator/collect/options.js'
import { consolidateOptions, withdrawOptions } from './operator/requests/options.js'
import { newTokenOptions, revokeTokenOptions, tokenOptions } from './relayer/access/options.js'
import { backupOptions, restoreOptions, verifyOptions } from './relayer/maintenance/options.js'
import { relayerOptions } from './relayer/options.js'

/** The parts, loaded only when they run: showing help or a version needs none of them. */
const loadSidecar = () => import('./adapters/sidecar/command.js')
const loadRelayer = () => import('./relayer/command.js')
const loadTokens = () => import('./relayer/access/command.js')
const loadMaintenance = () => import('./relayer/maintenance/command.js')
const loadOperator = () => import('./operator/agent/command.js')
const loadView = () => import('./operator/view/command.js')
const loadRequests = () => import('./operator/requests/command.js')
const loadCollect = () => import('./operator/collect/command.js')

/** Adds one command, whose options come from a set, under a name that its logs carry. */
function command<S extends OptionSet>(
  parent: Argv,
  [usage, name, describe]: readonly [usage: string, name: string, describe: string],
  options: S,
  run: (values: Values<S>, context: CommandContext) => Promise<void>,
): Argv {
  return parent.command(
    usage,
    describe,
    (yargs) => declareOptions(declareOptions(yargs, options), commonOptions),
    (flags) => runCommand(name, options, flags, run),
  )
}

function sidecarCommands(yargs: Argv): Argv {
  const obol = { ...sidecarOptions, ...obolOptions }
  const ssv = { ...sidecarOptions, ...ssvOptions }
  command(yargs, ['obol', 'sidecar', 'beside a Charon node'], obol, async (values, context) =>
    (await loadSidecar()).runSidecar('obol', values, context),
  )
  command(yargs, ['ssv', 'sidecar', 'beside an SSV node'], ssv, async (values, context) =>
    (await loadSidecar()).runSidecar('ssv', values, context),
  )
  return command(
    yargs,
    ['$0', 'sidecar', 'the vendor that CLUSTER_TYPE names'],
    { ...obol, ...ssv },
    async (values, context) => (await loadSidecar()).runSidecar(undefined, values, context),
  )
}

function relayerCommands(yargs: Argv): Argv {
  yargs.command('token', 'tokens that let operators, sidecars and viewers in', (token) => {
    command(token, ['new', 'token', 'make a token and print it, once'], newTokenOptions, async (values) =>
      (await loadTokens()).runNewToken(values),
    )
    command(
      token,
      ['list', 'token', 'list the tokens, without what they are'],
      tokenOptions,
      async (values) => (await loadTokens()).runListTokens(values),
    )
    command(token, ['revoke', 'token', 'make a token useless'], revokeTokenOptions, async (values) =>
      (await loadTokens()).runRevokeToken(values),
    )
    return token.demandCommand(1, 'Say new, list or revoke')
  })
  command(
    yargs,
    ['backup [file]', 'relayer', 'write a copy of the database, also while the relayer runs'],
    backupOptions,
    async (values) => (await loadMaintenance()).runBackup(values),
  )
  command(
    yargs,
    ['restore [file]', 'relayer', 'make a backup the database'],
    restoreOptions,
    async (values) => (await loadMaintenance()).runRestore(values),
  )
  command(
    yargs,
    ['verify', 'relayer', 'check everything in the database, also while the relayer runs'],
    verifyOptions,
    async (values) => (await loadMaintenance()).runVerify(values),
  )
  return command(yargs, ['$0', 'relayer', 'run the relayer'], relayerOptions, async (values, context) =>
    (await loadRelayer()).runRelayer(values, context),
  )
}

function operatorCommands(yargs: Argv): Argv {
  command(
    yargs,
    ['collect', 'operator', 'collect exit signatures for the next validators'],
    collectOptions,
    async (values, context) => (await loadCollect()).runCollect(values, context),
  )
  command(
    yargs,
    ['status', 'operator', 'show the vault, its next keys, and what the agent waits for'],
    viewOptions,
    async (values, context) => (await loadView()).runStatus(values, context),
  )
  command(
    yargs,
    ['validators', 'operator', 'list the deposit data’s entries with their states'],
    viewOptions,
    async (values, context) => (await loadView()).runValidators(values, context),
  )
  command(
    yargs,
    ['withdraw', 'operator', 'have validators give back a part of their balance, or exit'],
    withdrawOptions,
    async (values, context) => (await loadRequests()).runWithdraw(values, context),
  )
  command(
    yargs,
    ['consolidate', 'operator', 'move validators’ balances into others, or make them compounding'],
    consolidateOptions,
    async (values, context) => (await loadRequests()).runConsolidate(values, context),
  )
  return command(
    yargs,
    ['$0', 'operator', 'register validators with the vault'],
    operatorOptions,
    async (values, context) => (await loadOperator()).runOperator(values, context),
  )
}

const { version } = JSON.parse(
  readFileSync(
    new URL(import.meta.url.endsWith('.ts') ? './package.json' : '../package.json', import.meta.url),
    'utf8',
  ),
) as { version: string }

await yargs(hideBin(process.argv))
  .scriptName('dvt-exit')
  .usage('$0 <command>\n\nCollects presigned voluntary exits of distributed validators.')
  .command('sidecar', 'sign the wanted exits with the key shares of one node', sidecarCommands)
  .command(
    'relayer',
    'publish the exits to sign, collect the shares, serve the oracles’ parts',
    relayerCommands,
  )
  .command('operator', 'register the validators of a vault with their exit signatures', operatorCommands)
  .demandCommand(1, 'Say sidecar, relayer or operator')
  .strict()
  .parserConfiguration({ 'camel-case-expansion': false, 'duplicate-arguments-array': true })
  .version(version)
  .help()
  .wrap(Math.min(120, process.stdout.columns ?? 100))
  .fail((message, error, usage) => {
    if (error !== undefined && error !== null) throw error
    process.stderr.write(`dvt-exit: ${message}. Run it with --help to see what there is [WRONG_USAGE]\n`)
    void usage
    process.exit(2)
  })
  .parseAsync()
