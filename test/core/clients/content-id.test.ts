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

  // Computed by ipfs-unixfs-importer 17 with the defaults of `ipfs add`.
  for (const [size, cids] of [
    [
      262_144,
      [
        'QmRGtaHK8V8JK23yDT1tfoh2eRY9U5ix6zbiNHc9732JMo',
        'bafkreicyf2rsjlabvogs5vfihpzfegm2q5hjwrohaneftr2crm6gsnlznm',
        'bafybeibltrvdhx64goopfw2kfoyurirqhj6ajvpthf6s5l57m3o3eperui',
      ],
    ],
    [
      262_145,
      [
        'QmcVbM5cMCqC9pvnGvnPMHThnJdMeqJ4oVsqRSqWkdHXky',
        'QmVEazEjZcpYsvBKVkEqterxbYvVKJQgQ8o7SgcyPBvNjx',
        'bafybeidgoqoyg4yhalu6oks2gnsjbs74tnoepwkl77plj4i4rd6lhvt424',
        'bafybeicqdmqbvdiyrroivjpehsykwvyg5piotvkst4gnkh2cwa3twmhmpi',
      ],
    ],
    [
      600_000,
      [
        'QmfERwUeFWe7CnakUnsyZQEs7U5CG5iGMWmM4zQ4K9vsbD',
        'QmRsvUH6gGDcpK81Trp8wi2qSruGdgb1XUVPuJU7175NFW',
        'bafybeibusxrtljsia6kaurxl7qmvh4vvhqn43pw25i5fhayz5gdvffkqhu',
        'bafybeihx7fiec6rb4st2pqwxhd32qleqbr22prdsrgvkfdoeiqvzu7l65m',
      ],
    ],
  ] as const) {
    it(`know a file of ${size} bytes, in one block or in several`, () => {
      const content = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff)
      const altered = Uint8Array.from(content)
      altered[size - 1] = 0xff - (content[size - 1] ?? 0)
      for (const cid of cids) {
        expect(holds(cid, content), cid).to.equal(true)
        expect(holds(cid, altered), cid).to.equal(false)
        expect(holds(cid, content.subarray(1)), cid).to.equal(false)
      }
    })
  }

  it('refuse a file that takes more than one level of links', () => {
    const content = new Uint8Array(174 * 262_144 + 1)
    const check = () => holds('QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o', content)
    expect(codeOf(check)).to.equal('UNSUPPORTED_CID')
  })
})

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? [])
    .map((digit) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(digit.padEnd(5, '0'), 2)])
    .join('')
}
