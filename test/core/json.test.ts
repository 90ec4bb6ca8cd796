import { expect } from 'chai'
import fc from 'fast-check'
import { LosslessNumber } from 'lossless-json'
import { parseJson, stringifyJson } from '../../core/json.js'

describe('JSON', () => {
  it('keeps every integer exact: a number where one holds it, else a bigint', () => {
    expect(parseJson('[0, -1, 9007199254740991, 9007199254740992, 18446744073709551615]')).to.deep.equal([
      0,
      -1,
      9_007_199_254_740_991,
      9_007_199_254_740_992n,
      18_446_744_073_709_551_615n,
    ])
    expect(parseJson('-9007199254740993')).to.equal(-9_007_199_254_740_993n)
  })

  it('round-trips integers of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt()), (integers) => {
        const parsed = parseJson(stringifyJson({ integers })) as { integers: (number | bigint)[] }
        expect(parsed.integers.map(BigInt)).to.deep.equal(integers)
      }),
    )
  })

  it('leaves numbers that are not written as integers apart from integers', () => {
    for (const text of ['2.0', '1e3', '0.5', '1E2', '-0.0']) {
      expect(parseJson(text)).to.be.instanceOf(LosslessNumber)
    }
  })

  it('reads everything else as JSON.parse does', () => {
    const integersOnly = (_: string, value: unknown) =>
      typeof value === 'number' ? Math.trunc(value % Number.MAX_SAFE_INTEGER) : value
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const text = JSON.stringify(value, integersOnly)
        fc.pre(!text.includes('__proto__'))
        expect(parseJson(text)).to.deep.equal(JSON.parse(text))
      }),
    )
  })

  it('refuses what is no JSON, and nesting beyond sense', () => {
    for (const text of ['', '{', '[1,]', "{'a':1}", '01', '+1', '.5', 'NaN', '1 2', '\u0000', '"\n"']) {
      expect(() => parseJson(text), text).to.throw(SyntaxError)
    }
    expect(() => parseJson('['.repeat(200_000))).to.throw(SyntaxError)
    expect(() => parseJson(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)).to.throw(SyntaxError)
  })

  it('refuses more values than are allowed, and numbers beyond sense, at no cost', () => {
    expect(parseJson('{"a": [1, "2"], "b": null}', 5)).to.deep.equal({ a: [1, '2'], b: null })
    expect(() => parseJson('{"a": [1, "2"], "b": null}', 4)).to.throw(SyntaxError, 'too many values')
    expect(() => parseJson(`[${'9'.repeat(1_000_000)}]`)).to.throw(
      SyntaxError,
      'a number too long at position 1',
    )
  })

  it('quotes nothing of a document that is none', () => {
    for (const text of [
      '{"secret" "x"}',
      '["secret',
      '["\\xsecret"]',
      '{"secret": 1, "secret": 2}',
      '[tsecret]',
    ]) {
      expect(() => parseJson(text), text).to.throw(SyntaxError, /^(?!.*secret).* at position \d+$/)
    }
  })

  it('refuses a key that is there twice with different values', () => {
    expect(() => parseJson('{"index": 1, "index": 2}')).to.throw(SyntaxError)
  })

  it('does not let a document change what other objects inherit', () => {
    parseJson('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}')
    expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined)
  })

  it('refuses a value without a JSON form', () => {
    expect(() => stringifyJson(undefined)).to.throw(TypeError)
  })
})
