/** What an Authorization header holds: the token itself, or nothing that can be used. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'unusable' }

/**
 * The token of a request, as `Bearer TOKEN` or as the password of Basic, whose user name says nothing: so
 * the Python peers authenticate with https://operator:TOKEN@host as their relayer endpoint.
 * @param header the Authorization header, undefined where there is none
 */
export function parseCredentials(header: string | undefined): Credentials {
  if (header === undefined) return { kind: 'none' }
  const [scheme = '', value = ''] = header.trim().split(/ +/, 2)
  if (value === '') return { kind: 'unusable' }
  if (scheme.toLowerCase() === 'bearer') return { kind: 'token', token: value }
  if (scheme.toLowerCase() !== 'basic') return { kind: 'unusable' }
  const pair = Buffer.from(value, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  return colon === -1 ? { kind: 'unusable' } : { kind: 'token', token: pair.slice(colon + 1) }
}
