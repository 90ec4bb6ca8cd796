/**
 * What a request says in confidence: its credentials, a key in the endpoint's URL, shares of signatures. Proxies and
 * servers repeat requests in what they answer to a bad one, and answers get into logs: so it is left out there.
 */

/** Stands where something was left out. */
const LEFT_OUT = '[left out]'
/** Shorter ones are ordinary words too. */
const LEAST_PASSWORD = 6
/** A path's segment that is so long and has a digit is taken for a key. */
const LEAST_PATH_KEY = 16
/** So many digits of a signature, and more, are recognised as a part of it. */
const DIGITS = /[0-9a-fA-F]{16,}/g

export interface Confidences {
  /** The endpoint's address as it was given. */
  readonly url: URL
  /** The values of Authorization headers. */
  readonly authorizations: readonly string[]
  /** Hex of what only the one who is asked may know. */
  readonly shares: readonly string[]
}

/** A text of an answer without what was said in confidence. */
export function leaveOut(text: string, { url, authorizations, shares }: Confidences): string {
  const words = [...authorizations.map(credentialsOf), ...wordsOf(url)]
    .filter((word) => word.length >= LEAST_PASSWORD)
    .toSorted((a, b) => b.length - a.length)
  const digits = shares.map((share) => share.replace(/^0x/, '').toLowerCase())
  let left = text
  for (const word of words) left = left.replaceAll(word, LEFT_OUT)
  if (digits.length === 0) return left
  return left.replace(DIGITS, (run) => {
    const lower = run.toLowerCase()
    return digits.some((share) => share.includes(lower) || lower.includes(share)) ? LEFT_OUT : run
  })
}

/** What stands behind the scheme: Bearer, Basic. */
function credentialsOf(authorization: string): string {
  return authorization.slice(authorization.indexOf(' ') + 1)
}

/** A user's name is a secret only where no password is. */
function wordsOf({ username, password, pathname, searchParams, search }: URL): string[] {
  const segments = pathname
    .split('/')
    .filter((segment) => segment.length >= LEAST_PATH_KEY && /\d/.test(segment))
  const queries = search
    .slice(1)
    .split('&')
    .map((query) => query.slice(query.indexOf('=') + 1))
  const written = [password === '' ? username : password, ...segments, ...queries]
  return [...written, ...written.map(decoded), ...searchParams.values()]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
