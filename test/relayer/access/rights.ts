/** The design's table of rights, and what it says comes of a request: written after the design, not after the code. */
import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { AccessSettings } from '../../../relayer/access/decision.js'
import { newToken, type TokenIdentity } from '../../../relayer/access/tokens.js'
import { openRelayerDatabase } from '../../../relayer/store/open.js'
import { TokenStore } from '../../../relayer/store/tokens.js'

const KEY = `0x${'ab'.repeat(48)}`
const VAULT = `0x${'ba'.repeat(20)}`
const SIGNATURE = `0x${'5e'.repeat(65)}` as const
const SHARE = `0x${'00'.repeat(96)}`
/** Grants everything that it is asked for. */
export const OPERATOR = {
  registrations: {
    register: async () => ({ validators: [], managerSignature: undefined, detail: undefined }),
  },
  signatures: {
    fund: async () => SIGNATURE,
    withdraw: async () => SIGNATURE,
    consolidate: async () => SIGNATURE,
  },
  manager: undefined,
}

/** The table of the design: who may without a token, and whose token allows it everywhere. */
interface Row {
  readonly local: Answer
  readonly elsewhere: Answer
  readonly open: Answer
  readonly tokenOf: readonly Role[] | 'anyone'
}
type Answer = 'yes' | 'no' | 'unless told otherwise'
type Role = 'operator' | 'sidecar' | 'viewer'
const TABLE = {
  info: { local: 'yes', elsewhere: 'yes', open: 'yes', tokenOf: 'anyone' },
  lists: {
    local: 'yes',
    elsewhere: 'unless told otherwise',
    open: 'yes',
    tokenOf: ['sidecar', 'operator', 'viewer'],
  },
  shares: { local: 'yes', elsewhere: 'unless told otherwise', open: 'yes', tokenOf: ['sidecar'] },
  requests: { local: 'yes', elsewhere: 'no', open: 'yes', tokenOf: ['operator'] },
  metrics: { local: 'yes', elsewhere: 'no', open: 'no', tokenOf: ['viewer', 'operator'] },
  manager: { local: 'no', elsewhere: 'no', open: 'no', tokenOf: ['operator'] },
} as const satisfies Readonly<Record<string, Row>>

interface Endpoint {
  readonly row: keyof typeof TABLE
  /** The path asked for, where it is not the route's own. */
  readonly url?: string
  readonly payload?: object
}
/** Every route of the relayer: the test fails where the app has one more or less. */
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  'GET /info': { row: 'info' },
  'GET /health': { row: 'info' },
  'GET /exits': { row: 'lists' },
  'GET /validators': { row: 'lists' },
  'GET /docs': { row: 'lists' },
  'GET /docs/': { row: 'lists' },
  'GET /docs/json': { row: 'lists' },
  'GET /docs/yaml': { row: 'lists' },
  'GET /docs/static/index.html': { row: 'lists' },
  'GET /docs/static/swagger-initializer.js': { row: 'lists' },
  'GET /docs/*': { row: 'lists', url: '/docs/static/favicon-32x32.png' },
  'GET /openapi.json': { row: 'lists' },
  'POST /exit-signature': {
    row: 'shares',
    payload: { share_index: 1, shares: [{ public_key: KEY, exit_signature: SHARE }] },
  },
  'POST /signatures': {
    row: 'shares',
    payload: {
      share_index: 1,
      shares: [{ public_key: KEY, exit_signature: SHARE, deposit_signature: SHARE }],
    },
  },
  'POST /validators': { row: 'requests', payload: { public_keys: [KEY] } },
  'GET /metrics': { row: 'metrics' },
  'POST /register': {
    row: 'manager',
    payload: { vault: VAULT, validators_start_index: 1, amounts: [32_000_000_000], validator_type: '0x01' },
  },
  'POST /fund': { row: 'manager', payload: { vault: VAULT, public_keys: [KEY], amounts: [1] } },
  'POST /withdraw': { row: 'manager', payload: { vault: VAULT, public_keys: [KEY], amounts: [1] } },
  'POST /consolidate': {
    row: 'manager',
    payload: { vault: VAULT, source_public_keys: [KEY], target_public_keys: [KEY] },
  },
}
export const ROUTES = Object.keys(ENDPOINTS)

export const IDENTITIES = {
  operator: { name: 'op', role: 'operator', shareIndexes: [] },
  sidecar: { name: 'car', role: 'sidecar', shareIndexes: [1n] },
  'sidecar of another index': { name: 'other', role: 'sidecar', shareIndexes: [2n, 3n] },
  viewer: { name: 'eye', role: 'viewer', shareIndexes: [] },
  revoked: { name: 'gone', role: 'operator', shareIndexes: [] },
} as const satisfies Readonly<Record<string, TokenIdentity>>
export const CALLERS = ['nobody', ...Object.keys(IDENTITIES), 'wrong'] as (
  | keyof typeof IDENTITIES
  | 'nobody'
  | 'wrong'
)[]
export type Caller = (typeof CALLERS)[number]

export interface Situation {
  /** Which column of the table holds. */
  readonly column: 'local' | 'elsewhere' | 'open'
  readonly settings?: Partial<AccessSettings>
  readonly peer?: string
  readonly headers: Readonly<Record<string, string>>
  /** Whether the Host name is one that is not served. */
  readonly foreignHost?: true
  /** Whether tokens came over plain HTTP from another machine. */
  readonly inTheClear?: true
}

/** What the design says comes of it: 200, or the status of the refusal. */
export function expectedStatus(
  route: string,
  caller: Caller,
  { column, settings = {}, foreignHost, inTheClear }: Situation,
): number {
  if (foreignHost) return 421
  if (caller === 'wrong' || caller === 'revoked') return 401
  if (inTheClear && caller !== 'nobody') return 403
  // HEAD has the rights of GET.
  const name = ENDPOINTS[route.replace('HEAD', 'GET')]?.row ?? 'manager'
  const row: Row = TABLE[name]
  const told = name === 'lists' ? settings.requireTokensForReading : settings.requireTokensForPosting
  const without = row[column] === 'yes' || (row[column] === 'unless told otherwise' && told !== true)
  if (caller === 'nobody') return without ? 200 : 401
  const { role } = IDENTITIES[caller]
  if (name === 'shares' && caller === 'sidecar of another index') return 403
  return without || row.tokenOf === 'anyone' || row.tokenOf.includes(role) ? 200 : 403
}

export const LOCAL: Situation = { column: 'local', headers: { host: '127.0.0.1:8000' } }
export const BOUND_ELSEWHERE = { boundToLoopback: false, allowPlainHttpTokens: true }
export const ELSEWHERE: Situation = {
  column: 'elsewhere',
  peer: '192.0.2.7',
  headers: { host: 'relayer.example' },
  settings: BOUND_ELSEWHERE,
}
export const BEHIND_PROXY: Situation = {
  column: 'elsewhere',
  headers: { host: 'localhost', via: '1.1 proxy' },
}
export const REQUIRED = { requireTokensForReading: true, requireTokensForPosting: true }

/** Real tokens for every caller, one of them revoked. */
export async function makeTokens() {
  const database = await openRelayerDatabase(':memory:')
  const store = new TokenStore(database, () => 1_795_169_700)
  const made = new Map<Caller, string>([['wrong', newToken(randomBytes)]])
  for (const [caller, identity] of Object.entries(IDENTITIES)) {
    const token = newToken(randomBytes)
    await store.add(token, identity)
    made.set(caller as Caller, token)
  }
  await store.revoke(IDENTITIES.revoked.name)
  return {
    identify: (token: string) => store.identify(token),
    /** The headers with which a caller says who it is. */
    headersOf: (caller: Caller): Record<string, string> =>
      caller === 'nobody' ? {} : { authorization: `Bearer ${made.get(caller)}` },
    close: () => database.destroy(),
  }
}
export type Tokens = Awaited<ReturnType<typeof makeTokens>>

/** Asks everything as everyone, and compares all of it at once. @param asking gives the status */
export async function expectTable(
  situation: Situation,
  asking: (route: string, caller: Caller) => Promise<number | undefined>,
  routes: readonly string[] = ROUTES,
  callers: readonly Caller[] = CALLERS,
): Promise<void> {
  const found: Record<string, unknown> = {}
  const wanted: Record<string, unknown> = {}
  for (const route of routes) {
    for (const caller of callers) {
      found[`${route} as ${caller}`] = await asking(route, caller)
      wanted[`${route} as ${caller}`] = expectedStatus(route, caller, situation)
    }
  }
  expect(found).to.deep.equal(wanted)
}

/** What to send for a route; HEAD has the path of GET. */
export function requestOf(route: string): { method: string; url: string; body: string | undefined } {
  const [method = '', path = ''] = route.split(' ')
  const { url = path, payload } = ENDPOINTS[`${method === 'HEAD' ? 'GET' : method} ${path}`] ?? {}
  return { method, url, body: payload === undefined ? undefined : JSON.stringify(payload) }
}
