/** The oracles' parts of one exit, as dialects 1 and 4 answer them. */
import { z } from 'zod'
import { hexBytes, publicKeyField } from '../../core/wire/fields.js'
import type { OracleShares } from '../exits/service.js'

/** null until the exit signature was recovered and split. */
export const oracleSharesAnswer = z
  .object({
    public_keys: z.array(publicKeyField),
    encrypted_exit_signatures: z.array(hexBytes(193, 'encrypted exit signature')),
  })
  .nullable()

export function oracleSharesToWire(shares: OracleShares | null): z.input<typeof oracleSharesAnswer> {
  if (shares === null) return null
  return {
    public_keys: [...shares.publicKeys],
    encrypted_exit_signatures: [...shares.encryptedExitSignatures],
  }
}
