import type { Clock } from '../../core/clock.js'
import type { PublicKeyHex } from '../../core/hex.js'
import type { KnownKeys } from './next-entries.js'

/** Milliseconds after which no reorganisation takes a deposit back. */
const SETTLED_AFTER = 3_600_000

/** Asks which keys were deposited, and not again about those of which that has been known for an hour. */
export function rememberKnownKeys(ask: KnownKeys, clock: Pick<Clock, 'now'>): KnownKeys {
  const since = new Map<PublicKeyHex, number>()
  return async (publicKeys) => {
    const now = clock.now()
    const isSettled = (publicKey: PublicKeyHex) => now - (since.get(publicKey) ?? now) >= SETTLED_AFTER
    const open = publicKeys.filter((publicKey) => !isSettled(publicKey))
    const known = new Set(await ask(open))
    for (const publicKey of open) {
      if (!known.has(publicKey)) since.delete(publicKey)
      else if (!since.has(publicKey)) since.set(publicKey, now)
    }
    return publicKeys.filter((publicKey) => isSettled(publicKey) || known.has(publicKey))
  }
}
