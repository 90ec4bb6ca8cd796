/** What a token is made of. It is shown once; the database keeps its hash. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Role } from './roles.js'

/** Tokens start with it, so that scanners for leaked secrets and people know one. */
export const TOKEN_PREFIX = 'dvtexit_'
const TOKEN_BYTES = 32
const TOKEN_FORM = /^dvtexit_[A-Za-z0-9_-]{43}$/

/** Whom a token stands for. */
export interface TokenIdentity {
  readonly name: string
  readonly role: Role
  /** The share indexes that a sidecar's token may post for; empty for other roles. */
  readonly shareIndexes: readonly bigint[]
}

/** A new token. @param random source of random bytes */
export function newToken(random: (length: number) => Buffer): string {
  return TOKEN_PREFIX + random(TOKEN_BYTES).toString('base64url')
}

/** Whether the text has a token's form, so that anything else costs no look-up. */
export function looksLikeToken(text: string): boolean {
  return TOKEN_FORM.test(text)
}

/** SHA-256 of a token, hex. A token has 256 random bits: nothing slower is needed against guessing. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex')
}

/** Compares two hashes in constant time. */
export function equalHashes(a: string, b: string): boolean {
  const left = Buffer.from(a, 'hex')
  const right = Buffer.from(b, 'hex')
  return left.length === right.length && timingSafeEqual(left, right)
}
