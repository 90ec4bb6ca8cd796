/** Which signatures were wanted, by what relayers answered and what sidecars wrote into their audit logs. */
import { z } from 'zod'
import type { Recorded } from './records.js'
import { publicKeyFrom, type WantedSignatures } from './validator-keys.js'

/** An object without objects in it, as both dialects' lists and the audit log have one for each exit. */
const FLAT_OBJECT = /\{[^{}]*"validator_index"[^{}]*\}/g
const LARGEST = 32 * 1024 * 1024

const item = z.object({
  public_key: z.string().regex(/^(0x)?[0-9a-f]{96}$/i),
  validator_index: z.int(),
})
const deposit = z.object({
  vault: z.string().regex(/^0x[0-9a-f]{40}$/i),
  validator_type: z.enum(['0x01', '0x02']),
  amount: z.int(),
})

/** @param seen objects that were read before: lists are answered again and again */
export function wantedSignatures({ place, bytes }: Recorded, seen: Set<string>): WantedSignatures[] {
  if (place.kind === 'output' || bytes.length > LARGEST || !bytes.includes('"validator_index"')) return []
  return (bytes.toString('latin1').match(FLAT_OBJECT) ?? []).flatMap((text) => {
    if (seen.has(text)) return []
    seen.add(text)
    let content: unknown
    try {
      content = JSON.parse(text)
    } catch {
      return []
    }
    const wanted = item.safeParse(content).data
    if (wanted === undefined) return []
    const { vault, validator_type: type, amount } = deposit.safeParse(content).data ?? {}
    const asked = { publicKey: publicKeyFrom(wanted.public_key), validatorIndex: wanted.validator_index }
    if (vault === undefined || type === undefined || amount === undefined) return [asked]
    return [{ ...asked, deposit: { vault: vault as `0x${string}`, type, amount: BigInt(amount) } }]
  })
}
