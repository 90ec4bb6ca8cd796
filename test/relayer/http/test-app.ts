import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { AccessSettings } from '../../../relayer/access/decision.js'
import { RateLimit } from '../../../relayer/access/rate-limit.js'
import type { TokenIdentity } from '../../../relayer/access/tokens.js'
import type { ExitService } from '../../../relayer/exits/service.js'
import { type AppParts, createApp } from '../../../relayer/http/app.js'
import type { App } from '../../../relayer/http/fastify.js'
import { RegistrationRefusal } from '../../../relayer/registrations/refusal.js'
import type { ValidatorService } from '../../../relayer/validators/service.js'

export const SETTINGS: AccessSettings = {
  boundToLoopback: true,
  allowedHosts: [],
  open: false,
  requireTokensForReading: false,
  requireTokensForPosting: false,
  allowPlainHttpTokens: false,
  corsOrigins: [],
}

export interface TestAppOptions {
  readonly settings?: Partial<AccessSettings>
  readonly tokens?: Readonly<Record<string, TokenIdentity>>
  /** In place of the table of tokens. */
  readonly identify?: AppParts['access']['identify']
  readonly limits?: Partial<AppParts['limits']>
  readonly rateLimit?: RateLimit
  readonly trustProxy?: boolean
  readonly health?: AppParts['health']
  readonly log?: (line: Record<string, unknown>) => void
  readonly tls?: AppParts['tls']
  readonly operator?: AppParts['operator']
}

/** A relayer that does nothing for operators of dialect 4. */
const refuse = async () => {
  throw new RegistrationRefusal('UNKNOWN_VAULT', 'no vault is configured')
}
const NO_OPERATOR: AppParts['operator'] = {
  registrations: { register: refuse },
  signatures: { fund: refuse, withdraw: refuse, consolidate: refuse },
  manager: undefined,
}

/** The app with everything open to a test: no limits that matter, tokens from a table. */
export function testApp(service: ExitService & ValidatorService, options: TestAppOptions = {}): Promise<App> {
  return createApp({
    service,
    network: 'hoodi',
    operator: options.operator ?? NO_OPERATOR,
    version: '0.0.0',
    access: {
      settings: { ...SETTINGS, ...options.settings },
      identify: options.identify ?? (async (token) => options.tokens?.[token]),
      rateLimit: options.rateLimit ?? new RateLimit({ perSecond: 1e6, burst: 1e6, clock: () => 0 }),
      trustProxy: options.trustProxy ?? false,
    },
    limits: {
      bodyBytes: 1_048_576,
      keysPerRequest: 1000,
      sharesPerRequest: 1000,
      connections: 1000,
      connectionsPerAddress: 1000,
      ...options.limits,
    },
    health: options.health ?? { needed: { database: async () => true }, wanted: {} },
    registry: new Registry(),
    logger: pino({ level: 'debug' }, { write: (line) => options.log?.(JSON.parse(line)) }),
    tls: options.tls,
  })
}
