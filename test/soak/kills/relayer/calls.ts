/** The calls of a relayer's clients. A relayer that is not there answers undefined. */
import { z } from 'zod'
import { parseJson, stringifyJson } from '../../../../core/json.js'
import { exitsAnswer, validatorsAnswer } from '../../../../core/wire/dialect1.js'
import { wantedValidator } from '../../../../core/wire/dialect2.js'
import { registerAnswer } from '../../../../core/wire/dialect4.js'

const wantedAnswer = z.object({ validators: z.array(wantedValidator) })
const postAnswer = z.object({
  rejected: z.array(z.object({ public_key: z.string(), reason: z.string() })).optional(),
})

/** A longer silence than this is no answer. Milliseconds. */
const TIMEOUT = 15_000

export class Calls {
  readonly #url: string
  readonly #operatorToken: string
  /** Answers that no client should ever get. */
  readonly unexpected: string[] = []

  constructor(url: string, operatorToken: string) {
    this.#url = url
    this.#operatorToken = operatorToken
  }

  async exits() {
    const answer = await this.#call('GET', '/exits')
    return answer === undefined ? undefined : exitsAnswer.parse(answer).exits
  }

  async wanted() {
    const answer = await this.#call('GET', '/validators')
    return answer === undefined ? undefined : wantedAnswer.parse(answer).validators
  }

  async ask(publicKeys: readonly string[]) {
    const answer = await this.#call('POST', '/validators', { public_keys: publicKeys })
    return answer === undefined ? undefined : validatorsAnswer.parse(answer).validators
  }

  async register(body: unknown) {
    const answer = await this.#call('POST', '/register', body)
    return answer === undefined ? undefined : registerAnswer.parse(answer).validators
  }

  /** @returns the public keys whose shares were rejected */
  async post(path: '/exit-signature' | '/signatures', body: unknown): Promise<string[] | undefined> {
    const answer = await this.#call('POST', path, body)
    return answer === undefined
      ? undefined
      : (postAnswer.parse(answer).rejected ?? []).map(({ public_key }) => public_key)
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    let status: number
    let text: string
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(path === '/register' ? { authorization: `Bearer ${this.#operatorToken}` } : {}),
        },
        ...(body === undefined ? {} : { body: stringifyJson(body) }),
        signal: AbortSignal.timeout(TIMEOUT),
      })
      status = response.status
      text = await response.text()
    } catch {
      return undefined
    }
    if (status === 200) return parseJson(text)
    // While it starts, it knows neither oracles nor chain.
    if (status !== 503) this.unexpected.push(`${method} ${path}: ${status} ${text.slice(0, 300)}`)
    return undefined
  }
}
