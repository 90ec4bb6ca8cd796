/** What the shares of a message are to become: parts for the oracles of an exit, the whole signature of a deposit. */
import { UnavailableError } from '../core/errors.js'
import { type Hex, toHex } from '../core/hex.js'
import type { ProtocolConfig } from '../core/oracles/protocol-config.js'
import type { OraclesSource } from '../core/oracles/source.js'
import type { MadeSignature, OracleKeys, SealedParts } from './crypto/exit-crypto.js'
import { isExit } from './exits/message.js'
import { type MessageId, messageName } from './exits/records.js'
import type { OracleShares } from './exits/service.js'
import type { ExitStore } from './store/exit-store.js'
import type { Settlement } from './store/settlement.js'

export interface RecoveryGoal {
  /** Null for a deposit. */
  readonly oracles: OracleKeys | null
  /** What is stored of the signature that was made. */
  readonly settlement: (made: MadeSignature) => Pick<Settlement, 'parts' | 'signature'>
}

/** The goal of a message; undefined where it is reached, or the oracles are not known. */
export async function goalOf(
  wanted: MessageId,
  { store, oracles }: { readonly store: ExitStore; readonly oracles: OraclesSource },
): Promise<RecoveryGoal | undefined> {
  if (!isExit(wanted.message)) {
    const isReached = (await store.depositSignatures([wanted.publicKey])).has(messageName(wanted))
    return isReached ? undefined : { oracles: null, settlement: (made) => settlementOf(made, '0x') }
  }
  const config = await currentOracles(oracles)
  if (config === undefined) return undefined
  const isReached = (await store.partsOf([wanted.publicKey], config.setHash)).has(messageName(wanted))
  if (isReached) return undefined
  return {
    oracles: {
      publicKeys: config.oracles.map((oracle) => oracle.publicKey),
      threshold: config.exitSignatureRecoverThreshold,
    },
    settlement: (made) => settlementOf(made, config.setHash),
  }
}

/** Undefined where no protocol config is known, or none that was accepted. */
export async function currentOracles(oracles: OraclesSource): Promise<ProtocolConfig | undefined> {
  try {
    return await oracles.current()
  } catch (error) {
    if (error instanceof UnavailableError) return undefined
    throw error
  }
}

function settlementOf(made: MadeSignature, setHash: Hex): Pick<Settlement, 'parts' | 'signature'> {
  if (made.kind === 'whole') return { signature: made.signature }
  return { parts: toOracleShares(made.parts, setHash) }
}

function toOracleShares(parts: SealedParts, setHash: Hex): OracleShares & { readonly setHash: Hex } {
  return {
    setHash,
    publicKeys: parts.publicKeys.map(toHex),
    encryptedExitSignatures: parts.sealed.map(toHex),
  }
}
