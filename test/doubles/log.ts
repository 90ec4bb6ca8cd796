import { pino } from 'pino'
import type { Logger } from '../../core/log.js'

/** A logger that keeps its lines: everything that would be printed, level included. */
export class TestLog {
  /** Each line as JSON text. */
  readonly lines: string[] = []
  readonly logger: Logger = pino({ level: 'trace' }, { write: (line) => void this.lines.push(line) })

  /** The messages of one level. */
  messages(level: 'debug' | 'info' | 'warn' | 'error'): string[] {
    return this.lines
      .map((line) => JSON.parse(line) as { level: number; msg: string })
      .filter((line) => line.level === pino.levels.values[level])
      .map((line) => line.msg)
  }
}
