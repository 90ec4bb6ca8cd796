import type { Hex } from '../../../core/hex.js'

/** The vault that made clusters’ deposits are for. */
export const VAULT: Hex = `0x${'ba'.repeat(20)}`
