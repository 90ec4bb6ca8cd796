/** The client of a relayer that speaks dialect 1, as sidecars and operators use it. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { ConfigurationError, describeError, UnavailableError } from '../errors.js'
import { type Hex, type PublicKeyHex, toHex } from '../hex.js'
import { parseJson, stringifyJson } from '../json.js'
import { Secret } from '../secret.js'
import { describeShapeIssues } from '../shape-issues.js'
import { exitSignatureAnswer, exitsAnswer, infoAnswer, validatorsAnswer } from '../wire/dialect1.js'
import { publicKeyField, shareIndexField } from '../wire/fields.js'
import { HttpEndpoint, type HttpRequest, type HttpResponse } from './endpoint.js'
import { isLoopbackHost } from './loopback.js'
import { oneLine, RelayerError } from './relayer-errors.js'

export interface RelayerClientOptions {
  /** Milliseconds for one request. */
  readonly timeout?: number
  /** Lets requests, and with them tokens and shares, go over plain HTTP to another machine. */
  readonly allowPlainHttp?: boolean
  /** Sent as Bearer authorization. Credentials in the URL are sent as Basic authorization instead. */
  readonly token?: Secret<string>
  /** Most shares in one post; more are sent in several. */
  readonly batchSize?: number
}

/** One exit of `GET /exits`. */
export interface PublishedExit {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  readonly isExitSignatureReady: boolean
  readonly shareIndexesReady: readonly bigint[]
}

/** One node's share of an exit signature, 96 bytes. */
export interface ExitShare {
  readonly publicKey: PublicKeyHex
  readonly signature: Uint8Array
}

/** A share that the relayer found wrong. */
export interface RejectedShare {
  readonly publicKey: PublicKeyHex
  readonly reason: string
}

/** The oracles' parts of one exit signature, in the order of the protocol config. */
export interface OracleParts {
  /** 48 bytes each: what the i-th oracle's part verifies under. */
  readonly publicKeys: readonly PublicKeyHex[]
  /** The i-th oracle's part, encrypted to it. */
  readonly encryptedExitSignatures: readonly Hex[]
}

/** One key of `POST /validators`; null until its exit signature is there. */
export interface RequestedValidator {
  readonly publicKey: PublicKeyHex
  readonly oracleParts: OracleParts | null
}

/** The peers' time-out is longer than their poll interval: a Python relayer may answer late. */
const DEFAULT_TIMEOUT = 60_000
const DEFAULT_BATCH_SIZE = 200
const HEX = /^0x(?:[0-9a-f]{2})*$/

const listedExit = exitsAnswer.shape.exits.element.extend({
  share_indexes_ready: z.array(z.unknown()).transform((items) => items.flatMap(validShareIndex)),
})
const exitsEnvelope = z.object({ exits: z.array(z.unknown()) })

export class RelayerClient {
  /** The relayer's origin, for logs: never its credentials. */
  readonly shown: string
  readonly #endpoint: HttpEndpoint
  readonly #token: Secret<string> | undefined
  readonly #batchSize: number
  #lastExits: { readonly etag: string; readonly exits: readonly PublishedExit[] } | undefined

  /**
   * @throws ConfigurationError INVALID_RELAYER_ENDPOINT, PLAIN_HTTP_RELAYER, TWO_RELAYER_CREDENTIALS
   */
  constructor(url: string, options: RelayerClientOptions = {}) {
    const parsed = parseUrl(url)
    if (parsed.protocol === 'http:' && !isLoopbackHost(parsed.hostname) && options.allowPlainHttp !== true) {
      throw new ConfigurationError(
        'PLAIN_HTTP_RELAYER',
        `the relayer ${parsed.origin} is reached over plain HTTP: anyone on the way can read the shares, enough of which end a validator, and the token`,
        { hint: 'Give its https:// URL, or allow it with --allow-plain-http (ALLOW_PLAIN_HTTP=true)' },
      )
    }
    if (options.token !== undefined && (parsed.username !== '' || parsed.password !== '')) {
      throw new ConfigurationError(
        'TWO_RELAYER_CREDENTIALS',
        `the URL of the relayer ${parsed.origin} has credentials, and a token is given too`,
        { hint: 'Take the credentials out of RELAYER_ENDPOINT or leave out RELAYER_TOKEN_FILE' },
      )
    }
    this.#endpoint = new HttpEndpoint(url, { timeout: options.timeout ?? DEFAULT_TIMEOUT })
    this.shown = this.#endpoint.shown
    this.#token = options.token
    this.#batchSize = options.batchSize ?? DEFAULT_BATCH_SIZE
  }

  /**
   * The name of the network that the relayer works for.
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does
   */
  async info(): Promise<{ readonly network: string }> {
    return this.#read(infoAnswer, await this.#send({ method: 'GET', path: '/info' }), 'GET /info')
  }

  /**
   * Every wanted exit. A list that did not change since the last call is not sent again. Items that no
   * sidecar could use (a malformed key or index) are left out, so that they do not stop the others.
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does
   */
  async exits(): Promise<readonly PublishedExit[]> {
    const last = this.#lastExits
    const response = await this.#send({
      method: 'GET',
      path: '/exits',
      ...(last === undefined ? {} : { headers: { 'If-None-Match': last.etag } }),
    })
    if (response.status === 304 && last !== undefined) return last.exits
    const { exits: items } = this.#read(exitsEnvelope, response, 'GET /exits')
    const exits = items.flatMap(validExit)
    const etag = response.headers['etag']
    this.#lastExits = etag === undefined ? undefined : { etag, exits }
    return exits
  }

  /**
   * Posts one node's shares, in several requests where there are many.
   * @param shareIndex 1 … 2^64 − 1
   * @returns the shares that the relayer found wrong (a Python relayer names none)
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does;
   *   the batches before that were taken
   */
  async postExitSignatures(shareIndex: bigint, shares: readonly ExitShare[]): Promise<RejectedShare[]> {
    const rejected: RejectedShare[] = []
    for (let start = 0; start < shares.length; start += this.#batchSize) {
      const batch = shares.slice(start, start + this.#batchSize)
      rejected.push(...(await this.#postBatch(shareIndex, batch)))
    }
    return rejected
  }

  async #postBatch(shareIndex: bigint, shares: readonly ExitShare[]): Promise<RejectedShare[]> {
    const body = {
      share_index: shareIndex,
      shares: shares.map(({ publicKey, signature }) => ({
        public_key: publicKey,
        exit_signature: toHex(signature),
      })),
    }
    const response = await this.#send({
      method: 'POST',
      path: '/exit-signature',
      body: stringifyJson(body),
    })
    const { rejected = [] } = this.#read(exitSignatureAnswer, response, 'POST /exit-signature')
    return rejected.map(({ public_key, reason }) => ({ publicKey: public_key, reason: oneLine(reason) }))
  }

  /**
   * Asks for the exit signatures of the next validators; asking again is how to poll.
   * @param publicKeys in deposit order: the i-th gets the i-th next validator index
   * @returns one item for each key, in the same order
   * @throws RelayerError where it refuses, UnavailableError where it does not answer as a relayer does
   */
  async requestValidators(publicKeys: readonly PublicKeyHex[]): Promise<RequestedValidator[]> {
    const call = 'POST /validators'
    const response = await this.#send({
      method: 'POST',
      path: '/validators',
      body: stringifyJson({ public_keys: publicKeys }),
    })
    const { validators } = this.#read(validatorsAnswer, response, call)
    if (validators.length !== publicKeys.length) {
      throw this.#invalid(call, `${validators.length} validators for ${publicKeys.length} keys`)
    }
    return validators.map((validator, i) => {
      const publicKey = publicKeyField.safeParse(validator.public_key).data
      if (publicKey === undefined || publicKey !== publicKeys[i]) {
        throw this.#invalid(call, `validator ${i} is not the ${i}-th key that was asked for`)
      }
      return { publicKey, oracleParts: this.#oracleParts(validator.oracles_exit_signature_shares) }
    })
  }

  #oracleParts(
    shares: z.infer<typeof validatorsAnswer>['validators'][number]['oracles_exit_signature_shares'],
  ): OracleParts | null {
    if (shares === null || shares === undefined) return null
    const encrypted = shares.encrypted_exit_signatures.map((text) => `0x${text.replace(/^0x/, '')}` as Hex)
    if (!encrypted.every((text) => HEX.test(text))) {
      throw this.#invalid('POST /validators', 'an encrypted exit signature is not hex')
    }
    return { publicKeys: shares.public_keys, encryptedExitSignatures: encrypted }
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    const authorization = this.#token === undefined ? {} : { Authorization: `Bearer ${this.#token.reveal()}` }
    const response = await this.#endpoint.request({
      ...request,
      headers: { ...request.headers, ...authorization },
    })
    const notModified = response.status === 304 && request.headers?.['If-None-Match'] !== undefined
    if ((response.status >= 200 && response.status < 300) || notModified) return response
    throw new RelayerError(`relayer ${this.shown} ${request.method} ${request.path}`, response)
  }

  #read<S extends z.ZodType>(schema: S, response: HttpResponse, call: string): z.infer<S> {
    let content: unknown
    try {
      content = parseJson(response.body.toString('utf8'))
    } catch {
      throw this.#invalid(call, 'the answer is not JSON')
    }
    const parsed = schema.safeParse(content)
    if (parsed.success) return parsed.data
    throw this.#invalid(call, describeShapeIssues(parsed.error))
  }

  #invalid(call: string, reason: string): UnavailableError {
    return new UnavailableError('INVALID_RELAYER_ANSWER', `relayer ${this.shown} ${call}: ${reason}`, {
      hint: 'Check that RELAYER_ENDPOINT is a relayer of dialect 1',
    })
  }
}

function parseUrl(url: string): URL {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url)
  // The text is not repeated: it may hold a password.
  throw new ConfigurationError('INVALID_RELAYER_ENDPOINT', 'the relayer endpoint is no http or https URL', {
    hint: 'Set RELAYER_ENDPOINT to something like https://relayer.example.org',
  })
}

function validExit(item: unknown): PublishedExit[] {
  const exit = listedExit.safeParse(item).data
  if (exit === undefined) return []
  return [
    {
      publicKey: exit.public_key,
      validatorIndex: exit.validator_index,
      isExitSignatureReady: exit.is_exit_signature_ready,
      shareIndexesReady: exit.share_indexes_ready,
    },
  ]
}

/** A Python relayer takes and lists an index of 0 from anyone: that must not hide the exit. */
function validShareIndex(item: unknown): bigint[] {
  const index = shareIndexField.safeParse(item).data
  return index === undefined ? [] : [index]
}

/**
 * The token in a file, without the line break at its end.
 * @throws ConfigurationError INVALID_TOKEN_FILE
 */
export async function readTokenFile(file: string): Promise<Secret<string>> {
  let token: string
  try {
    token = (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new ConfigurationError('INVALID_TOKEN_FILE', `cannot read the token: ${describeError(cause)}`, {
      cause,
      hint: 'Point RELAYER_TOKEN_FILE to a file that this user may read',
    })
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigurationError('INVALID_TOKEN_FILE', `${file} does not hold a token of one line`, {
      hint: 'Write into it what the relayer printed when the token was made, and nothing else',
    })
  }
  return new Secret(token)
}
