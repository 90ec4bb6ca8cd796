/** The secret parts of RSA and other private keys, which are kept and printed in more ways than their numbers. */
import { createPrivateKey } from 'node:crypto'
import type { Allowance, SecretRegister } from './secrets.js'

/** What is secret in a JSON Web Key. The rest of a private key is in its public key too. */
const SECRET_NUMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const

/**
 * Adds a private key.
 * @param text a PEM, or base64 of one, as SSV's nodes print it
 * @returns false where the text is neither
 */
export function addPrivateKey(
  secrets: SecretRegister,
  name: string,
  text: string,
  allowed?: Allowance,
): boolean {
  const pem = pemOf(text)
  if (pem === undefined) return false
  const numbers = createPrivateKey(pem).export({ format: 'jwk' })
  for (const part of SECRET_NUMBERS) {
    const number = numbers[part]
    if (typeof number === 'string')
      secrets.add('bytes', `${part} of ${name}`, Buffer.from(number, 'base64url'), allowed)
  }
  if (numbers.kty !== 'RSA') return true
  // The modulus comes first. What follows, line by line, is secret, also where the PEM is in base64 once more.
  const lines = pem.split('\n').filter((line) => /^[A-Za-z0-9+/]{64}$/.test(line))
  for (const line of lines.slice(Math.ceil(lines.length / 2)))
    secrets.addText(`the PEM of ${name}`, line, allowed)
  return true
}

function pemOf(text: string): string | undefined {
  if (text.trimStart().startsWith('-----BEGIN')) return text
  const decoded = Buffer.from(text.trim(), 'base64').toString('latin1')
  return decoded.startsWith('-----BEGIN') ? decoded : undefined
}
