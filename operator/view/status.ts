/** What `operator status` tells: the vault, its next keys, the last registration, what the agent waits for. */
import { formatUnits } from 'viem'
import { z } from 'zod'
import { DvtExitError, describeError } from '../../core/errors.js'
import { type Hex, type PublicKeyHex, shorten } from '../../core/hex.js'
import type { DepositDataFile } from '../deposit-data/deposit-data-file.js'
import type { BatchSelection } from '../registration/batch.js'
import { batchLimitOf } from '../registration/round.js'
import type { OperatorStore } from '../transactions/store/store.js'
import { newestAttempt, type Registration } from '../transactions/store/transaction.js'
import type { VaultReader, VaultState } from '../vault/vault-reader.js'
import { describeWay } from '../vault/way.js'
import type { VaultParts } from '../vault-parts.js'

const waitingSchema = z.object({ code: z.string(), text: z.string(), since: z.int() })

export interface StatusParts extends Pick<VaultParts, 'network' | 'vault' | 'rules' | 'protocolConfig'> {
  readonly reader: Pick<VaultReader, 'state'>
  /** Absent where the relayer chooses the keys. */
  readonly deposits:
    | {
        readonly depositData: Pick<DepositDataFile, 'deposits'>
        readonly batches: Pick<BatchSelection, 'next'>
      }
    | undefined
  readonly store: Pick<OperatorStore, 'registrations' | 'note'>
}

export interface RegistrationView {
  readonly state: Registration['state']
  readonly publicKeys: readonly PublicKeyHex[]
  readonly startIndex: number
  readonly transaction: Hex
  readonly block: number | null
  readonly failure: string | null
  /** Seconds since 1970. */
  readonly sentAt: number
}

export interface StatusView {
  readonly network: string
  readonly vault: Hex
  readonly version: number
  readonly way: string
  /** Wei of the staked token, in decimal: more than a JSON number holds. */
  readonly assets: string
  readonly token: 'ETH' | 'GNO'
  readonly harvestDue: boolean
  /** The keys that the assets suffice for now. */
  readonly nextKeys: readonly { readonly position: number; readonly publicKey: PublicKeyHex }[]
  /** Why there are none; null where there are. */
  readonly whyNone: string | null
  readonly lastRegistration: RegistrationView | null
  /** What the agent wrote down last; null where it waits for nothing, or never ran. */
  readonly waitsFor: z.infer<typeof waitingSchema> | null
}

/** @throws DvtExitError where nodes do not answer or the deposit data cannot be read */
export async function readStatus(parts: StatusParts): Promise<StatusView> {
  const { network, vault, rules, reader, store } = parts
  const state = await reader.state()
  const [last] = await store.registrations(1)
  return {
    network: network.name,
    vault,
    version: state.version,
    way: describeWay(state.way),
    assets: String(state.assets),
    token: rules.token,
    harvestDue: state.harvest !== undefined,
    ...(await nextKeys(parts, state)),
    lastRegistration: last === undefined ? null : viewOf(last),
    waitsFor: waitingSchema.safeParse(await store.note('waiting')).data ?? null,
  }
}

async function nextKeys(
  { deposits, protocolConfig }: StatusParts,
  state: VaultState,
): Promise<Pick<StatusView, 'nextKeys' | 'whyNone'>> {
  const { way } = state
  if (way.kind === 'none') return { nextKeys: [], whyNone: way.reason }
  if (deposits === undefined) {
    return { nextKeys: [], whyNone: 'without DEPOSIT_DATA_FILE the relayer chooses them' }
  }
  const { depositData, batches } = deposits
  try {
    const limit = batchLimitOf(await protocolConfig())
    const batch = await batches.next(await depositData.deposits(), { ...state, way }, limit)
    const keys = batch.map(({ position, deposit }) => ({ position, publicKey: deposit.publicKey }))
    return { nextKeys: keys, whyNone: null }
  } catch (error) {
    if (!(error instanceof DvtExitError)) throw error
    return { nextKeys: [], whyNone: describeError(error) }
  }
}

function viewOf(registration: Registration): RegistrationView {
  const { state, publicKeys, startIndex, minedHash, block, failure, createdAt } = registration
  return {
    state,
    publicKeys,
    startIndex,
    transaction: minedHash ?? newestAttempt(registration).hash,
    block: block === undefined ? null : Number(block.number),
    failure: failure ?? null,
    sentAt: createdAt,
  }
}

/** For a person, one line a thing. */
export function describeStatus(status: StatusView): string {
  const { nextKeys, whyNone, lastRegistration, waitsFor } = status
  const keys = nextKeys.map(({ position, publicKey }) => `entry ${position} ${shorten(publicKey)}`)
  const rows: [string, string][] = [
    ['vault', `${status.vault} on ${status.network}, version ${status.version}`],
    ['registers by', status.way],
    [
      'assets',
      `${formatUnits(BigInt(status.assets), 18)} ${status.token}${status.harvestDue ? ', after the harvest that is due' : ''}`,
    ],
    ['next keys', whyNone === null ? keys.join(', ') : `none: ${whyNone}`],
    ['last registration', lastRegistration === null ? 'none' : describeRegistration(lastRegistration)],
    ['waits for', waitsFor === null ? 'nothing' : `${waitsFor.text} (since ${dateOf(waitsFor.since)})`],
  ]
  return rows.map(([name, value]) => `${`${name}:`.padEnd(19)}${value}`).join('\n')
}

function describeRegistration(registration: RegistrationView): string {
  const { state, publicKeys, startIndex, transaction, block, failure, sentAt } = registration
  const where = block === null ? '' : ` in block ${block}`
  const why = failure === null ? '' : `: ${failure}`
  return `${publicKeys.length} validators from index ${startIndex} on, ${state}${where}, transaction ${transaction}, sent ${dateOf(sentAt)}${why}`
}

/** @param seconds since 1970 */
function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '')
}
