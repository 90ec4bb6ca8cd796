/** May this request do that: the relayer's rules of access, without I/O. */
import type { RefusalCode } from '../refusals.js'
import type { Credentials } from './credentials.js'
import {
  hostName,
  hostOf,
  isLocal,
  isLoopbackAddress,
  isLoopbackHost,
  type RequestOrigin,
} from './locality.js'
import { type Action, RIGHTS } from './roles.js'
import type { TokenIdentity } from './tokens.js'

export interface AccessSettings {
  /** Whether the relayer listens on loopback only. */
  readonly boundToLoopback: boolean
  /** Names that a Host header may hold beside loopback's, in lower case, without ports. */
  readonly allowedHosts: readonly string[]
  /** Elsewhere is served without tokens too (--open). */
  readonly open: boolean
  readonly requireTokensForReading: boolean
  readonly requireTokensForPosting: boolean
  /** Tokens are taken over plain HTTP from other machines too. */
  readonly allowPlainHttpTokens: boolean
  /** Pages of other sites that may call: exact origins, for example https://console.example. */
  readonly corsOrigins: readonly string[]
}

export interface AccessRequest extends RequestOrigin {
  readonly method: string
  /** Whether the connection is TLS. */
  readonly encrypted: boolean
  readonly credentials: Credentials
  /** Whom the token stands for; undefined without a token and for a wrong one. */
  readonly identity: TokenIdentity | undefined
}

export type Decision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly code: RefusalCode; readonly detail: string }

const ALLOWED: Decision = { allowed: true }
const refuse = (code: RefusalCode, detail: string): Decision => ({ allowed: false, code, detail })

/**
 * Decides by the table of rights. A wrong token is refused even where none is needed, so that a mistake in
 * the configuration shows; a right one that came in the clear is refused as burnt.
 */
export function decideAccess(action: Action, request: AccessRequest, settings: AccessSettings): Decision {
  if (!isKnownHost(hostOf(request), settings)) {
    return refuse('UNKNOWN_HOST', 'This Host name is not served here. Add it to RELAYER_ALLOWED_HOSTS')
  }
  if (changesSomething(request) && isForeignPage(request) && !isAllowedPage(request, settings))
    return refuse('FOREIGN_PAGE', 'Requests from pages of another site are refused')
  if (request.credentials.kind !== 'none' && request.identity === undefined) {
    return refuse('WRONG_TOKEN', 'Wrong token')
  }
  if (request.identity !== undefined) {
    if (isInTheClear(request) && !settings.allowPlainHttpTokens) {
      return refuse(
        'TOKEN_IN_THE_CLEAR',
        'This token came over plain HTTP and may have been read on its way: revoke it, make a new one, and use https',
      )
    }
    if (RIGHTS[action].roles.includes(request.identity.role)) return ALLOWED
  }
  if (mayWithoutToken(action, request, settings)) return ALLOWED
  const roles = RIGHTS[action].roles.join(' or ')
  return request.identity === undefined
    ? refuse('TOKEN_NEEDED', `A token is needed: ${roles}`)
    : refuse('ROLE_NOT_ALLOWED', `The role ${request.identity.role} may not do this: ${roles} may`)
}

/** Whether the caller may post for this share index: a sidecar's token is for its own alone. */
export function mayPostFor(shareIndex: bigint, identity: TokenIdentity | undefined): boolean {
  return identity?.role !== 'sidecar' || identity.shareIndexes.includes(shareIndex)
}

function mayWithoutToken(action: Action, request: AccessRequest, settings: AccessSettings): boolean {
  // A browser on this machine acts for the page that it shows, wherever that comes from.
  const local = isLocal(request) && !isAllowedPage(request, settings)
  const place = local ? 'local' : settings.open ? 'open' : 'elsewhere'
  const right = RIGHTS[action].withoutToken[place]
  if (right !== 'unless-told-otherwise') return right
  return action === 'reading' ? !settings.requireTokensForReading : !settings.requireTokensForPosting
}

/** Against DNS rebinding: a page's own name, resolved to this machine, must not be taken for this machine. */
function isKnownHost(host: string | undefined, settings: AccessSettings): boolean {
  if (isLoopbackHost(host)) return true
  if (settings.allowedHosts.length === 0) return !settings.boundToLoopback
  const name = host === undefined ? undefined : hostName(host)
  return name !== undefined && settings.allowedHosts.includes(name)
}

function changesSomething({ method }: AccessRequest): boolean {
  return !/^(GET|HEAD|OPTIONS)$/.test(method)
}

/** A browser names the page that sends a form or a script's request; peers of ours send no Origin. */
function isForeignPage(request: AccessRequest): boolean {
  const { origin } = request.headers
  if (origin === undefined) return false
  return !(typeof origin === 'string' && URL.canParse(origin) && new URL(origin).host === hostOf(request))
}

/** A page of another site that whoever runs the relayer named. It needs the token of whom it acts for. */
function isAllowedPage(request: AccessRequest, { corsOrigins }: AccessSettings): boolean {
  const { origin } = request.headers
  return typeof origin === 'string' && corsOrigins.includes(origin) && isForeignPage(request)
}

/** Over plain HTTP from another machine, as the connection or the proxy on this machine says. */
function isInTheClear(request: AccessRequest): boolean {
  if (request.encrypted) return false
  if (!isLoopbackAddress(request.peer)) return true
  const protocol = request.headers['x-forwarded-proto']
  return typeof protocol === 'string' && protocol.split(',')[0]?.trim().toLowerCase() === 'http'
}
