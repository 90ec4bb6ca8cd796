/** Oracles that have functions instead of a chain, and requests that they approve. */
import { expect } from 'chai'
import { concatHex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { RelayerClient } from '../../../core/clients/relayer.js'
import type { Hex } from '../../../core/hex.js'
import { parseJson, stringifyJson } from '../../../core/json.js'
import { loadNetwork } from '../../../core/network.js'
import { managerTypedData } from '../../../core/vault/signatures.js'
import { validatorBytes } from '../../../core/vault/validator-bytes.js'
import {
  type ApprovalSubject,
  approvalRequestBody,
  type RegistrationAuthority,
} from '../../../operator/approvals/request.js'
import { DepositDataTree } from '../../../operator/deposit-data/merkle.js'
import { createOracles } from '../oracles.js'
import { OracleServers } from './oracle-servers.js'
import { type MadeValidator, makeValidators, RelayerWithKeys } from './relayer-with-keys.js'

export const HOODI = loadNetwork('hoodi')
export const REGISTRY = HOODI.depositDataRegistry?.address ?? '0x'
export const ORACLES = createOracles(4, 3)
export const NEXT_INDEX = 1_234_567
/** Seconds. */
export const NOW = 1_800_000_000
export const PERIOD = 3600
/** Of the vault's next entry in its deposit data. */
export const POSITION = 1
const VAULT: Hex = `0x${'ba'.repeat(20)}`
const ROOT: Hex = `0x${'ab'.repeat(32)}`

export const ENTRIES = makeValidators({ network: HOODI, vault: VAULT, count: 4 })
export const COMPOUNDING = makeValidators({
  network: HOODI,
  vault: VAULT,
  count: 2,
  type: '0x02',
  amount: 64_000_000_000n,
  prefix: 'compounding',
})
/** The key of the validators manager, for vaults that have one. */
export const MANAGER = privateKeyToAccount(generatePrivateKey())

const tree = new DepositDataTree(
  ENTRIES.map(({ deposit }) => deposit),
  VAULT,
)

/** What the oracles see of the chain. */
export interface SeenChain {
  manager: () => Promise<Hex>
  nextIndex: number
  /** Keys that were deposited before. */
  readonly known: Set<Hex>
}

/** Four oracles of two replicas each, at NOW, of which three recover an exit; two validators at once. */
export function startOracles(chain: SeenChain): Promise<OracleServers> {
  return OracleServers.start({
    network: HOODI,
    vault: VAULT,
    oracles: ORACLES,
    batchLimit: 2,
    validityPeriod: PERIOD,
    now: () => NOW * 1000,
    depositRoot: async () => ROOT,
    nextIndex: async () => chain.nextIndex,
    isKnown: async (publicKey) => chain.known.has(publicKey),
    manager: () => chain.manager(),
    depositData: async () => ({ root: tree.root, position: POSITION }),
    replicas: 2,
  })
}

/** Requests whose exits a relayer made. */
export class Subjects {
  readonly #relayer: RelayerWithKeys

  private constructor(relayer: RelayerWithKeys) {
    this.#relayer = relayer
  }

  static async start(): Promise<Subjects> {
    const validators = [...ENTRIES, ...COMPOUNDING]
    const nextIndex = async () => NEXT_INDEX
    const options = { network: HOODI, oracles: ORACLES, validators, nextIndex }
    return new Subjects(await new RelayerWithKeys(options).listen())
  }

  /** Entries of the deposit data from a position on, with their proof. */
  byProof(position: number, count: number): Promise<ApprovalSubject> {
    const positions = Array.from({ length: count }, (_, i) => position + i)
    const { proof, proofFlags, leafPositions } = tree.prove(positions)
    const authority = { kind: 'registry', proof, proofFlags, proofIndexes: leafPositions } as const
    return this.#of(ENTRIES.slice(position, position + count), authority)
  }

  /** Validators of one type, with the manager's signature. */
  async byManager(validators: readonly MadeValidator[]): Promise<ApprovalSubject> {
    const isCompounding = validators[0]?.type === '0x02'
    const message = { validatorsRegistryRoot: ROOT, validators: bytesOf(validators) }
    return this.#of(validators, {
      kind: 'manager',
      signature: await MANAGER.signTypedData(managerTypedData(HOODI, VAULT, message)),
      amounts: isCompounding ? validators.map(({ deposit }) => deposit.amount) : null,
    })
  }

  close(): Promise<void> {
    return this.#relayer.close()
  }

  async #of(
    validators: readonly MadeValidator[],
    authority: RegistrationAuthority,
  ): Promise<ApprovalSubject> {
    const publicKeys = validators.map(({ deposit }) => deposit.publicKey)
    const parts = await new RelayerClient(this.#relayer.url).requestValidators(publicKeys)
    return {
      validatorIndex: NEXT_INDEX,
      vault: VAULT,
      validatorsRoot: ROOT,
      validators: bytesOf(validators),
      publicKeys,
      depositSignatures: validators.map(({ deposit }) => deposit.signature),
      publicKeyShards: parts.map(({ oracleParts }) => oracleParts?.publicKeys ?? []),
      exitSignatureShards: parts.map(({ oracleParts }) => oracleParts?.encryptedExitSignatures ?? []),
      authority,
    }
  }
}

function bytesOf(validators: readonly MadeValidator[]): Hex {
  return concatHex(validators.map(({ type, deposit }) => validatorBytes(type, deposit)))
}

export type Fields = Readonly<Record<string, unknown>>

/** The agent's own request for a subject, with some fields changed. */
export function bodyOf(subject: ApprovalSubject, change: (fields: Fields) => Fields = () => ({})): string {
  const fields = parseJson(approvalRequestBody(subject, BigInt(NOW + PERIOD))) as Fields
  return stringifyJson({ ...fields, ...change(fields) })
}

/** Posts to an oracle's first replica. Returns the status. */
export async function post(servers: OracleServers, body: string, oracle = 0): Promise<number> {
  const response = await fetch(servers.endpoints[oracle]?.[0] ?? '', { method: 'POST', body })
  const text = await response.text()
  const refusal = servers.refusals.at(-1)
  if (response.status === 400) expect(JSON.parse(text)).to.deep.equal([{ code: 400, message: refusal }])
  return response.status
}
