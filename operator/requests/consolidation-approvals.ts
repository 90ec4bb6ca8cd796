/** The oracles' signatures that let a vault's validators become compounding. */
import { concatHex, isAddressEqual, recoverTypedDataAddress } from 'viem'
import { z } from 'zod'
import { ConfigurationError, DvtExitError, UnavailableError } from '../../core/errors.js'
import { type Hex, type PublicKeyHex, shorten } from '../../core/hex.js'
import { stringifyJson } from '../../core/json.js'
import type { Network } from '../../core/network.js'
import type { ProtocolConfig } from '../../core/oracles/protocol-config.js'
import { consolidationTypedData } from '../../core/vault/signatures.js'
import { hexBytes } from '../../core/wire/fields.js'
import { OracleClient, readAnswer } from '../approvals/oracle-client.js'
import { normalizeSignature } from '../approvals/signature.js'

export interface ConsolidationSubject {
  readonly network: Network
  readonly vault: Hex
  /** The keys that become compounding. */
  readonly publicKeys: readonly PublicKeyHex[]
  /** The consolidations' bytes. */
  readonly validators: Hex
}

const answerSchema = z.object({ signature: hexBytes(65, 'signature') })

/**
 * Asks all oracles at once. What is not the oracle's own signature over these consolidations does not count.
 * @param wanted the Keeper's validatorsMinOracles
 * @returns the signatures of so many oracles, in ascending order of their addresses
 * @throws UnavailableError TOO_FEW_APPROVALS; ConfigurationError NO_CONSOLIDATIONS_CHECKER where the network
 *   names no such contract
 */
export async function consolidationApprovals(
  subject: ConsolidationSubject,
  config: ProtocolConfig,
  wanted: number,
  signal: AbortSignal,
): Promise<Hex> {
  const checker = subject.network.consolidationsChecker?.address
  if (checker === undefined) {
    throw new ConfigurationError(
      'NO_CONSOLIDATIONS_CHECKER',
      `${subject.network.name} names no consolidationsChecker`,
      { hint: 'Add it to NETWORK_CONFIG_FILE' },
    )
  }
  const { publicKeys, vault } = subject
  const question = {
    path: '/consolidate-validators/',
    body: stringifyJson({ public_keys: publicKeys, vault_address: vault }),
    read: (json: unknown) => readAnswer(json, answerSchema).signature,
  }
  const replies = await Promise.all(
    config.oracles.map(async (oracle) => {
      const client = new OracleClient(oracle)
      const accept = (signature: Hex) => checkSigner(signature, client.address, checker, subject)
      return { address: client.address, reply: await client.askFor(question, accept, signal) }
    }),
  )
  const approvals = replies.flatMap(({ address, reply }) =>
    'accepted' in reply ? [{ oracle: address, signature: reply.accepted }] : [],
  )
  if (wanted > 0 && approvals.length >= wanted) {
    const ordered = approvals.toSorted((a, b) => (BigInt(a.oracle) < BigInt(b.oracle) ? -1 : 1))
    return concatHex(ordered.slice(0, wanted).map(({ signature }) => signature))
  }
  const missing = replies.flatMap(({ address, reply }) =>
    'failures' in reply
      ? [`${shorten(address)} ${reply.failures.map(({ reason }) => reason).join(', ')}`]
      : [],
  )
  throw new UnavailableError(
    'TOO_FEW_APPROVALS',
    `${approvals.length} of ${wanted} approvals of the consolidation: ${missing.join('; ')}`,
  )
}

async function checkSigner(
  answered: Hex,
  oracle: Hex,
  checker: Hex,
  { network, vault, validators }: ConsolidationSubject,
): Promise<Hex> {
  const signature = normalizeSignature(answered)
  const typedData = consolidationTypedData(network, checker, { vault, validators })
  const signer = await recoverTypedDataAddress({ ...typedData, signature }).catch(() => undefined)
  if (signer !== undefined && isAddressEqual(signer, oracle)) return signature
  throw new DvtExitError('INVALID_ORACLE_ANSWER', 'signed something else, or is another oracle')
}
