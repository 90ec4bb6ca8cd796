/** The relayer's HTTP side, made of its parts. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import Fastify, { type FastifyBaseLogger, type RawServerDefault } from 'fastify'
import type { Registry } from 'prom-client'
import type { Hex } from '../../core/hex.js'
import type { Logger } from '../../core/log.js'
import { isLoopbackAddress } from '../access/locality.js'
import type { ExitService } from '../exits/service.js'
import type { ManagerSignatures } from '../registrations/manager-signatures.js'
import type { Registrations } from '../registrations/registrations.js'
import type { ValidatorService } from '../validators/service.js'
import { type Access, guard } from './access.js'
import { limitBodies } from './body-budget.js'
import {
  type ConnectionLimits,
  limitConnections,
  REQUEST_TIMEOUT,
  SERVER_OPTIONS,
  SILENCE_TIMEOUT,
} from './connections.js'
import { allowPages } from './cors.js'
import { addExitSignature } from './exit-signature.js'
import { addExits } from './exits.js'
import { answerExpectation, answerFailures, answerMalformedHttp, sendFailure } from './failures.js'
import type { App, ZodTypeProvider } from './fastify.js'
import { addHealth, type HealthChecks } from './health.js'
import { addInfo } from './info.js'
import { useLosslessJson } from './json-body.js'
import { addManagerSignatures } from './manager-signatures.js'
import { addMetrics, HttpMetrics } from './metrics.js'
import { describeApi } from './openapi.js'
import { addRegister } from './register.js'
import { rejectionReporter } from './rejections.js'
import { addSignatures } from './signatures.js'
import { forgetKey, reportRefusedClients, serverOptions, type TlsFiles } from './tls.js'
import { addValidators } from './validators.js'
import { addWantedValidators } from './wanted-validators.js'

export interface HttpLimits extends ConnectionLimits {
  /** Bytes of one body. */
  readonly bodyBytes: number
  /** Public keys in one `POST /validators`. */
  readonly keysPerRequest: number
  /** Shares in one `POST /exit-signature` or `POST /signatures`. */
  readonly sharesPerRequest: number
}

export interface AppParts {
  readonly service: ExitService & ValidatorService
  /** What an operator of dialect 4 asks. */
  readonly operator: {
    readonly registrations: Pick<Registrations, 'register'>
    readonly signatures: Pick<ManagerSignatures, 'fund' | 'withdraw' | 'consolidate'>
    /** The validators manager's address, where there is its key. */
    readonly manager: Hex | undefined
  }
  /** The network's name, for `GET /info`. */
  readonly network: string
  readonly access: Access
  readonly limits: HttpLimits
  readonly health: { readonly needed: HealthChecks; readonly wanted: HealthChecks }
  readonly registry: Registry
  readonly logger: Logger
  /** The product's version, for the API's description. */
  readonly version: string
  /** Plain HTTP where absent. */
  readonly tls?: TlsFiles | undefined
}

/** Makes the app; it listens to nothing yet. */
export async function createApp(parts: AppParts): Promise<App> {
  const { service, limits, logger } = parts
  const app = makeFastify(parts)
  const metrics = new HttpMetrics(parts.registry)
  useLosslessJson(app)
  answerFailures(app, logger)
  metrics.observe(app)
  allowPages(app, parts.access.settings.corsOrigins)
  guard(app, parts.access, logger)
  limitBodies(app)
  await describeApi(app, parts.version)
  addInfo(app, parts.network, parts.operator.manager)
  addExits(app, service)
  addWantedValidators(app, service)
  addValidators(app, service, limits.keysPerRequest)
  const onRejected = rejectionReporter(logger, metrics.rejectedShares)
  addExitSignature(app, service, limits.sharesPerRequest, onRejected)
  addSignatures(app, service, limits.sharesPerRequest, onRejected)
  addRegister(app, parts.operator.registrations, limits.keysPerRequest)
  addManagerSignatures(app, parts.operator.signatures, limits.keysPerRequest)
  addHealth(app, parts.health.needed, parts.health.wanted)
  addMetrics(app, parts.registry)
  await app.ready()
  return app
}

function makeFastify({ access, limits, logger, tls }: AppParts): App {
  const https = tls === undefined ? undefined : serverOptions(tls)
  const app = Fastify<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger>({
    bodyLimit: limits.bodyBytes,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: SILENCE_TIMEOUT,
    forceCloseConnections: 'idle',
    trustProxy: access.trustProxy === true && isProxyHere,
    clientErrorHandler: answerMalformedHttp,
    frameworkErrors: (error, request, reply) => void sendFailure(error, request, reply, logger),
    ...(https === undefined ? { http: SERVER_OPTIONS } : { https: Object.assign(https, SERVER_OPTIONS) }),
  })
  if (https !== undefined && app.server instanceof TlsServer) {
    forgetKey(app.server, https)
    reportRefusedClients(app.server, logger)
  }
  limitConnections(app.server, limits)
  app.server.on('checkExpectation', answerExpectation)
  return app.withTypeProvider<ZodTypeProvider>()
}

/** Only the peer itself, and only on this machine: what a caller wrote into the header counts for nothing. */
function isProxyHere(address: string, hop: number): boolean {
  return hop === 0 && isLoopbackAddress(address)
}
