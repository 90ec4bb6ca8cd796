import { normalizePassword } from '../../core/keystore/eip2335.js'

/** What the SSV node's library drops after decomposing: combining marks, and Hangul vowels and finals. */
const DROPPED = /[\p{M}\u1160-\u11ff]/gu

/**
 * The bytes that a password may have been turned into when an operator key was encrypted, the likeliest
 * first. The SSV node normalises otherwise than EIP-2335 says ("pässwörd" becomes "password") and trims
 * when it decrypts; other tools follow EIP-2335.
 */
export function passwordForms(text: string): Uint8Array[] {
  const forms = [text.trim(), text].flatMap((password) => [
    normalizePassword(password),
    normalizePassword(password.normalize('NFKD').replace(DROPPED, '')),
  ])
  const distinct = new Map(forms.map((form) => [Buffer.from(form).toString('hex'), form]))
  return [...distinct.values()]
}
