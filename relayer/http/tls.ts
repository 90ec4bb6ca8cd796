/** The relayer's https: its certificate, and whose certificates it asks of callers. */
import type { ServerOptions } from 'node:https'
import type { Server, TLSSocket } from 'node:tls'
import { type KeyedCertificate, loadAuthorities, loadKeyedCertificate } from '../../core/certificates.js'
import { Conditions } from '../../core/conditions.js'
import { ConfigurationError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'

export interface TlsFiles extends KeyedCertificate {
  /** PEM of the authority that callers' certificates must be signed by; none is asked where absent. */
  readonly clientAuthorities?: string
}

/** Paths of PEM files. */
export interface TlsOptions {
  readonly tlsCertFile: string | undefined
  readonly tlsKeyFile: string | undefined
  readonly tlsClientCaFile: string | undefined
}

/**
 * Reads what https needs, and checks that it fits together.
 * @param now milliseconds since 1970
 * @returns undefined where nothing is given: plain HTTP
 * @throws ConfigurationError INCOMPLETE_TLS, TLS_FILE_UNREADABLE, INVALID_TLS, CERTIFICATE_EXPIRED
 */
export function loadTls(options: TlsOptions, now: number = Date.now()): TlsFiles | undefined {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile } = options
  if (tlsCertFile === undefined && tlsKeyFile === undefined && tlsClientCaFile === undefined) return undefined
  if (tlsCertFile === undefined || tlsKeyFile === undefined) {
    const what =
      tlsClientCaFile === undefined
        ? 'https needs a certificate and its key'
        : 'client certificates need https, and https a certificate and its key'
    throw new ConfigurationError('INCOMPLETE_TLS', what, {
      hint: 'Set both RELAYER_TLS_CERT_FILE and RELAYER_TLS_KEY_FILE',
    })
  }
  const own = loadKeyedCertificate(tlsCertFile, tlsKeyFile)
  return tlsClientCaFile === undefined
    ? own
    : { ...own, clientAuthorities: loadAuthorities(tlsClientCaFile, now) }
}

/** What Node's https server is made with. Callers without a right certificate get no further than the handshake. */
export function serverOptions({ cert, key, clientAuthorities }: TlsFiles): ServerOptions & { key?: string } {
  return {
    cert,
    key: key.reveal(),
    minVersion: 'TLSv1.2',
    ...(clientAuthorities === undefined
      ? {}
      : { ca: clientAuthorities, requestCert: true, rejectUnauthorized: true }),
  }
}

/** Takes the key from where Node and Fastify keep what a server was made with, so that nothing printed shows it. */
export function forgetKey(server: Server, options: { key?: string }): void {
  delete options.key
  Object.assign(server, { key: undefined })
}

/** Tells, once for each address and reason, whom the handshake refused: they see a connection that is cut. */
export function reportRefusedClients(server: Server, logger: Logger): void {
  const told = new Conditions(1000)
  server.on('tlsClientError', (error: Error & { code?: string }, socket: TLSSocket) => {
    const reason = refusalOf(error, socket)
    if (reason === undefined) return
    const peer = socket.remoteAddress ?? 'unknown'
    logger[told.begins(peer, reason) ? 'warn' : 'debug']({ peer, reason }, 'no valid client certificate')
  })
}

function refusalOf({ code }: { code?: string }, { authorizationError }: TLSSocket): string | undefined {
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'none was given'
  // What Node puts there is the code, though its types say an Error.
  return authorizationError === null || authorizationError === undefined
    ? undefined
    : String(authorizationError)
}
