/** The bundled clusters that the demo and the process tests run: real Charon directories, real SSV operators. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PublicKeyHex } from '../../core/hex.js'

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url))
const OBOL = join(FIXTURES, 'obol/obol-4n3t-hoodi')
const SSV = join(FIXTURES, 'ssv/ssv-4op')

/** A validator of a bundled cluster, with the whole key that only a test can have. */
export interface BundledValidator {
  readonly stack: 'obol' | 'ssv'
  readonly name: string
  readonly publicKey: PublicKeyHex
  /** 32 bytes of hex. */
  readonly secretKey: string
  /** An entry of the deposit data, as staking tools write it. */
  readonly deposit: {
    readonly pubkey: string
    readonly amount: number
    readonly signature: string
    readonly withdrawal_credentials: string
  }
}

interface ObolExpected {
  validators: {
    distributed_public_key: PublicKeyHex
    root_secret: string
    golden_deposit: { amount_gwei: string; withdrawal_credentials: string; full_signature: string }
  }[]
}
interface SsvExpected {
  validators: {
    name: string
    publicKey: PublicKeyHex
    validatorSecretKey: string
    deposits: {
      validatorType: string
      amountGwei: string
      withdrawalCredentials: string
      signature: string
    }[]
  }[]
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))

/** The two validators of obol-4n3t-hoodi and V0, V1, V2 of ssv-4op, in deposit order. */
export function bundledValidators(): BundledValidator[] {
  const obol = readJson(`${OBOL}.EXPECTED.json`) as ObolExpected
  const ssv = readJson(join(SSV, 'EXPECTED.json')) as SsvExpected
  return [
    ...obol.validators.map((validator, i) => ({
      stack: 'obol' as const,
      name: `obol-4n3t-hoodi/${i}`,
      publicKey: validator.distributed_public_key,
      secretKey: validator.root_secret,
      deposit: {
        pubkey: validator.distributed_public_key,
        amount: Number(validator.golden_deposit.amount_gwei),
        signature: validator.golden_deposit.full_signature,
        withdrawal_credentials: validator.golden_deposit.withdrawal_credentials,
      },
    })),
    ...ssv.validators.map((validator) => {
      const deposit = validator.deposits.find(({ validatorType }) => validatorType === '0x01')
      if (deposit === undefined) throw new Error(`${validator.name} has no 0x01 deposit`)
      return {
        stack: 'ssv' as const,
        name: `ssv-4op/${validator.name}`,
        publicKey: validator.publicKey,
        secretKey: validator.validatorSecretKey,
        deposit: {
          pubkey: validator.publicKey,
          amount: Number(deposit.amountGwei),
          signature: deposit.signature,
          withdrawal_credentials: deposit.withdrawalCredentials,
        },
      }
    }),
  ]
}

/** The directory of one Charon node, as Charon made it. */
export function obolNodeDirectory(nodeIndex: number): string {
  return join(OBOL, `node${nodeIndex}`)
}

export const OBOL_NODE_INDEXES = [0, 1, 2, 3] as const

/** The key file and password file of one SSV operator. */
export function ssvOperatorFiles(operatorId: number): { key: string; password: string } {
  const folder = join(SSV, 'operators', String(operatorId))
  return { key: join(folder, 'encrypted_private_key.json'), password: join(folder, 'password') }
}

export const SSV_OPERATOR_IDS = [11, 27, 42, 350] as const
/** The logs of SSVNetwork, as eth_getLogs answers them. */
export const SSV_LOGS = join(SSV, 'logs.json')
/** What a relayer is told, so that it knows the public shares of both clusters. */
export const BUNDLED_CLUSTERS = {
  CLUSTER_LOCK_FILES: join(OBOL, 'node0', 'cluster-lock.json'),
  SSV_CLUSTERS: [
    'keyshares/keyshares-V0-V1-nonce1-2.json',
    'keyshares/keyshares-V1-readd-nonce3.json',
    'dkg/keyshares.json',
  ]
    .map((file) => join(SSV, file))
    .join(','),
} as const
