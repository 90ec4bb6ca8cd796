/** Certificates, keys and authorities in PEM files, checked before anything relies on them. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { ConfigurationError, describeError } from './errors.js'
import { Secret } from './secret.js'

/** A certificate chain with its key. */
export interface KeyedCertificate {
  /** The chain, PEM, this party's own certificate first. */
  readonly cert: string
  /** PEM. */
  readonly key: Secret<string>
  /** Until when the own certificate is good, milliseconds since 1970. */
  readonly validTo: number
}

const HINT = 'Give PEM files: a certificate (chain), and its own private key, not encrypted'
const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g

/**
 * Reads a certificate and its key, and checks that they belong together.
 * @throws ConfigurationError TLS_FILE_UNREADABLE, INVALID_TLS
 */
export function loadKeyedCertificate(certFile: string, keyFile: string): KeyedCertificate {
  const cert = readPem(certFile)
  const key = readPem(keyFile)
  const [own] = certificatesIn(cert, certFile)
  try {
    createSecureContext({ cert, key })
  } catch (cause) {
    // OpenSSL's message names a place in its own code, never the file's content.
    const what = `${certFile} and ${keyFile} are no certificate with its key: ${describeError(cause)}`
    throw new ConfigurationError('INVALID_TLS', what, { cause, hint: HINT })
  }
  return { cert, key: new Secret(key), validTo: Date.parse(own.validTo) }
}

/**
 * Reads the certificates of one or more authorities.
 * @param now milliseconds since 1970
 * @returns PEM
 * @throws ConfigurationError TLS_FILE_UNREADABLE, INVALID_TLS, CERTIFICATE_EXPIRED where none is good now
 */
export function loadAuthorities(file: string, now: number): string {
  const content = readPem(file)
  const certificates = certificatesIn(content, file)
  if (certificates.every(({ validTo }) => Date.parse(validTo) < now)) {
    throw new ConfigurationError(
      'CERTIFICATE_EXPIRED',
      `${file}: the authority’s certificate expired on ${certificates[0].validTo}`,
      { hint: 'Put the authority’s current certificate there' },
    )
  }
  return content
}

/** @throws ConfigurationError INVALID_TLS where there is none, or one that cannot be read */
function certificatesIn(content: string, file: string): [X509Certificate, ...X509Certificate[]] {
  try {
    const [first, ...others] = (content.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem))
    if (first !== undefined) return [first, ...others]
  } catch (cause) {
    const what = `${file} holds a certificate that cannot be read: ${describeError(cause)}`
    throw new ConfigurationError('INVALID_TLS', what, { cause, hint: HINT })
  }
  throw new ConfigurationError('INVALID_TLS', `${file} holds no PEM certificate`, { hint: HINT })
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigurationError('TLS_FILE_UNREADABLE', `cannot read ${file}: ${describeError(cause)}`, {
      cause,
      hint: 'Name a PEM file that this user may read',
    })
  }
}
