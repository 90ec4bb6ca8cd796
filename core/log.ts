import { destination, type Logger, pino } from 'pino'

export type { Logger }

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export const LOG_FORMATS = ['plain', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** A logger to standard error: one line an event, for people (plain) or machines (json). */
export function createLogger(name: string, level: LogLevel, format: LogFormat): Logger {
  const options = { name, level, base: { name }, timestamp: () => `,"time":"${new Date().toISOString()}"` }
  const stderr = destination({ dest: 2, sync: true })
  return format === 'json'
    ? pino(options, stderr)
    : pino(options, { write: (line) => stderr.write(plainLine(line)) })
}

/** What comes from outside must neither look like another line nor steer the terminal. */
const LINE_BREAKS = /[\r\n\u2028\u2029\u0085]+/g
const CONTROLS = /\p{Cc}/gu

/** 2026-11-20 10:15:00.123 WARN  relayer: message key=value … */
function plainLine(line: string): string {
  const { level, time, name, msg, ...rest } = JSON.parse(line) as Record<string, unknown>
  const fields = Object.entries(rest).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const label = pino.levels.labels[Number(level)] ?? String(level)
  const text = `${String(msg ?? '')}${fields.join('')}`.replace(LINE_BREAKS, ' ⏎ ').replace(CONTROLS, '�')
  return `${String(time).replace('T', ' ').replace('Z', '')} ${label.toUpperCase().padEnd(5)} ${String(name)}: ${text}\n`
}
