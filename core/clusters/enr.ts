/**
 * Ethereum Node Records (EIP-778), as far as a cluster lock needs them: the node's secp256k1 public key.
 * Charon writes sequence 0 as the empty string, which strict readers of the number refuse.
 */
import { DvtExitError } from '../errors.js'

/**
 * The compressed secp256k1 public key of a record, 33 bytes.
 * @param enr `enr:` and base64url of RLP [signature, seq, key, value, …]
 * @throws DvtExitError INVALID_ENR
 */
export function publicKeyOfEnr(enr: string): Uint8Array {
  if (!enr.startsWith('enr:')) throw invalid('it does not begin with enr:')
  const items = decodeList(new Uint8Array(Buffer.from(enr.slice(4), 'base64url')))
  for (let i = 2; i + 1 < items.length; i += 2) {
    const value = items[i + 1]
    if (Buffer.from(items[i] ?? []).toString('latin1') === 'secp256k1' && value?.length === 33) return value
  }
  throw invalid('it has no secp256k1 key')
}

/** The items of one RLP list, each without its own header (Ethereum yellow paper, appendix B). */
function decodeList(bytes: Uint8Array): Uint8Array[] {
  const list = header(bytes, 0)
  if (!list.isList || list.end !== bytes.length) throw invalid('it is no RLP list')
  const items: Uint8Array[] = []
  for (let position = list.start; position < list.end; ) {
    const item = header(bytes, position)
    if (item.end > list.end) throw invalid('its RLP is malformed')
    items.push(bytes.subarray(item.start, item.end))
    position = item.end
  }
  return items
}

function header(bytes: Uint8Array, position: number): { isList: boolean; start: number; end: number } {
  const first = bytes[position]
  if (first === undefined) throw invalid('it is cut off')
  if (first < 0x80) return { isList: false, start: position, end: position + 1 }
  const isList = first >= 0xc0
  const short = first - (isList ? 0xc0 : 0x80)
  if (short <= 55) return { isList, start: position + 1, end: position + 1 + short }
  const lengthBytes = short - 55
  const start = position + 1 + lengthBytes
  const length = bytes.subarray(position + 1, start).reduce((sum, byte) => sum * 256 + byte, 0)
  return { isList, start, end: start + length }
}

function invalid(reason: string): DvtExitError {
  return new DvtExitError('INVALID_ENR', `not a node record: ${reason}`)
}
