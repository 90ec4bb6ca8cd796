/** Hostile requests without end: from the API's own description, and from recorded ones that are changed. */
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { type Mutation, mutations } from './byte-mutations.js'
import { twists } from './http-twists.js'
import { damaged, parsedTree } from './json-damage.js'
import { type KnownValues, type Operation, operationsOf, treesOf } from './openapi-bodies.js'
import { type Draft, type Field, type HostileRequest, written } from './request.js'

const FIXTURES = new URL('../../fixtures/wire/', import.meta.url)

interface Recorded {
  readonly method: string
  readonly target: string
  readonly body: string
}

export interface HostileWorld {
  /** /openapi.json, parsed. */
  readonly document: unknown
  readonly known: KnownValues
  /** An operator's token: most of the calls that want one are sent with it. */
  readonly token: string
}

/** The requests that the Python programs were recorded with. */
export function recordedRequests(): Recorded[] {
  return readdirSync(FIXTURES)
    .filter((file) => /^(relayer|sidecar|operator)-.*\.json$/.test(file))
    .flatMap((file) => JSON.parse(readFileSync(new URL(file, FIXTURES), 'utf8')) as unknown)
    .flatMap((row) => {
      const { request } = row as { request?: { method: string; path: string; body: string | null } }
      return request === undefined
        ? []
        : [{ method: request.method, target: request.path, body: request.body ?? '' }]
    })
}

/** A request of one kind or the other. The same seed of fast-check gives the same ones. */
export function hostileRequests(world: HostileWorld): fc.Arbitrary<HostileRequest> {
  const recordings = fc.constantFrom(...recordedRequests())
  const drafts = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(...operationsOf(world.document)).chain((one) => fromOpenApi(one, world)),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(recordings, recordings).chain(([one, other]) => fromRecording(one, other, world)),
    },
  )
  const some = fc.oneof(fc.constant([]), fc.array(twists, { minLength: 1, maxLength: 2 }))
  const twisted = fc
    .tuple(drafts, some)
    .map(([draft, all]) => written(all.reduce((result, twist) => twist(result), draft)))
  const mutated = fc
    .tuple(twisted, twisted, fewMutations)
    .map(([{ name, bytes }, other, all]): HostileRequest => {
      const changed = mutate(bytes, other.bytes, all)
      const bodiless = changed.toString('latin1', 0, 5) === 'HEAD '
      return { name: `${name}, bytes changed`, bytes: changed, expected: undefined, bodiless }
    })
  return fc.oneof({ weight: 6, arbitrary: twisted }, { weight: 1, arbitrary: mutated })
}

const fewMutations = fc.array(mutations, { minLength: 1, maxLength: 3 })

function mutate(bytes: Buffer, other: Buffer, all: readonly Mutation[]): Buffer {
  return all.reduce((result, mutation) => mutation(result, other), bytes)
}

function fromOpenApi({ method, path, body }: Operation, world: HostileWorld): fc.Arbitrary<Draft> {
  if (body === undefined) return draftsOf(method, path, fc.constant(''), world)
  return draftsOf(method, path, damaged(treesOf(body, world.known)), world)
}

function fromRecording(
  { method, target, body }: Recorded,
  other: Recorded,
  world: HostileWorld,
): fc.Arbitrary<Draft> {
  if (body === '') return draftsOf(method, target, fc.constant(''), world)
  const changed = fewMutations.map((all) => mutate(Buffer.from(body), Buffer.from(other.body), all))
  return draftsOf(method, target, fc.oneof(damaged(fc.constant(parsedTree(body))), changed), world)
}

function draftsOf(
  method: string,
  target: string,
  bodies: fc.Arbitrary<string | Buffer>,
  { token }: HostileWorld,
): fc.Arbitrary<Draft> {
  const basic = Buffer.from(`operator:${token}`).toString('base64')
  const authorizations = fc.constantFrom<readonly Field[]>(
    [['Authorization', `Bearer ${token}`]],
    [['Authorization', `Basic ${basic}`]],
    [],
  )
  return fc.tuple(bodies, authorizations).map(([body, authorization]) => ({
    method,
    target,
    version: 'HTTP/1.1',
    fields: [
      ['Host', 'localhost'],
      ...(body.length === 0 ? [] : [['Content-Type', 'application/json'] as const]),
      ...authorization,
    ],
    body: typeof body === 'string' ? Buffer.from(body) : body,
    framing: { kind: 'length' },
    copies: 1,
    twists: [],
  }))
}
