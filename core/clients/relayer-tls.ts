/** How sidecars and operators prove a relayer's certificate, and their own to it. */
import { Agent } from 'node:https'
import { createSecureContext } from 'node:tls'
import { type KeyedCertificate, loadAuthorities, loadKeyedCertificate } from '../certificates.js'
import { ConfigurationError, UnavailableError } from '../errors.js'
import type { UnreachableError } from './endpoint.js'

export interface RelayerTls {
  /** PEM of the authorities that are trusted in place of Node's own; Node's where absent. */
  readonly authorities?: string
  /** What this caller shows. */
  readonly own?: KeyedCertificate
}

/** Paths of PEM files. */
export interface RelayerTlsOptions {
  readonly relayerCaFile: string | undefined
  readonly relayerClientCertFile: string | undefined
  readonly relayerClientKeyFile: string | undefined
}

/** Milliseconds after which an idle connection is closed, as Node's own agent has it. */
const IDLE = 5_000

/**
 * Reads what the options name.
 * @param now milliseconds since 1970
 * @returns undefined where nothing is given
 * @throws ConfigurationError INCOMPLETE_TLS, TLS_FILE_UNREADABLE, INVALID_TLS, CERTIFICATE_EXPIRED
 */
export function loadRelayerTls(options: RelayerTlsOptions, now: number = Date.now()): RelayerTls | undefined {
  const { relayerCaFile, relayerClientCertFile, relayerClientKeyFile } = options
  const own = loadOwn(relayerClientCertFile, relayerClientKeyFile, now)
  if (relayerCaFile === undefined && own === undefined) return undefined
  return {
    ...(relayerCaFile === undefined ? {} : { authorities: loadAuthorities(relayerCaFile, now) }),
    ...(own === undefined ? {} : { own }),
  }
}

function loadOwn(
  certFile: string | undefined,
  keyFile: string | undefined,
  now: number,
): KeyedCertificate | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined) {
    throw new ConfigurationError('INCOMPLETE_TLS', 'a client certificate needs its key', {
      hint: 'Set both RELAYER_CLIENT_CERT_FILE and RELAYER_CLIENT_KEY_FILE',
    })
  }
  const own = loadKeyedCertificate(certFile, keyFile)
  if (own.validTo >= now) return own
  throw new ConfigurationError(
    'CERTIFICATE_EXPIRED',
    `${certFile}: this client certificate expired on ${dayOf(own.validTo)}, the relayer will refuse it`,
    { hint: 'Get a new one from whoever runs the relayer' },
  )
}

/** Makes connections that always prove the relayer's certificate, also under NODE_TLS_REJECT_UNAUTHORIZED=0. */
export function relayerAgent({ authorities, own }: RelayerTls = {}): Agent {
  return new Agent({
    keepAlive: true,
    timeout: IDLE,
    rejectUnauthorized: true,
    // Made here, so that the agent does not keep the key as text.
    secureContext: createSecureContext({
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(own === undefined ? {} : { cert: own.cert, key: own.key.reveal() }),
      minVersion: 'TLSv1.2',
    }),
  })
}

const UNTRUSTED =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\w+|CERT_(UNTRUSTED|SIGNATURE_FAILURE|CHAIN_TOO_LONG|REJECTED|REVOKED)|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/
const EXPIRED = /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/
/** TLS 1.3 has an alert of its own, TLS 1.2 only a failed handshake. */
const OWN_NEEDED = /alert (certificate required|handshake failure)/i
const OWN_REFUSED =
  /alert (unknown ca|bad certificate|unsupported certificate|certificate (expired|revoked|unknown)|access denied)/i
const NOT_TLS = /wrong version number|packet length too long/i

/**
 * What a failed https request to a relayer means where certificates are the reason, with what to do.
 * @param own what this caller shows
 * @param answered whether this relayer has answered this caller before
 * @param now milliseconds since 1970
 * @returns an error whose code begins with RELAYER_, or the failure itself
 */
export function explainTlsFailure(
  failure: UnreachableError,
  own: KeyedCertificate | undefined,
  answered: boolean,
  now: number,
): UnavailableError {
  const { reason = '', message } = failure
  const explained = (code: string, what: string, hint: string) =>
    new UnavailableError(code, `${message}: ${what}`, { hint })
  if (UNTRUSTED.test(reason)) {
    return explained(
      'RELAYER_CERTIFICATE_UNTRUSTED',
      'nobody trusted here signed the relayer’s certificate',
      'If its authority is a private one, point RELAYER_CA_FILE to that authority’s certificate; if you have done so, someone may stand between you and the relayer',
    )
  }
  if (EXPIRED.test(reason)) {
    return explained(
      'RELAYER_CERTIFICATE_EXPIRED',
      'the relayer’s certificate is not good at this time',
      'Whoever runs the relayer must renew it; check the clock of this machine too',
    )
  }
  if (reason === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return explained(
      'RELAYER_CERTIFICATE_WRONG_HOST',
      'the relayer’s certificate is for another name',
      'Write a name that the certificate has into RELAYER_ENDPOINT',
    )
  }
  if (own === undefined) {
    if (OWN_NEEDED.test(message)) {
      return explained(
        'RELAYER_CLIENT_CERTIFICATE_NEEDED',
        'the relayer asks for a client certificate',
        'Get one from whoever runs the relayer and set RELAYER_CLIENT_CERT_FILE and RELAYER_CLIENT_KEY_FILE',
      )
    }
  } else if (own.validTo < now && (reason === 'ECONNRESET' || OWN_REFUSED.test(message))) {
    return explained(
      'RELAYER_CLIENT_CERTIFICATE_REFUSED',
      `the client certificate expired on ${dayOf(own.validTo)}`,
      'Get a new one from whoever runs the relayer, put it into RELAYER_CLIENT_CERT_FILE and start again',
    )
  } else if (
    OWN_REFUSED.test(message) ||
    OWN_NEEDED.test(message) ||
    (reason === 'ECONNRESET' && !answered)
  ) {
    return explained(
      'RELAYER_CLIENT_CERTIFICATE_REFUSED',
      'the relayer ended the connection, as it does when it does not accept the client certificate',
      'Ask whoever runs the relayer which authority it accepts and whether RELAYER_CLIENT_CERT_FILE is signed by it',
    )
  }
  if (NOT_TLS.test(message)) {
    return explained(
      'RELAYER_NOT_HTTPS',
      'what answers there does not speak https',
      'Check host and port of RELAYER_ENDPOINT',
    )
  }
  return failure
}

function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10)
}
