/** An execution node in front of the EVM, where a test can look at calls, hold them up, or lose them. */
import { type DoubleAnswer, type DoubleRequest, HttpDouble } from '../http-double.js'
import type { Anvil } from './anvil.js'

export class ExecutionProxy extends HttpDouble {
  readonly #anvil: Anvil
  /** Called before a call reaches the EVM, and after, before its answer goes back. */
  before: (method: string) => unknown = () => undefined
  after: (method: string) => unknown = () => undefined

  constructor(anvil: Anvil) {
    super()
    this.#anvil = anvil
  }

  protected override kindOf({ body }: DoubleRequest): string {
    return methodOf(body)
  }

  protected override async answer({ body }: DoubleRequest): Promise<DoubleAnswer> {
    const method = methodOf(body)
    await this.before(method)
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(this.#anvil.url, { method: 'POST', headers, body })
    const answer = { status: response.status, body: await response.text() }
    await this.after(method)
    return answer
  }
}

function methodOf(body: string): string {
  return (JSON.parse(body) as { method: string }).method
}
