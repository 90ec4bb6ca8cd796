import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { isContentOf, parseContentId } from '../../../core/clients/content-id.js'
import { DvtExitError } from '../../../core/errors.js'

const holds = (cid: string, content: string | Uint8Array) =>
  isContentOf(parseContentId(cid), typeof content === 'string' ? Buffer.from(content) : content)
const codeOf = (run: () => unknown): string | undefined => {
  try {
    run()
  } catch (error) {
    return error instanceof DvtExitError ? error.code : String(error)
  }
  return undefined
}

describe('IPFS content ids', () => {
  it('know the file that `ipfs add` gave a CIDv0', () => {
    expect(holds('QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o', 'hello world\n')).to.equal(true)
    expect(holds('QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o', 'hello world')).to.equal(false)
  })

  it('know a raw block by its CIDv1', () => {
    const cid = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
    expect(holds(cid, 'hello world')).to.equal(true)
    expect(holds(cid, 'hello worle')).to.equal(false)
  })

  it('know the empty file', () => {
    expect(holds('QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH', '')).to.equal(true)
  })

  it('know a file whose only block is a leaf below its root', () => {
    const hash = (hex: string) => createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')
    const cidOf = (block: string) => `b${base32(Buffer.from(`01701220${hash(block)}`, 'hex'))}`
    // The file "hi": PBNode {Links: [{Hash, Name: "", Tsize}], Data: {Type: File, filesize: 2, blocksizes: [2]}}.
    const root = (link: string) => `12${(link.length / 2).toString(16)}${link}0a06${'080218022002'}`
    const rawLeaf = `0a2401551220${hash('6869')}12001802`
    const inline = '0a08080212026869' + '1802'
    const fileLeaf = `0a221220${hash(inline)}1200180a`
    for (const block of [inline, root(rawLeaf), root(fileLeaf)]) {
      expect(holds(cidOf(block), 'hi')).to.equal(true)
      expect(holds(cidOf(block), 'ho')).to.equal(false)
    }
  })

  it('are the same in base32 and in base58btc', () => {
    expect(parseContentId('zb2rhj7crUKTQYRGCRATFaQ6YFLTde2YzdqbbhAASkL9uRDXn')).to.deep.equal(
      parseContentId('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'),
    )
  })

  for (const [what, cid] of [
    ['something else', 'hello'],
    ['a digit that base58 does not have', 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff50'],
    ['a path', 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o/../x'],
    ['a digit that base32 does not have', 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n51'],
    ['nothing', ''],
  ] as const) {
    it(`are refused for ${what}`, () => {
      expect(codeOf(() => parseContentId(cid))).to.equal('INVALID_CID')
    })
  }

  it('are refused for another hash or codec, which could not be checked', () => {
    // The first with sha2-512's code in place of sha2-256's, the second with dag-cbor's.
    const cid = (...head: number[]) => `b${base32(Uint8Array.of(...head, ...new Uint8Array(32)))}`
    expect(codeOf(() => parseContentId(cid(1, 0x55, 0x13, 32)))).to.equal('UNSUPPORTED_CID')
    expect(codeOf(() => parseContentId(cid(1, 0x71, 0x12, 32)))).to.equal('UNSUPPORTED_CID')
    expect(codeOf(() => parseContentId(cid(1, 0x70, 0x12, 32)))).to.equal(undefined)
  })

  it('refuse a file that takes several blocks', () => {
    const check = () => holds('QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o', new Uint8Array(262_145))
    expect(codeOf(check)).to.equal('UNSUPPORTED_CID')
  })
})

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? [])
    .map((digit) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(digit.padEnd(5, '0'), 2)])
    .join('')
}
