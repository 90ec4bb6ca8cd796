/** A relayer that wants exits and deposits of one node, and looks hard at each share that it gets. */
import { existsSync, readFileSync } from 'node:fs'
import { parsePublicKey, parseSignature } from '../../../../core/bls/points.js'
import { verifySignature } from '../../../../core/bls/verify.js'
import { fromHex, type Hex, type PublicKeyHex } from '../../../../core/hex.js'
import { parseJson, stringifyJson } from '../../../../core/json.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../../core/messages/deposit.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../../../core/messages/voluntary-exit.js'
import type { Network } from '../../../../core/network.js'
import { exitSignatureRequest } from '../../../../core/wire/dialect1.js'
import { signaturesRequest } from '../../../../core/wire/dialect2.js'
import { type Answer, type RecordedRequest, RelayerDouble } from '../../../doubles/relayer.js'
import { VAULT } from '../vault.js'
import { AuditFile } from './audit-file.js'

export interface Wanted {
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  /** Whether its deposit is wanted with it. */
  readonly withDeposit: boolean
}

export interface WantingRelayerParts {
  readonly network: Network
  readonly shareIndex: bigint
  /** The node's public share of a validator. */
  readonly publicShareOf: (publicKey: PublicKeyHex) => Hex
  readonly auditLog: string
}

/** What a sidecar does that one may wait for: it reads the chain, asks for the list, or its shares came. */
export type Step = 'reads' | 'asks' | 'posts' | 'was answered'

/** Every so many posts are answered 503, so that the same shares come again. */
const UNWELCOME = 5
const AMOUNT = 32_000_000_000n

export const exitName = ({ publicKey, validatorIndex }: Pick<Wanted, 'publicKey' | 'validatorIndex'>) =>
  `${publicKey} ${validatorIndex}`

export class WantingRelayer {
  readonly double: RelayerDouble
  readonly faults: string[] = []
  /** Called with each step; a post is answered when what it returns has resolved. */
  onStep: (step: Step) => unknown = () => undefined
  readonly #parts: WantingRelayerParts
  readonly #wanted = new Map<string, Wanted>()
  readonly #acknowledged = new Set<string>()
  /** Every signature that came, by what it signs. */
  readonly #signatures = new Map<string, Hex>()
  #posts = 0

  constructor(parts: WantingRelayerParts) {
    this.#parts = parts
    this.double = new RelayerDouble((request) => this.#answer(request))
  }

  want(wanted: Wanted): void {
    this.#wanted.set(exitName(wanted), wanted)
  }

  /** What is wanted and was not acknowledged. */
  get missing(): Wanted[] {
    return [...this.#wanted].filter(([name]) => !this.#acknowledged.has(name)).map(([, wanted]) => wanted)
  }

  async #answer(request: RecordedRequest): Promise<Answer | undefined> {
    // The double keeps every request; a poller makes many.
    this.double.requests.length = 0
    const { method, path, body } = request
    if (method === 'GET' && path === '/info') return { body: { network: this.#parts.network.name } }
    if (method === 'GET' && path === '/exits') {
      if (this.missing.length > 0) await this.onStep('asks')
      return { body: stringifyJson({ exits: this.#listed(false).map((one) => this.#exitLine(one)) }) }
    }
    if (method === 'GET' && path === '/validators') {
      return {
        body: stringifyJson({ validators: this.#listed(true).map((one) => this.#validatorLine(one)) }),
      }
    }
    if (method === 'POST' && path === '/exit-signature') {
      const { share_index, shares } = exitSignatureRequest.parse(parseJson(body))
      return this.#take(share_index, shares)
    }
    if (method === 'POST' && path === '/signatures') {
      const { share_index, shares } = signaturesRequest.parse(parseJson(body))
      return this.#take(share_index, shares)
    }
    return undefined
  }

  async #take(
    shareIndex: bigint,
    shares: readonly {
      readonly public_key: PublicKeyHex
      readonly exit_signature: Hex
      readonly deposit_signature?: Hex
    }[],
  ): Promise<Answer> {
    if (shareIndex !== this.#parts.shareIndex) this.faults.push(`it posts for node ${shareIndex}`)
    const audit = existsSync(this.#parts.auditLog) ? readFileSync(this.#parts.auditLog, 'utf8') : ''
    const { signed } = new AuditFile(audit)
    const names = shares.flatMap(({ public_key, exit_signature, deposit_signature }) => {
      const exit = this.#check(public_key, exit_signature, signed)
      if (deposit_signature !== undefined) this.#checkDeposit(public_key, deposit_signature, signed)
      return exit
    })
    await this.onStep('posts')
    this.#posts += 1
    if (this.#posts % UNWELCOME === 0) return { status: 503, body: { detail: 'not now' } }
    for (const name of names) this.#acknowledged.add(name)
    await this.onStep('was answered')
    return {}
  }

  /** The relayer knows what it asks for: a share is of the exit of the key that it verifies for. */
  #check(publicKey: PublicKeyHex, signature: Hex, audited: ReadonlySet<string>): string[] {
    const ofKey = [...this.#wanted.values()].filter((wanted) => wanted.publicKey === publicKey)
    const right = ofKey.find(({ validatorIndex }) =>
      this.#verifies(publicKey, exitRoot(this.#parts.network, validatorIndex), signature),
    )
    if (right === undefined) {
      this.faults.push(`a share of ${publicKey} is of no exit that is wanted`)
      return []
    }
    const name = exitName(right)
    this.#compare(name, signature)
    if (!audited.has(name)) this.faults.push(`the share of ${name} came before its line in the audit log`)
    return [name]
  }

  #checkDeposit(publicKey: PublicKeyHex, signature: Hex, audited: ReadonlySet<string>): void {
    const root = depositSigningRoot(this.#parts.network, {
      publicKey,
      withdrawalCredentials: withdrawalCredentials('0x01', VAULT),
      amount: AMOUNT,
    })
    const name = `${publicKey} deposit`
    if (!this.#verifies(publicKey, root, signature)) this.faults.push(`a share of the ${name} is wrong`)
    this.#compare(name, signature)
    if (!audited.has(name)) this.faults.push(`the share of the ${name} came before its line in the audit log`)
  }

  #compare(name: string, signature: Hex): void {
    const before = this.#signatures.get(name)
    if (before !== undefined && before !== signature) this.faults.push(`${name} came with other bytes`)
    this.#signatures.set(name, signature)
  }

  #verifies(publicKey: PublicKeyHex, message: Uint8Array, signature: Hex): boolean {
    const share = parsePublicKey(this.#parts.publicShareOf(publicKey))
    return verifySignature({ message, publicKey: share, signature: parseSignature(fromHex(signature, 96)) })
  }

  #listed(withDeposit: boolean): Wanted[] {
    return [...this.#wanted.values()].filter((wanted) => wanted.withDeposit === withDeposit)
  }

  #exitLine(wanted: Wanted) {
    return {
      public_key: wanted.publicKey,
      validator_index: wanted.validatorIndex,
      is_exit_signature_ready: false,
      share_indexes_ready: this.#indexesOf(wanted),
    }
  }

  #validatorLine(wanted: Wanted) {
    return {
      public_key: wanted.publicKey,
      vault: VAULT,
      amount: AMOUNT,
      validator_type: '0x01',
      validator_index: wanted.validatorIndex,
      is_signatures_ready: false,
      share_indexes_ready: this.#indexesOf(wanted),
    }
  }

  #indexesOf(wanted: Wanted): bigint[] {
    return this.#acknowledged.has(exitName(wanted)) ? [this.#parts.shareIndex] : []
  }
}

function exitRoot(network: Network, validatorIndex: number): Uint8Array {
  return voluntaryExitSigningRoot(network, presignedExit(network, validatorIndex))
}
