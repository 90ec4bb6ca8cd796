/** What a hostile hand does to a request around its body: method, path, host, headers, encodings, framing. */
import { brotliCompressSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import {
  AUTHORIZATIONS,
  CONTENT_TYPES,
  HOSTS,
  LENGTHS,
  METHODS_SENT,
  ODD_FIELDS,
  TARGETS,
  VERSIONS,
} from './odd-http.js'
import type { Draft, Field, Framing } from './request.js'

export type Twist = (draft: Draft) => Draft

const named =
  (name: string, twist: Twist): Twist =>
  (draft) => {
    const twisted = twist(draft)
    return { ...twisted, twists: [...twisted.twists, name] }
  }
const withFields = (...fields: readonly Field[]): Twist =>
  named(`with ${fields.map(([name]) => name).join()}`, (draft) => ({
    ...draft,
    fields: [...draft.fields, ...fields],
  }))
const withField = (field: Field): Twist => withFields(field)
const replacingField = ([name, value]: Field): Twist =>
  named(`${name}: ${value.slice(0, 40)}`, (draft) => ({
    ...draft,
    fields: [...draft.fields.filter(([other]) => other.toLowerCase() !== name.toLowerCase()), [name, value]],
  }))
const withFraming = (framing: Framing): Twist =>
  named(`framing ${JSON.stringify(framing).slice(0, 60)}`, (draft) => ({ ...draft, framing }))
const withBody = (name: string, change: (body: Buffer) => Buffer): Twist =>
  named(name, (draft) => ({ ...draft, body: change(draft.body) }))

/** A thousand zeros to a byte: 20 MB. */
const bomb = gzipSync(Buffer.alloc(20_000_000, '0'))

const bodyTwists: readonly Twist[] = [
  withBody('BOM', (body) => Buffer.concat([Buffer.from('efbbbf', 'hex'), body])),
  withBody('UTF-16 BOM', (body) =>
    Buffer.concat([Buffer.from('fffe', 'hex'), Buffer.from(body.toString('utf8'), 'utf16le')]),
  ),
  withBody('invalid UTF-8', (body) =>
    Buffer.concat([body.subarray(0, 20), Buffer.from('c328ff', 'hex'), body.subarray(20)]),
  ),
  withBody('overlong UTF-8', (body) =>
    Buffer.from(body.toString('latin1').replaceAll('"', '\u00c0\u00a2'), 'latin1'),
  ),
  withBody('surrogates in UTF-8', (body) => Buffer.concat([body, Buffer.from('eda080', 'hex')])),
  withBody('NUL bytes', (body) => Buffer.concat([Buffer.from([0, 0]), body, Buffer.from([0])])),
  withBody('spaces', (body) => Buffer.concat([Buffer.alloc(30_000, ' '), body])),
  withBody('two documents', (body) => Buffer.concat([body, body])),
  withBody('no body', () => Buffer.alloc(0)),
  withBody('too long', () => Buffer.alloc(5_000_000, '[')),
  ...(['gzip', 'deflate', 'br', 'identity', 'x-gzip', 'gzip, gzip', 'compress', '\u00e9'] as const).map(
    (encoding) => replacingField(['Content-Encoding', encoding]),
  ),
  (draft) => replacingField(['Content-Encoding', 'gzip'])({ ...draft, body: gzipSync(draft.body) }),
  (draft) => replacingField(['Content-Encoding', 'br'])({ ...draft, body: brotliCompressSync(draft.body) }),
  (draft) => replacingField(['Content-Encoding', 'gzip'])({ ...draft, body: bomb }),
]

const framingTwists: fc.Arbitrary<Twist> = fc.oneof(
  fc.constant(withFraming({ kind: 'none' })),
  fc.constantFrom(...LENGTHS).map((text) => withFraming({ kind: 'length', text })),
  fc
    .tuple(
      fc.option(
        fc.array(
          fc.constantFrom('3e8', '0', 'zz', '-1', 'ffffffffffffffffff', '3e8;x=y', ' 3e8', '3E8', ''),
          { minLength: 1, maxLength: 3 },
        ),
      ),
      fc.boolean(),
    )
    .map(([sizes, isEnded]) => withFraming({ kind: 'chunked', sizes: sizes ?? undefined, isEnded })),
  fc
    .constantFrom('chunked', 'gzip, chunked', 'identity', 'chunked, chunked', 'x')
    .map((value) => withField(['Transfer-Encoding', value])),
  fc.constantFrom('0', '5', '999').map((value) => withField(['Content-Length', value])),
)

/** One thing done to a request. */
export const twists: fc.Arbitrary<Twist> = fc.oneof(
  fc
    .constantFrom(...METHODS_SENT)
    .map((method) => named(`method ${method}`, (draft) => ({ ...draft, method }))),
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...TARGETS)
      .map((target) => named('target', (draft) => ({ ...draft, target }))),
  },
  fc
    .string({ maxLength: 40 })
    .map((path) => named('random target', (draft) => ({ ...draft, target: `/${path}` }))),
  fc
    .constantFrom('?', '//', '%00', '/..', '?a=b&a=c', ';x')
    .map((end) => named(`target and ${end}`, (draft) => ({ ...draft, target: draft.target + end }))),
  fc
    .constantFrom(...VERSIONS)
    .map((version) => named(`version ${version}`, (draft) => ({ ...draft, version }))),
  fc.constantFrom(...HOSTS).map((host) => replacingField(['Host', host])),
  fc.constantFrom(...HOSTS).map((host) => withField(['Host', host])),
  fc.constant(
    named('no Host', (draft) => ({ ...draft, fields: draft.fields.filter(([name]) => name !== 'Host') })),
  ),
  {
    weight: 2,
    arbitrary: fc.constantFrom(...CONTENT_TYPES).map((type) => replacingField(['Content-Type', type])),
  },
  fc.constantFrom(...CONTENT_TYPES).map((type) => withField(['Content-Type', type])),
  {
    weight: 2,
    arbitrary: fc.constantFrom(...AUTHORIZATIONS).map((value) => replacingField(['Authorization', value])),
  },
  { weight: 4, arbitrary: fc.constantFrom(...ODD_FIELDS).map(withField) },
  { weight: 2, arbitrary: fc.constantFrom(...bodyTwists) },
  { weight: 2, arbitrary: framingTwists },
  fc
    .constantFrom(50, 3000)
    .map((count) => withFields(...Array.from({ length: count }, (_, i): Field => [`X-${i}`, 'y']))),
  fc
    .integer({ min: 2, max: 30 })
    .map((copies) => named(`${copies} copies`, (draft) => ({ ...draft, copies }))),
)
