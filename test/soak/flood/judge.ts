/** What a hostile request may be answered, and what not. */
import type { Exchange, RawAnswer } from './raw-http.js'
import type { HostileRequest } from './request.js'

/** Hex of a signature's length, or so: what may be a share. */
const SHARE = /[0-9a-fA-F]{150,}/

/** What is wrong with an exchange; undefined where all is as it should be. */
export function faultOf(request: HostileRequest, exchange: Exchange): string | undefined {
  const { answers, rest, timedOut } = exchange
  if (timedOut) return `no end after ${answers.length} answers`
  if (request.expected !== undefined && answers.length < request.expected) {
    // A refusal before the body was read ends the connection.
    const isClosed = answers.at(-1)?.headers.get('connection') === 'close'
    if (!isClosed) return `${answers.length} answers instead of ${request.expected}`
  }
  if (/^HTTP\//.test(rest) && !request.bodiless) {
    return `half an answer: ${rest.slice(0, 200)}`
  }
  return answers.map((answer) => faultOfAnswer(answer, request.bodiless)).find((fault) => fault !== undefined)
}

function faultOfAnswer(answer: RawAnswer, bodiless: boolean): string | undefined {
  const { status, headers, body } = answer
  if (status >= 500) return `${status}: ${body.slice(0, 300)}`
  if (bodiless || status === 304 || status < 400) return undefined
  if (!headers.has('x-error-code')) return `${status} without a code: ${body.slice(0, 300)}`
  if (!/^application\/json/.test(headers.get('content-type') ?? ''))
    return `${status} is no JSON: ${body.slice(0, 300)}`
  if (SHARE.test(body)) return `${status} repeats what may be a share: ${body.slice(0, 300)}`
  return isDetail(body) ? undefined : `${status} without detail: ${body.slice(0, 300)}`
}

/** {detail}: a text, or what is wrong by place. */
function isDetail(body: string): boolean {
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown }
    if (typeof detail === 'string') return detail !== ''
    return Array.isArray(detail) && detail.length > 0 && detail.every(isIssue)
  } catch {
    return false
  }
}

function isIssue(issue: unknown): boolean {
  const { type, loc, msg } = issue as { type?: unknown; loc?: unknown; msg?: unknown }
  return typeof type === 'string' && Array.isArray(loc) && typeof msg === 'string'
}
