/**
 * Options of the command line: each is a flag, an environment variable and a line of the config file, in
 * that order of precedence. All three give text, which the option parses once into its typed value.
 */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { ConfigurationError, ConfigurationErrors, type DvtExitError, describeError } from './errors.js'

export interface Option<T> {
  /** The flag's name without dashes, kebab-case. */
  readonly flag: string
  /** Environment names, the first of which is shown first; the peers' names where they have one. */
  readonly env: readonly string[]
  /** What it is, one line, with its unit. */
  readonly describe: string
  /** The text used when none is given; absent: the option is undefined then. */
  readonly default?: string
  /** A switch needs no text after its flag. */
  readonly switch?: true
  /** A word for the value in --help, for example FILE. */
  readonly placeholder?: string
  /** Turns the text into the value; throws an Error whose message says what is expected. */
  readonly parse: (text: string) => T
}

export type OptionSet = Readonly<Record<string, Option<unknown>>>
/** The typed values of a set: options without default may be undefined. */
export type Values<S extends OptionSet> = {
  readonly [K in keyof S]: S[K] extends Option<infer T>
    ? S[K] extends { readonly default: string }
      ? T
      : T | undefined
    : never
}

/** Where values come from. Flags are keyed by the flag's name. */
export interface OptionSources {
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** A file of NAME=value lines, with the environment's names. */
  readonly configFile?: string | undefined
}

/**
 * Reads a set of options. All wrong values are reported at once.
 * @throws ConfigurationError INVALID_OPTION, or ConfigurationErrors with several of them
 */
export function readOptions<S extends OptionSet>(options: S, sources: OptionSources): Values<S> {
  const file = sources.configFile === undefined ? {} : readConfigFile(sources.configFile)
  const values: Record<string, unknown> = {}
  const errors: DvtExitError[] = []
  for (const [key, option] of Object.entries(options)) {
    const found = lookUp(option, sources, file)
    try {
      values[key] = found === undefined ? undefined : option.parse(found.text)
    } catch (error) {
      errors.push(new ConfigurationError('INVALID_OPTION', `${found?.origin}: ${describeError(error)}`))
    }
  }
  const [first] = errors
  if (first !== undefined) throw errors.length === 1 ? first : new ConfigurationErrors(errors)
  return values as Values<S>
}

function lookUp(option: Option<unknown>, sources: OptionSources, file: Record<string, string | undefined>) {
  const flag = sources.flags[option.flag]
  if (flag !== undefined) return { text: String(flag), origin: `--${option.flag}` }
  for (const origin of [sources.env, file]) {
    for (const name of option.env) {
      const text = origin[name]
      if (text !== undefined && text !== '') return { text, origin: name }
    }
  }
  return option.default === undefined ? undefined : { text: option.default, origin: `--${option.flag}` }
}

function readConfigFile(path: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Record<string, string | undefined>
  } catch (cause) {
    throw new ConfigurationError(
      'INVALID_CONFIG_FILE',
      `cannot read config file ${path}: ${describeError(cause)}`,
      {
        cause,
        hint: 'It must hold NAME=value lines, with the names of the environment variables',
      },
    )
  }
}

/** The value of an option that must be there. @throws ConfigurationError MISSING_OPTION */
export function required<T>(value: T | undefined, option: Option<T>): T {
  if (value !== undefined) return value
  throw new ConfigurationError('MISSING_OPTION', `--${option.flag} is missing`, {
    hint: `Give the flag or set ${option.env[0]}: ${option.describe}`,
  })
}

/** Parsers for the usual kinds of value. */
export const text = (value: string): string => value
export const flag = (value: string): boolean => {
  if (/^(true|1|yes)$/i.test(value)) return true
  if (/^(false|0|no)$/i.test(value)) return false
  throw new Error(`expected true or false, got "${value}"`)
}
export const integer =
  (min: number, max: number) =>
  (value: string): number => {
    const number = Number(value)
    if (/^\d+$/.test(value) && number >= min && number <= max) return number
    throw new Error(`expected an integer from ${min} to ${max}, got "${value}"`)
  }
export const list = (value: string): readonly string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
export const oneOf =
  <T extends string>(...choices: readonly T[]) =>
  (value: string): T => {
    const choice = choices.find((candidate) => candidate === value)
    if (choice === undefined) throw new Error(`expected one of ${choices.join(', ')}, got "${value}"`)
    return choice
  }
/** An http or https URL, without a slash at its end. The error does not repeat it: it may carry a key. */
export const url = (value: string): string => {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new Error('expected an http:// or https:// URL')
  }
  return value.replace(/\/+$/, '')
}
/** One or more URLs, comma-separated, tried in turn. One that is named twice has one voice. */
export const urls = (value: string): readonly string[] => {
  const parts = [...new Set(list(value).map(url))]
  if (parts.length === 0) throw new Error('expected at least one URL')
  return parts
}
