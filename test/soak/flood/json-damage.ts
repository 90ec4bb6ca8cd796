/** What a hostile hand does to a JSON body: values of other types, members that are missing, added or there twice. */
import fc from 'fast-check'
import { changeAt, countOf, type JsonTree, list, object, raw, textOf, treeOf } from './json-tree.js'

/** Values that a program may take for something else than they are. */
const ODD_VALUES: readonly string[] = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '1',
    '-1',
    '-0',
    '1.0',
    '2.0',
    '1e0',
    '1.5',
    '1e400',
    '-1e400',
    '1e-400',
    '0e0',
  ],
  ...['9007199254740993', '18446744073709551615', '18446744073709551616', '1180591620717411303424'],
  ...['NaN', 'Infinity', '-Infinity', 'undefined', '01', '+1', '.5', '0x10', '1_000', '1n', ''],
  ...[
    '""',
    '"0x"',
    '"0X"',
    '"0"',
    '"1"',
    '"true"',
    '"null"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\x00"',
  ],
  ...[
    '"__proto__"',
    '"constructor"',
    '"../../../../etc/passwd"',
    '"\' OR 1=1 --"',
    '"{{7*7}}"',
    '"%00"',
    '"\\r\\nX: 1"',
  ],
  ...[
    '[]',
    '{}',
    '[[]]',
    '[null]',
    '[{}]',
    '{"":{}}',
    '{"__proto__":{"x":1}}',
    '{"length":1e9}',
    '{"length":{"toString":1}}',
    '{"toString":1}',
  ],
  ...[
    '{"then":{}}',
    '{"toJSON":"x"}',
    '{"value":"1","isLosslessNumber":true}',
    '\u{feff}1',
    "'a'",
    '[1,]',
    '{"a":1,}',
  ],
  ...[
    `"0x${'c0'.padEnd(192, '0')}"`,
    `"0x${'c0'.padEnd(96, '0')}"`,
    `"0x${'00'.repeat(48)}"`,
    `"0x${'ff'.repeat(96)}"`,
  ],
  ...[`"0x${'ab'.repeat(49)}"`, `"0x${'ab'.repeat(47)}"`, `"0x${'a'.repeat(95)}"`, `"0x${'zz'.repeat(48)}"`],
]
const LONG_VALUES: readonly string[] = [
  '['.repeat(600) + ']'.repeat(600),
  '{"a":'.repeat(300),
  `"${'x'.repeat(20_000)}"`,
  '9'.repeat(5000),
  `1${'0'.repeat(400)}`,
  `[${Array(3000).fill('0').join()}]`,
  `[${Array(1500).fill('{}').join()}]`,
  `{${Array.from({ length: 500 }, (_, i) => `"k${i}":${i}`).join()}}`,
  `"${'\\u0041'.repeat(2000)}"`,
]
const ODD_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  '',
  'Public_Keys',
  'length',
]

const oddTree: fc.Arbitrary<JsonTree> = fc
  .oneof(
    { weight: 12, arbitrary: fc.constantFrom(...ODD_VALUES) },
    { weight: 1, arbitrary: fc.constantFrom(...LONG_VALUES) },
    { weight: 2, arbitrary: fc.json({ maxDepth: 2 }) },
    { weight: 1, arbitrary: fc.bigInt().map(String) },
  )
  .map(raw)

type Change = (place: JsonTree) => JsonTree

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: oddTree.map((odd) => () => odd) },
  fc.nat().map((n) => (place: JsonTree) => without(place, n)),
  fc.nat().map((n) => (place: JsonTree) => withTwice(place, n)),
  fc.tuple(fc.constantFrom(...ODD_NAMES), oddTree).map(
    ([name, value]) =>
      (place: JsonTree) =>
        withMember(place, name, value),
  ),
  fc.constantFrom<Change>(
    (place) => list(place),
    (place) => list(place, place),
    (place) => object([['value', place]]),
    (place) => raw(JSON.stringify(textOf(place))),
    (place) =>
      place.kind === 'list' ? list(...Array.from({ length: 1100 }, () => place.items).flat()) : place,
    (place) => (place.kind === 'list' ? list() : place),
    (place) => (place.kind === 'object' ? list(...place.members.map(([, value]) => value)) : place),
  ),
)

/** The text of a tree, whole or with up to three places changed. */
export function damaged(trees: fc.Arbitrary<JsonTree>): fc.Arbitrary<string> {
  const changes = fc.array(fc.tuple(fc.nat(), change), { maxLength: 3 })
  return fc
    .tuple(trees, changes)
    .map(([tree, all]) =>
      textOf(all.reduce((result, [at, one]) => changeAt(result, at % countOf(result), one), tree)),
    )
}

/** The tree of a text that is JSON, for damaging it; as it is where it is none. */
export function parsedTree(text: string): JsonTree {
  try {
    return treeOf(JSON.parse(text) as unknown)
  } catch {
    return raw(text)
  }
}

function without(place: JsonTree, n: number): JsonTree {
  if (place.kind === 'object') return object(place.members.filter((_, i) => i !== n % place.members.length))
  return place.kind === 'list'
    ? list(...place.items.filter((_, i) => i !== n % place.items.length))
    : raw('null')
}

/** A member, or an item, that is there twice, the second time as another value. */
function withTwice(place: JsonTree, n: number): JsonTree {
  if (place.kind === 'list') return list(...place.items, ...place.items)
  if (place.kind === 'raw') return place
  const again = place.members[n % place.members.length]
  if (again === undefined) return place
  return object([...place.members, n % 2 === 0 ? again : [again[0], raw('1')]])
}

function withMember(place: JsonTree, name: string, value: JsonTree): JsonTree {
  if (place.kind === 'object') return object([[name, value], ...place.members])
  return object([[name, value]])
}
