/**
 * IPFS content identifiers (github.com/multiformats/cid), as far as a config file needs them: CIDv0, CIDv1
 * in base58btc and base32, sha2-256, of a raw block or of a UnixFS file as `ipfs add` lays it out by default.
 */
import { createHash } from 'node:crypto'
import { DvtExitError } from '../errors.js'
import { equalBytes } from '../hex.js'

/** A CID that content can be checked against. */
export interface ContentId {
  readonly codec: 'raw' | 'dag-pb'
  /** sha2-256 of the block, 32 bytes. */
  readonly digest: Uint8Array
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
/** multicodec and multihash codes, each one byte as a varint. */
const RAW = 0x55
const DAG_PB = 0x70
const SHA2_256 = 0x12
const CID_BYTES = 36
/** `ipfs add` cuts a file in chunks of so many bytes, and links so many of them from one block. */
const CHUNK = 262_144
const CHUNKS = 174

/**
 * @param text a CID as it stands in a path
 * @throws DvtExitError INVALID_CID for what is none, UNSUPPORTED_CID for one that cannot be checked here
 */
export function parseContentId(text: string): ContentId {
  const bytes = decode(text)
  if (bytes.length === 34) return { codec: 'dag-pb', digest: sha256Digest(text, bytes) }
  const [version, codec] = bytes
  if (bytes.length !== CID_BYTES || version !== 1) throw unsupported(text, 'not a CID of version 0 or 1')
  if (codec !== RAW && codec !== DAG_PB) throw unsupported(text, 'neither a raw block nor a file')
  return { codec: codec === RAW ? 'raw' : 'dag-pb', digest: sha256Digest(text, bytes.subarray(2)) }
}

/**
 * Whether a file is what the CID names: its block itself (raw), or the UnixFS file that `ipfs add` makes of it,
 * its bytes inside or in leaves of 256 KiB.
 * @throws DvtExitError UNSUPPORTED_CID for a file that takes more than one level of links
 */
export function isContentOf({ codec, digest }: ContentId, content: Uint8Array): boolean {
  if (codec === 'raw') return equalBytes(sha256(content), digest)
  if (content.length > CHUNK * CHUNKS) {
    throw new DvtExitError('UNSUPPORTED_CID', `a file of ${content.length} bytes cannot be checked`, {
      hint: `Only files of up to ${CHUNK * CHUNKS} bytes can`,
    })
  }
  return filesOf(content).some((block) => equalBytes(sha256(block), digest))
}

function filesOf(content: Uint8Array): Uint8Array[] {
  const chunks = chunksOf(content)
  const linked = [
    linkedFile(chunks.map(rawLeaf), content.length),
    // A CIDv0 of a leaf has no prefix; in a tree of CIDv1 each leaf has one.
    linkedFile(
      chunks.map((chunk) => fileLeaf(chunk, [])),
      content.length,
    ),
    linkedFile(
      chunks.map((chunk) => fileLeaf(chunk, [1, DAG_PB])),
      content.length,
    ),
  ]
  return chunks.length === 1 ? [inlineFile(content), ...linked] : linked
}

/** A file's chunks; an empty file has one, which is empty. */
function chunksOf(content: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(content.length / CHUNK))
  return Array.from({ length: count }, (_, i) => content.subarray(i * CHUNK, (i + 1) * CHUNK))
}

/** A block that holds a chunk of the file, as the block above links it. */
interface Leaf {
  readonly cid: Uint8Array
  readonly blockSize: number
  readonly contentSize: number
}

function rawLeaf(chunk: Uint8Array): Leaf {
  const cid = Uint8Array.of(1, RAW, SHA2_256, 32, ...sha256(chunk))
  return { cid, blockSize: chunk.length, contentSize: chunk.length }
}

function fileLeaf(chunk: Uint8Array, prefix: readonly number[]): Leaf {
  const block = inlineFile(chunk)
  const cid = Uint8Array.of(...prefix, SHA2_256, 32, ...sha256(block))
  return { cid, blockSize: block.length, contentSize: chunk.length }
}

/** dag-pb and UnixFS are protobufs: PBNode {1: Data, 2: Links}, Data {1: Type, 2: Data, 3: filesize, 4: blocksizes}. */
const UNIXFS_FILE = [...tag(1, 0), 2]

function inlineFile(content: Uint8Array): Uint8Array {
  const data = content.length === 0 ? [] : [field(2, content)]
  return field(1, Buffer.concat([Uint8Array.from(UNIXFS_FILE), ...data, integer(3, content.length)]))
}

function linkedFile(leaves: readonly Leaf[], fileSize: number): Uint8Array {
  const links = leaves.map(({ cid, blockSize }) =>
    field(2, Buffer.concat([field(1, cid), field(2, new Uint8Array()), integer(3, blockSize)])),
  )
  const sizes = leaves.map(({ contentSize }) => integer(4, contentSize))
  const data = Buffer.concat([Uint8Array.from(UNIXFS_FILE), integer(3, fileSize), ...sizes])
  // Links come before Data, as go-merkledag has always written them.
  return Buffer.concat([...links, field(1, data)])
}

function tag(number: number, wireType: number): number[] {
  return [(number << 3) | wireType]
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from([...tag(number, 2), ...varint(bytes.length)]), bytes])
}

function integer(number: number, value: number): Uint8Array {
  return Uint8Array.from([...tag(number, 0), ...varint(value)])
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

function sha256Digest(text: string, multihash: Uint8Array): Uint8Array {
  if (multihash[0] !== SHA2_256 || multihash[1] !== 32) throw unsupported(text, 'its hash is not sha2-256')
  return multihash.subarray(2)
}

function decode(text: string): Uint8Array {
  if (text.length > 128) throw invalid(text)
  if (text.length === 46 && text.startsWith('Qm')) return fromBase58(text, text)
  if (text.startsWith('z')) return fromBase58(text.slice(1), text)
  if (text.startsWith('b')) return fromBase32(text.slice(1), text)
  throw invalid(text)
}

function fromBase58(digits: string, text: string): Uint8Array {
  let value = 0n
  for (const digit of digits) value = value * 58n + BigInt(digitOf(BASE58, digit, text))
  const hex = value.toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
}

/** RFC 4648, lowercase, without padding. */
function fromBase32(digits: string, text: string): Uint8Array {
  const bytes: number[] = []
  let bits = 0
  let pending = 0
  for (const digit of digits) {
    pending = ((pending << 5) | digitOf(BASE32, digit, text)) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((pending >>> bits) & 0xff)
    }
  }
  if (bits >= 5 || (pending & ((1 << bits) - 1)) !== 0) throw invalid(text)
  return Uint8Array.from(bytes)
}

function digitOf(alphabet: string, digit: string, text: string): number {
  const value = alphabet.indexOf(digit)
  if (value < 0) throw invalid(text)
  return value
}

function invalid(text: string): DvtExitError {
  return new DvtExitError('INVALID_CID', `${JSON.stringify(text.slice(0, 80))} is not an IPFS content id`)
}

function unsupported(text: string, reason: string): DvtExitError {
  return new DvtExitError('UNSUPPORTED_CID', `IPFS content id ${text} cannot be checked: ${reason}`)
}
