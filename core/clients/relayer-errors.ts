import { DvtExitError } from '../errors.js'
import { parseJson } from '../json.js'
import type { HttpResponse } from './endpoint.js'

const CODES: Readonly<Record<number, { code: string; hint: string }>> = {
  401: {
    code: 'RELAYER_UNAUTHORIZED',
    hint: 'Give the token that the relayer issued, with RELAYER_TOKEN_FILE',
  },
  403: { code: 'RELAYER_FORBIDDEN', hint: 'Ask whoever runs the relayer for a token that allows this' },
  404: { code: 'RELAYER_NOT_FOUND', hint: 'Check that RELAYER_ENDPOINT is a relayer' },
  409: { code: 'RELAYER_CONFLICT', hint: 'Leave out what the relayer names' },
  422: { code: 'RELAYER_REJECTED_REQUEST', hint: 'Check that RELAYER_ENDPOINT is a relayer of dialect 1' },
}

const MAX_DETAIL = 500

/** The relayer understood the request and refused it: sending the same again does not help. */
export class RelayerError extends DvtExitError {
  /** The HTTP status. */
  readonly status: number

  constructor(what: string, response: HttpResponse) {
    const known = CODES[response.status]
    const detail = detailOf(response.quotable(response.body.toString('utf8')))
    super(
      known?.code ?? 'RELAYER_REFUSED',
      `${what}: HTTP ${response.status}${detail === '' ? '' : ` ${detail}`}`,
      known === undefined ? {} : { hint: known.hint },
    )
    this.status = response.status
  }
}

/** Whether a relayer has no such call: the Python relayer answers 405 where it has the path for another method. */
export function isCallNotThere(error: unknown): boolean {
  return error instanceof RelayerError && (error.status === 404 || error.status === 405)
}

/** The `detail` of an answer in FastAPI's form, or the answer's text: one line, not endless. */
function detailOf(body: string): string {
  const detail = oneLine(detailText(body))
  return detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL)}…` : detail
}

function detailText(body: string): string {
  let content: unknown
  try {
    content = parseJson(body)
  } catch {
    return body
  }
  if (typeof content !== 'object' || content === null || !('detail' in content)) return body
  const { detail } = content
  if (typeof detail === 'string') return detail
  return Array.isArray(detail) ? detail.map(issueText).join('; ') : JSON.stringify(detail)
}

/** One of FastAPI's `{loc, msg, type}`. */
function issueText(issue: unknown): string {
  if (typeof issue !== 'object' || issue === null) return String(issue)
  const { loc, msg } = issue as { loc?: unknown; msg?: unknown }
  return `${Array.isArray(loc) ? `${loc.join('.')}: ` : ''}${String(msg)}`
}

/** What a peer sent, without anything that could move the cursor or start a line of its own. */
export function oneLine(text: string): string {
  return text
    .replace(/\p{C}+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}
