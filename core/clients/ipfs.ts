/** Files of IPFS through HTTP gateways, none of which is trusted: what comes is checked against its CID. */
import { DvtExitError, describeError, UnavailableError } from '../errors.js'
import { isContentOf, parseContentId } from './content-id.js'
import { DEFAULT_RETRY, excerpt, HttpEndpoint, type RetryOptions, tryInTurn } from './endpoint.js'

export interface IpfsClientOptions {
  /** Milliseconds for one request. */
  readonly timeout?: number
  readonly retry?: RetryOptions
}

const DEFAULT_TIMEOUT = 60_000
/** The protocol config has some kilobytes. */
const MAX_FILE_BYTES = 16 * 1024 * 1024

export class IpfsClient {
  readonly #gateways: readonly HttpEndpoint[]
  readonly #retry: RetryOptions

  /** @param gateways base URLs; `/ipfs/{cid}` is added to each */
  constructor(gateways: readonly string[], options: IpfsClientOptions = {}) {
    const limits = { timeout: options.timeout ?? DEFAULT_TIMEOUT, maxResponseBytes: MAX_FILE_BYTES }
    this.#gateways = gateways.map((url) => new HttpEndpoint(url, limits))
    this.#retry = options.retry ?? DEFAULT_RETRY
  }

  /**
   * The file that a CID names, from the first gateway that has it unaltered.
   * @throws DvtExitError INVALID_CID, UNSUPPORTED_CID where the content could not be checked; UnavailableError
   *   ALL_ENDPOINTS_FAILED where no gateway gives it, or only something else (WRONG_CONTENT)
   */
  async fetch(cid: string): Promise<Buffer> {
    const expected = parseContentId(cid)
    return this.#inTurn(cid, (body) => {
      if (isContentOf(expected, body)) return body
      throw new Error('not the content of this CID')
    })
  }

  /**
   * The same for a file whose content is proven elsewhere too: one that cannot be checked against its CID is
   * taken from the first gateway that gives something readable.
   * @param parse throws where the content is not what it should be
   * @throws DvtExitError INVALID_CID; UnavailableError as fetch() does
   */
  async fetchProven<T>(cid: string, parse: (content: Buffer) => T): Promise<T> {
    const expected = ifCheckable(() => parseContentId(cid))
    return this.#inTurn(cid, (body) => {
      const isRight = expected && ifCheckable(() => isContentOf(expected, body))
      if (isRight === false) throw new Error('not the content of this CID')
      return parse(body)
    })
  }

  #inTurn<T>(cid: string, read: (content: Buffer) => T): Promise<T> {
    return tryInTurn(
      `IPFS file ${cid}`,
      this.#gateways,
      async (gateway) => {
        const path = `/ipfs/${cid}`
        const response = await gateway.request({ method: 'GET', path, headers: { Accept: '*/*' } })
        const { status, body } = response
        if (status !== 200) {
          throw new UnavailableError(
            'ENDPOINT_FAILED',
            `${gateway.shown} ${path}: HTTP ${status} ${excerpt(response)}`,
          )
        }
        try {
          return read(body)
        } catch (error) {
          if (error instanceof DvtExitError) throw error
          throw new UnavailableError('WRONG_CONTENT', `${gateway.shown} ${path}: ${describeError(error)}`)
        }
      },
      this.#retry,
    )
  }
}

/** Undefined where a CID, or content of such a size, cannot be checked here. */
function ifCheckable<T>(check: () => T): T | undefined {
  try {
    return check()
  } catch (error) {
    if (error instanceof DvtExitError && error.code === 'UNSUPPORTED_CID') return undefined
    throw error
  }
}
