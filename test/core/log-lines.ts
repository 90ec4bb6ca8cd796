/** Logs one event, given as JSON arguments: format, level of the logger, fields, message. */
import { createLogger, type LogFormat, type LogLevel } from '../../core/log.js'

const [format, level, fields, message] = process.argv.slice(2)
const logger = createLogger('relayer', level as LogLevel, format as LogFormat)
logger.warn(JSON.parse(fields ?? '{}') as object, JSON.parse(message ?? '""') as string)
