import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigurationError, describeError } from './errors.js'
import { fromHex, type Hex, normalizeHex } from './hex.js'
import { parseJson } from './json.js'
import { NETWORKS } from './networks.js'
import { describeShapeIssues } from './shape-issues.js'

const contract = z.object({
  address: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/)
    .transform((text) => text as Hex),
})
const contractSince = contract.extend({ block: z.int().min(0).default(0) })
const bytes = (length: number) =>
  z.string().transform((text, context) => {
    try {
      return normalizeHex(text, length)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'invalid hex' })
      return z.NEVER
    }
  })

const networkSchema = z.object({
  name: z.string().min(1).optional(),
  chainId: z.int().min(1),
  secondsPerSlot: z.int().min(1),
  slotsPerEpoch: z.int().min(1),
  genesisTime: z.int().min(0),
  genesisForkVersion: bytes(4),
  capellaForkVersion: bytes(4),
  capellaForkEpoch: z.int().min(0),
  genesisValidatorsRoot: bytes(32),
  depositContract: contractSince,
  keeper: contractSince,
  depositDataRegistry: contract.optional(),
  multicall3: contract.optional(),
  sharedMevEscrow: contract.optional(),
  consolidationsChecker: contract.optional(),
  ssvNetwork: contractSince.optional(),
  stakingToken: z.enum(['ETH', 'GNO']).optional(),
})

/** Gnosis and its test network stake GNO. */
const GNO_CHAINS: readonly number[] = [100, 10_200]

/** What tells one network from another: fork constants for the signing domains, contracts, times. */
export type Network = Readonly<Omit<z.infer<typeof networkSchema>, 'name' | 'stakingToken'>> & {
  readonly name: string
  /** What is staked. By the chain id where the network does not say. */
  readonly stakingToken: 'ETH' | 'GNO'
}

/** The networks that need no file. */
export const NETWORK_NAMES = Object.keys(NETWORKS)

/**
 * The network by name, or from a file that holds one entry of the same form (a devnet, a fork).
 * @throws ConfigurationError UNKNOWN_NETWORK, INVALID_NETWORK_CONFIG
 */
export function loadNetwork(name: string | undefined, configFile?: string): Network {
  if (configFile !== undefined) return parseNetwork(readConfig(configFile), name, configFile)
  if (name === undefined || !Object.hasOwn(NETWORKS, name)) {
    throw new ConfigurationError('UNKNOWN_NETWORK', `unknown network ${name ?? '(none given)'}`, {
      hint: `Set NETWORK to one of ${NETWORK_NAMES.join(', ')}, or give NETWORK_CONFIG_FILE`,
    })
  }
  return parseNetwork(NETWORKS[name], name, `network ${name}`)
}

function parseNetwork(content: unknown, name: string | undefined, source: string): Network {
  const parsed = networkSchema.safeParse(content)
  if (!parsed.success) {
    throw new ConfigurationError(
      'INVALID_NETWORK_CONFIG',
      `${source}: ${describeShapeIssues(parsed.error)}`,
      {
        hint: 'The file must hold one network, as described in the README',
      },
    )
  }
  const given = parsed.data.name ?? name
  if (given === undefined) {
    throw new ConfigurationError('INVALID_NETWORK_CONFIG', `${source} has no name`, {
      hint: 'Add a "name" to it or set NETWORK',
    })
  }
  const { chainId, stakingToken = GNO_CHAINS.includes(chainId) ? 'GNO' : 'ETH' } = parsed.data
  return { ...parsed.data, stakingToken, name: given }
}

function readConfig(file: string): unknown {
  try {
    return parseJson(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new ConfigurationError('INVALID_NETWORK_CONFIG', `cannot read ${file}: ${describeError(cause)}`, {
      cause,
      hint: 'NETWORK_CONFIG_FILE must name a JSON file with one network, as described in the README',
    })
  }
}

/** A fork version as 4 bytes. */
export function forkVersionBytes(version: Hex): Uint8Array {
  return fromHex(version, 4)
}
