/** The steps of the procedure, shared by the demo and the process tests. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { bls } from '../../core/bls/backend.js'
import { parsePublicKey, parseSecretKey, parseSignature } from '../../core/bls/points.js'
import { describeError } from '../../core/errors.js'
import { fromHex, toHex } from '../../core/hex.js'
import { presignedExit, voluntaryExitSigningRoot } from '../../core/messages/voluntary-exit.js'
import { parseProtocolConfig } from '../../core/oracles/protocol-config.js'
import {
  type BundledValidator,
  OBOL_NODE_INDEXES,
  obolNodeDirectory,
  SSV_OPERATOR_IDS,
  ssvOperatorFiles,
} from './clusters.js'
import type { Devnet } from './devnet.js'
import { protocolConfigOf, recombine } from './oracles.js'
import type { DvtExitProcess } from './processes.js'

/** Where the procedure runs. */
export type ProcedureNet = Pick<Devnet, 'run' | 'oracles' | 'network'>

/** Starts a relayer on a port. */
export function runRelayer(
  devnet: ProcedureNet,
  folder: string,
  port: number,
  env: Readonly<Record<string, string>> = {},
): DvtExitProcess {
  return devnet.run('relayer', ['relayer'], folder, {
    RELAYER_PORT: String(port),
    DATABASE: join(folder, 'relayer.db'),
    RELAYER_KEY_FILE: join(folder, 'keys', 'relayer.key'),
    SIGNATURE_THRESHOLD: '3',
    // A person would compare the printed set with what the DAO published.
    ACCEPT_ORACLES: parseProtocolConfig(JSON.parse(protocolConfigOf(devnet.oracles)), 'devnet').setHash,
    ...env,
  })
}

/** Starts a relayer on a port, and waits until it listens. */
export async function startRelayer(
  devnet: ProcedureNet,
  folder: string,
  port: number,
  env: Readonly<Record<string, string>> = {},
): Promise<{ process: DvtExitProcess; url: string }> {
  const process = runRelayer(devnet, folder, port, env)
  await process.waitFor(/listening on http/)
  return { process, url: `http://127.0.0.1:${port}` }
}

/** Starts the sidecar of one Charon node. */
export function startObolSidecar(
  devnet: ProcedureNet,
  folder: string,
  relayerUrl: string,
  nodeIndex: number,
): DvtExitProcess {
  const home = join(folder, `obol-${nodeIndex}`)
  mkdirSync(home, { recursive: true })
  return devnet.run(`obol node ${nodeIndex}`, ['sidecar', 'obol'], home, {
    RELAYER_ENDPOINT: relayerUrl,
    OBOL_KEYSTORES_DIR: join(obolNodeDirectory(nodeIndex), 'validator_keys'),
  })
}

/** Starts the sidecar of one SSV operator. */
export function startSsvSidecar(
  devnet: ProcedureNet,
  folder: string,
  relayerUrl: string,
  operatorId: number,
  env: Readonly<Record<string, string>> = {},
): DvtExitProcess {
  const home = join(folder, `ssv-${operatorId}`)
  mkdirSync(home, { recursive: true })
  const files = ssvOperatorFiles(operatorId)
  return devnet.run(`ssv operator ${operatorId}`, ['sidecar', 'ssv'], home, {
    RELAYER_ENDPOINT: relayerUrl,
    SSV_OPERATOR_KEY_FILE: files.key,
    SSV_OPERATOR_PASSWORD_FILE: files.password,
    DATABASE: join(home, 'ssv-sidecar.db'),
    ...env,
  })
}

/** Starts the sidecars of all nodes of both bundled clusters. */
export function startSidecars(devnet: ProcedureNet, folder: string, relayerUrl: string): DvtExitProcess[] {
  return [
    ...OBOL_NODE_INDEXES.map((index) => startObolSidecar(devnet, folder, relayerUrl, index)),
    ...SSV_OPERATOR_IDS.map((id) => startSsvSidecar(devnet, folder, relayerUrl, id)),
  ]
}

/** What `operator collect` writes. */
export interface CollectedFile {
  readonly validator_index: number
  readonly public_keys: readonly string[]
  readonly deposit_signatures: readonly string[]
  readonly public_key_shards: readonly (readonly string[])[]
  readonly exit_signature_shards: readonly (readonly string[])[]
}

export interface CheckedExit {
  readonly validator: BundledValidator
  readonly validatorIndex: number
  /** Why the oracles could not use it; absent where they could. */
  readonly failure?: string
}

/**
 * Does what the oracles do with the collected file: each opens its part, `threshold` of them recombine, and
 * the result must be the signature that the whole key makes.
 */
export function checkCollected(
  devnet: ProcedureNet,
  validators: readonly BundledValidator[],
  file: CollectedFile,
): CheckedExit[] {
  return validators.map((validator, i) => {
    const validatorIndex = file.validator_index + i
    try {
      if (file.public_keys[i] !== validator.publicKey)
        throw new Error(`stands at another place: ${file.public_keys[i]}`)
      const root = voluntaryExitSigningRoot(devnet.network, presignedExit(devnet.network, validatorIndex))
      const expected = bls.encodeSignature(bls.sign(parseSecretKey(fromHex(validator.secretKey)), root))
      const got = recombine(
        devnet.oracles,
        file.exit_signature_shards[i] ?? [],
        file.public_key_shards[i] ?? [],
        root,
      )
      if (toHex(got) !== toHex(expected)) throw new Error('the recombined signature is another one')
      const set = {
        message: root,
        publicKey: parsePublicKey(validator.publicKey),
        signature: parseSignature(got),
      }
      if (!bls.verify(set)) throw new Error('the recombined signature does not verify')
      return { validator, validatorIndex }
    } catch (error) {
      return { validator, validatorIndex, failure: describeError(error) }
    }
  })
}
