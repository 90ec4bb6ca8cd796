import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { ConfigurationError, describeError } from '../../core/errors.js'

export interface TlsFiles {
  /** Certificate chain, PEM. */
  readonly cert: string
  /** Private key, PEM. */
  readonly key: string
}

/**
 * Reads certificate and key, and checks that they belong together.
 * @returns undefined where neither is given: plain HTTP
 * @throws ConfigurationError INCOMPLETE_TLS, TLS_FILE_UNREADABLE, INVALID_TLS
 */
export function loadTls(certFile: string | undefined, keyFile: string | undefined): TlsFiles | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined) {
    throw new ConfigurationError('INCOMPLETE_TLS', 'https needs a certificate and its key', {
      hint: 'Set both RELAYER_TLS_CERT_FILE and RELAYER_TLS_KEY_FILE',
    })
  }
  const files = { cert: read(certFile), key: read(keyFile) }
  try {
    createSecureContext(files)
  } catch (cause) {
    const what = `${certFile} and ${keyFile} are no certificate with its key: ${describeError(cause)}`
    throw new ConfigurationError('INVALID_TLS', what, { cause, hint: 'Both must be PEM' })
  }
  return files
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigurationError('TLS_FILE_UNREADABLE', `cannot read ${file}: ${describeError(cause)}`, {
      cause,
    })
  }
}
