/** Bodies that an OpenAPI document allows, as fast-check arbitraries of JSON trees. */
import fc from 'fast-check'
import { type JsonTree, list, object, raw } from './json-tree.js'

export interface JsonSchema {
  readonly type?: string
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
}

/** One call that the document describes. */
export interface Operation {
  readonly method: string
  readonly path: string
  /** Of its body; undefined where it takes none. */
  readonly body: JsonSchema | undefined
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
}
interface OpenApiOperation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> }
}

export function operationsOf(document: unknown): Operation[] {
  return Object.entries((document as OpenApi).paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      body: requestBody?.content['application/json']?.schema,
    })),
  )
}

/** Values that mean something to the relayer under test, by their length in bytes: keys, shares, vaults. */
export type KnownValues = ReadonlyMap<number, readonly string[]>

/** Trees of a schema: what it allows, with known values among them and limits of its integers. */
export function treesOf(schema: JsonSchema, known: KnownValues): fc.Arbitrary<JsonTree> {
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => treesOf(one, known)))
  if (schema.enum !== undefined)
    return fc.constantFrom(...schema.enum).map((value) => raw(JSON.stringify(value)))
  switch (schema.type) {
    case 'object': {
      const members = Object.entries(schema.properties ?? {})
      return fc
        .tuple(...members.map(([, member]) => treesOf(member, known)))
        .map((values) => object(members.map(([name], i) => [name, values[i] ?? raw('null')])))
    }
    case 'array':
      return fc
        .array(treesOf(schema.items ?? {}, known), { minLength: schema.minItems ?? 0, maxLength: 4 })
        .map((items) => list(...items))
    case 'integer':
      return integers(schema).map((value) => raw(String(value)))
    case 'string':
      return strings(schema, known).map((value) => raw(JSON.stringify(value)))
    case 'null':
      return fc.constant(raw('null'))
    default:
      return fc.json({ maxDepth: 2 }).map(raw)
  }
}

function integers({ minimum = 0, maximum = 2 ** 53 }: JsonSchema): fc.Arbitrary<bigint> {
  const least = BigInt(minimum)
  return fc.oneof(
    { weight: 4, arbitrary: fc.bigInt({ min: least, max: least + 5n }) },
    fc.constantFrom(least, 1000n, 1_250_000n, 32_000_000_000n, BigInt(maximum), 2n ** 63n, 2n ** 64n - 1n),
    fc.bigInt({ min: least, max: BigInt(maximum) }),
  )
}

function strings({ pattern }: JsonSchema, known: KnownValues): fc.Arbitrary<string> {
  const digits = Number(/\[0-9a-fA-F\]\{(\d+)\}/.exec(pattern ?? '')?.[1] ?? 0)
  if (digits === 0) return fc.string()
  const random = fc.uint8Array({ minLength: digits / 2, maxLength: digits / 2 }).map(hexOf)
  const values = known.get(digits / 2)
  const prefixed =
    values === undefined ? random : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, random)
  return fc.tuple(prefixed, fc.nat(9)).map(([hex, way]) => {
    if (way === 0) return hex.slice(2)
    return way === 1 ? hex.toUpperCase().replace('0X', '0x') : hex
  })
}

function hexOf(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`
}
