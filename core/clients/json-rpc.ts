/** JSON-RPC 2.0 over HTTP: one call a request. */
import { z } from 'zod'
import { DvtExitError, type ErrorDetails, UnavailableError } from '../errors.js'
import type { Hex } from '../hex.js'
import { stringifyJson } from '../json.js'
import { type HttpEndpoint, type RetryOptions, tryInTurn } from './endpoint.js'
import { checkAnswer, hexField, readAnswer, unexpectedAnswer } from './json-fields.js'
import { oneLine } from './relayer-errors.js'

const answerSchema = z.object({
  result: z.unknown().optional(),
  error: z
    .object({ code: z.union([z.number(), z.bigint()]), message: z.string(), data: z.unknown().optional() })
    .nullish(),
})
/** Nodes give what a contract reverted with as the error's data, some of them one level deeper. */
const revertData = z.union([hexField(), z.object({ data: hexField() }).transform(({ data }) => data)])

const MAX_MESSAGE = 300

/** An endpoint understood a call and refused it. */
export class RpcError extends DvtExitError {
  /** What the contract reverted with, where the call reverted and the node says so. */
  readonly data: Hex | undefined

  constructor(message: string, details: ErrorDetails & { readonly data?: Hex | undefined } = {}) {
    super('RPC_ERROR', message, details)
    this.data = details.data
  }
}

/**
 * Makes one call.
 * @param schema the shape of the result
 * @throws RpcError where the endpoint understood and refused; UnavailableError otherwise
 */
export async function callJsonRpc<T>(
  endpoint: HttpEndpoint,
  method: string,
  params: readonly unknown[],
  schema: z.ZodType<T>,
): Promise<T> {
  const body = stringifyJson({ jsonrpc: '2.0', id: 1, method, params })
  const what = `${endpoint.shown} ${method}`
  const response = await endpoint.request({ method: 'POST', path: '', body })
  if (response.status === 401 || response.status === 403) {
    throw new UnavailableError('ENDPOINT_UNAUTHORIZED', `${what}: HTTP ${response.status}`, {
      hint: 'Check the key or password in the endpoint’s URL',
    })
  }
  // Some providers refuse with a status of 4xx and the reason as a JSON-RPC error.
  const { error, result } = readAnswer(what, response, answerSchema)
  if (error !== null && error !== undefined) {
    const message = oneLine(response.quotable(error.message)).slice(0, MAX_MESSAGE)
    throw new RpcError(`${what}: ${message} (${error.code})`, {
      data: revertData.safeParse(error.data).data,
    })
  }
  if (result === undefined) throw unexpectedAnswer(what, `HTTP ${response.status} without a result`)
  return checkAnswer(what, result, schema)
}

/** Whether an endpoint understood a call and refused it. */
export function isRefusal(error: unknown): error is DvtExitError {
  return error instanceof DvtExitError && error.code === 'RPC_ERROR' && !(error instanceof UnavailableError)
}

/** What a refused call reverted with, where that is known. */
export function revertDataOf(error: unknown): Hex | undefined {
  return error instanceof RpcError ? error.data : undefined
}

/**
 * tryInTurn for JSON-RPC: where one endpoint refuses, another may have wider limits or more history.
 * @throws RpcError where none served it and one refused it, at once when all of them refuse;
 *   else as tryInTurn does
 */
export async function tryRefusalsToo<E, T>(
  what: string,
  endpoints: readonly E[],
  operation: (endpoint: E) => Promise<T>,
  retry: RetryOptions,
): Promise<T> {
  const refusals = new Map<E, DvtExitError>()
  try {
    return await tryInTurn(
      what,
      endpoints,
      async (endpoint) => {
        try {
          return await operation(endpoint)
        } catch (error) {
          if (!isRefusal(error)) throw error
          refusals.set(endpoint, error)
          if (refusals.size === endpoints.length) throw error
          throw new UnavailableError('ENDPOINT_REFUSED', error.message)
        }
      },
      retry,
    )
  } catch (error) {
    const [refusal] = refusals.values()
    if (refusal === undefined || !(error instanceof UnavailableError)) throw error
    throw new RpcError(error.message, { cause: error, data: revertDataOf(refusal) })
  }
}
