/** What sending asks of execution nodes. */
import type { RetryOptions } from '../../core/clients/endpoint.js'
import type { ExecutionApi } from '../../core/clients/execution.js'

/** One node. Every call may throw UnavailableError or RpcError. */
export interface TransactionEndpoint
  extends Pick<
    ExecutionApi,
    'block' | 'transactionCount' | 'transactionReceipt' | 'transactionByHash' | 'sendRawTransaction'
  > {
  /** Its name for logs and errors. */
  readonly shown: string
}

/** Several nodes tried in turn, and each one alone. An ExecutionClient is one. */
export interface TransactionChain extends Pick<ExecutionApi, 'transactionCount' | 'feeHistory' | 'simulate'> {
  readonly endpoints: readonly TransactionEndpoint[]
  readonly retry: RetryOptions
}
