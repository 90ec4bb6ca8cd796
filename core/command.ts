/** What every command of the product shares: how it is run, stopped, and how its failure is told. */
import type { Argv } from 'yargs'
import { DvtExitError, describeError, describeWithCode, exitCodeOf } from './errors.js'
import { createLogger, LOG_FORMATS, LOG_LEVELS, type LogFormat, type Logger, type LogLevel } from './log.js'
import { type Option, type OptionSet, oneOf, readOptions, text, type Values } from './options.js'
import { hardenProcess } from './process-hardening.js'

/** What a command gets beside its options. */
export interface CommandContext {
  /** Aborted at the first SIGINT or SIGTERM: finish what is under way and return. */
  readonly signal: AbortSignal
  readonly logger: Logger
}

/** Options of every command. */
export const commonOptions = {
  config: {
    flag: 'config',
    env: ['DVT_EXIT_CONFIG'],
    describe: 'file of NAME=value lines, with the names of the environment variables',
    placeholder: 'FILE',
    parse: text,
  },
  logLevel: {
    flag: 'log-level',
    env: ['LOG_LEVEL'],
    describe: `how much is logged: ${LOG_LEVELS.join(', ')}`,
    default: 'info',
    placeholder: 'LEVEL',
    parse: (value: string): LogLevel => oneOf(...LOG_LEVELS)(value.toLowerCase() as LogLevel),
  },
  logFormat: {
    flag: 'log-format',
    env: ['LOG_FORMAT'],
    describe: 'plain for people, json for machines',
    default: 'plain',
    placeholder: 'FORMAT',
    parse: (value: string): LogFormat => oneOf(...LOG_FORMATS)(value.toLowerCase() as LogFormat),
  },
} as const satisfies OptionSet

/** Declares a set's flags, each with its environment variables and default in the help. */
export function declareOptions(yargs: Argv, options: OptionSet): Argv {
  for (const option of Object.values(options)) {
    yargs.option(option.flag, {
      describe: helpText(option),
      ...(option.switch === true ? { boolean: true } : { string: true, requiresArg: true }),
    })
  }
  return yargs
}

function helpText(option: Option<unknown>): string {
  const remarks = [`env ${option.env.join(' or ')}`]
  if (option.default !== undefined) remarks.push(`default ${option.default}`)
  const value = option.placeholder === undefined ? '' : `${option.placeholder}: `
  return `${value}${option.describe} [${remarks.join('; ')}]`
}

/** Milliseconds. Those who stop processes wait ten seconds before they kill them, if they are not patient. */
const LONGEST_STOP = 9_000

/**
 * Reads the options and runs a command to its end, then ends the process: 0 done, 1 failed, 2 wrong usage
 * or configuration. The first SIGINT or SIGTERM asks it to stop, which takes nine seconds at most; the second ends
 * it at once.
 * @param name the logger's name
 */
export async function runCommand<S extends OptionSet>(
  name: string,
  options: S,
  flags: Readonly<Record<string, unknown>>,
  run: (values: Values<S>, context: CommandContext) => Promise<void>,
): Promise<void> {
  const warnings = hardenProcess()
  const stop = new AbortController()
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130)
    stop.abort()
    setTimeout(endAsItIs, LONGEST_STOP).unref()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    const given = { flags, env: process.env }
    const { config } = readOptions({ config: commonOptions.config }, given)
    const { logLevel, logFormat } = readOptions(commonOptions, { ...given, configFile: config })
    const values = readOptions(options, { ...given, configFile: config })
    const logger = createLogger(name, logLevel, logFormat)
    for (const warning of warnings) logger.warn(warning)
    await run(values, { signal: stop.signal, logger })
    process.exit(0)
  } catch (error) {
    process.exit(reportFailure(error))
  }
}

/** Whoever told it to stop kills it soon. All that counts is on the disk, and the next start goes on with it. */
function endAsItIs(): void {
  process.stderr.write('dvt-exit: something that it waits for did not answer, it stops without that\n')
  process.exit(0)
}

/** Prints an expected error as one line, any other with its stack. Returns the exit code. */
export function reportFailure(error: unknown): 1 | 2 {
  process.stderr.write(`dvt-exit: ${describeFailure(error)}\n`)
  return exitCodeOf(error)
}

function describeFailure(error: unknown): string {
  if (error instanceof DvtExitError) return describeWithCode(error)
  return (error instanceof Error ? error.stack : undefined) ?? describeError(error)
}
