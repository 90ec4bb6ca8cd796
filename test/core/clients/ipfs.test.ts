import { expect } from 'chai'
import { IpfsClient } from '../../../core/clients/ipfs.js'
import { UnavailableError } from '../../../core/errors.js'
import { IpfsDouble } from '../../devnet/ipfs-double.js'
import { failureOf } from '../../doubles/failure.js'

const retry = { rounds: 1, delay: 1 }
/** `ipfs add` of this text. */
const HELLO = 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'

describe('IpfsClient', () => {
  let first: IpfsDouble
  let second: IpfsDouble
  const client = () => new IpfsClient([first.url, `${second.url}/`], { retry, timeout: 300 })

  beforeEach(async () => {
    first = await new IpfsDouble().listen()
    second = await new IpfsDouble().listen()
    second.put(HELLO, 'hello world\n')
  })
  afterEach(async () => {
    await Promise.all([first.close(), second.close()])
  })

  it('gives the file of a gateway', async () => {
    const cid = first.add('{"a": 1}')
    expect((await client().fetch(cid)).toString()).to.equal('{"a": 1}')
    expect(second.total).to.equal(0)
  })

  for (const [what, set] of [
    ['does not have it', () => undefined],
    ['has something else for it', () => first.put(HELLO, 'hello world')],
    ['is down', () => Object.assign(first.faults, { down: true })],
    ['is slow', () => Object.assign(first.faults, { delay: 60_000 })],
  ] as const) {
    it(`takes the next gateway where one ${what}`, async () => {
      set()
      expect((await client().fetch(HELLO)).toString()).to.equal('hello world\n')
    })
  }

  it('gives nothing where every gateway lies', async () => {
    first.put(HELLO, 'hello oracles\n')
    second.put(HELLO, 'hello oracles\n')
    const error = await failureOf(client().fetch(HELLO))
    expect(error).to.be.instanceOf(UnavailableError)
    expect(error.message).to.include('not the content of this CID').and.to.include(second.url)
  })

  it('asks nobody for what is no content id', async () => {
    expect((await failureOf(client().fetch('../admin'))).code).to.equal('INVALID_CID')
    expect(first.total).to.equal(0)
  })

  describe('of a file that is proven elsewhere', () => {
    /** A CID of dag-cbor: what it names is not checked here. */
    const UNCHECKED = 'bafyreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
    const parse = (content: Buffer) => JSON.parse(content.toString()) as unknown

    it('gives what is read of it', async () => {
      const cid = first.add('{"a": 1}')
      expect(await client().fetchProven(cid, parse)).to.deep.equal({ a: 1 })
      expect(second.total).to.equal(0)
    })

    it('takes no other content where the CID can be checked', async () => {
      const cid = second.add('{"a": 1}')
      first.put(cid, '{"a": 2}')
      expect(await client().fetchProven(cid, parse)).to.deep.equal({ a: 1 })
      second.put(cid, '{"a": 2}')
      const error = await failureOf(client().fetchProven(cid, parse))
      expect(error).to.be.instanceOf(UnavailableError)
      expect(error.message).to.include('not the content of this CID').and.to.include(second.url)
    })

    it('takes the first content that can be read where the CID cannot be checked', async () => {
      first.put(UNCHECKED, '<html>sign in</html>')
      second.put(UNCHECKED, '{"a": 1}')
      expect(await client().fetchProven(UNCHECKED, parse)).to.deep.equal({ a: 1 })
      expect((await failureOf(client().fetch(UNCHECKED))).code).to.equal('UNSUPPORTED_CID')
    })

    for (const [what, set] of [
      ['does not have it', () => undefined],
      ['is down', () => Object.assign(first.faults, { down: true })],
      ['answers 500', () => Object.assign(first.faults, { status: 500 })],
      ['answers a page', () => Object.assign(first.faults, { garbage: true })],
    ] as const) {
      it(`takes the next gateway where one ${what}`, async () => {
        second.put(UNCHECKED, '{"a": 1}')
        set()
        expect(await client().fetchProven(UNCHECKED, parse)).to.deep.equal({ a: 1 })
      })
    }

    it('gives nothing where every gateway has garbage, and names each', async () => {
      for (const gateway of [first, second]) gateway.put(UNCHECKED, 'garbage\n<html>')
      const error = await failureOf(client().fetchProven(UNCHECKED, parse))
      expect(error).to.be.instanceOf(UnavailableError).with.property('code', 'ALL_ENDPOINTS_FAILED')
      expect(error.message).to.include(first.url).and.to.include(second.url).and.to.include(UNCHECKED)
    })

    it('asks nobody for what is no content id', async () => {
      expect((await failureOf(client().fetchProven('../admin', parse))).code).to.equal('INVALID_CID')
      expect(first.total + second.total).to.equal(0)
    })
  })
})
