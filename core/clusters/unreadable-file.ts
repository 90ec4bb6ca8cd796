import { ConfigurationError, describeError } from '../errors.js'

/**
 * The error for a file that cannot be read. Charon and SSV write theirs for their own user alone, so a file
 * that this user may not read is the usual case and the error says so.
 * @param missingHint what to do where the file is not there, if more can be said than to check its name
 */
export function unreadableFile(
  what: string,
  file: string,
  cause: unknown,
  missingHint = 'Check its name: relative ones begin at the folder in which the command was started',
): ConfigurationError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EACCES' || code === 'EPERM') {
    return new ConfigurationError('UNREADABLE_FILE', `${what} ${file} may not be read by this user`, {
      hint: 'Charon and SSV let only the owner read their files (mode 0400): run as that user, or give this one the right (setfacl -m u:USER:r FILE)',
      cause,
    })
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new ConfigurationError('UNREADABLE_FILE', `${what} ${file} is not there`, {
      cause,
      hint: missingHint,
    })
  }
  return new ConfigurationError(
    'UNREADABLE_FILE',
    `${what} ${file} cannot be read: ${describeError(cause)}`,
    { cause, hint: 'It must be a file that this user may read' },
  )
}
