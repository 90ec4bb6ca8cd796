/** Whether a request comes from this machine, as far as that can be told. */
import { isIP } from 'node:net'
import { isLoopbackHost as isLoopbackName } from '../../core/clients/loopback.js'

/** What a request says about where it comes from. */
export interface RequestOrigin {
  /** The peer's address; undefined where the socket has none. */
  readonly peer: string | undefined
  /** Names and values of the headers, names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The protocol's version, for example 1.1. */
  readonly httpVersion: string
}

/** Headers that a proxy adds. One of them means that the peer is a proxy on this machine, not the caller. */
const PROXY_HEADERS =
  /^(forwarded|x-forwarded(-.*)?|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|via)$/

/**
 * A request is local when its peer is loopback, its Host names loopback, and no proxy has passed it on.
 * HTTP/1.0 is what proxies speak that add no header (nginx by default), so it never counts as local.
 */
export function isLocal(origin: RequestOrigin): boolean {
  return (
    isLoopbackAddress(origin.peer) &&
    isLoopbackHost(hostOf(origin)) &&
    origin.httpVersion !== '1.0' &&
    !isForwarded(origin)
  )
}

export function isForwarded(origin: RequestOrigin): boolean {
  return Object.keys(origin.headers).some((name) => PROXY_HEADERS.test(name))
}

/** The Host header, undefined where it is absent. */
export function hostOf(origin: RequestOrigin): string | undefined {
  const host = origin.headers['host']
  return typeof host === 'string' ? host : undefined
}

/** 127.0.0.0/8, ::1, and the former written as IPv6. */
export function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false
  const plain = address.replace(/^::ffff:/i, '')
  return isIP(plain) !== 0 && isLoopbackName(plain)
}

/** Whether a Host header, with or without port, names loopback: localhost, 127.0.0.0/8 or [::1]. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = host === undefined ? undefined : hostName(host)
  return name === 'localhost' || isLoopbackAddress(name)
}

/** The name in a Host header, without port and brackets, in lower case; undefined where it is malformed. */
export function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]@/\s]+))(?::\d{1,5})?$/i.exec(host)
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '')
}
