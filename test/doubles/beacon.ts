/** A beacon node's API on loopback, as far as a sidecar asks it: the registry of the head state. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PublicKeyHex } from '../../core/hex.js'
import type { Network } from '../../core/network.js'

export class BeaconDouble {
  /** Keys of validators; each stands at an index below the registry's length. */
  readonly known = new Map<PublicKeyHex, number>()
  /** The registry's length. */
  length = 0
  syncing = false
  optimistic = false
  /** How often validators were asked for. */
  questions = 0
  readonly #network: Network
  readonly #server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = this.#answer(incoming.url ?? '', Buffer.concat(chunks).toString('utf8'))
      outgoing.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
      outgoing.end(JSON.stringify(body ?? { code: 404, message: 'not found' }))
    })
  })

  constructor(network: Network) {
    this.#network = network
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(path: string, body: string): unknown {
    switch (path) {
      case '/eth/v1/beacon/genesis':
        return {
          data: {
            genesis_time: String(this.#network.genesisTime),
            genesis_validators_root: this.#network.genesisValidatorsRoot,
            genesis_fork_version: this.#network.genesisForkVersion,
          },
        }
      case '/eth/v1/node/syncing':
        return { data: { is_syncing: this.syncing, is_optimistic: this.optimistic, el_offline: false } }
      case '/eth/v1/beacon/states/head/validators': {
        this.questions += 1
        const { ids } = JSON.parse(body) as { ids: string[] }
        return { execution_optimistic: this.optimistic, data: ids.flatMap((id) => this.#validator(id)) }
      }
    }
    return undefined
  }

  #validator(id: string) {
    const index = id.startsWith('0x') ? this.known.get(id as PublicKeyHex) : Number(id)
    if (index === undefined || index >= this.length) return []
    const key = [...this.known].find(([, known]) => known === index)?.[0] ?? `0x${'ee'.repeat(48)}`
    const validator = { pubkey: key, withdrawal_credentials: `0x01${'00'.repeat(31)}` }
    return [{ index: String(index), status: 'active_ongoing', balance: '32000000000', validator }]
  }
}
