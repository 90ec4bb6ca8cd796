import { createHash } from 'node:crypto'
import { type DoubleAnswer, type DoubleRequest, HttpDouble } from './http-double.js'

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** An IPFS gateway with the files that it was given. */
export class IpfsDouble extends HttpDouble {
  readonly #files = new Map<string, string | Buffer>()

  /** Adds a file as one raw block. Returns its CID. */
  add(content: string | Buffer): string {
    const digest = createHash('sha256').update(content).digest()
    const bits = [1, 0x55, 0x12, 32, ...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('')
    const digits = (bits.match(/.{1,5}/g) ?? []).map(
      (five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)],
    )
    return this.put(`b${digits.join('')}`, content)
  }

  /** Answers with this content for a CID, right or not. */
  put(cid: string, content: string | Buffer): string {
    this.#files.set(cid, content)
    return cid
  }

  protected override kindOf(): string {
    return 'file'
  }

  protected override answer({ path }: DoubleRequest): DoubleAnswer {
    const content = this.#files.get(path.replace(/^\/ipfs\//, ''))
    return content === undefined
      ? { status: 404, body: 'ipfs resolve failed' }
      : { status: 200, body: content }
  }
}
