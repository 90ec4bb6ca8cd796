/** Signature domains of the consensus specification (phase0/beacon-chain.md, compute_domain). */
import { ByteVectorType, ContainerType } from '@chainsafe/ssz'
import { fromHex } from '../hex.js'
import { forkVersionBytes, type Network } from '../network.js'

const ForkData = new ContainerType({
  currentVersion: new ByteVectorType(4),
  genesisValidatorsRoot: new ByteVectorType(32),
})
const SigningData = new ContainerType({ objectRoot: new ByteVectorType(32), domain: new ByteVectorType(32) })

const DOMAIN_DEPOSIT = Uint8Array.of(3, 0, 0, 0)
const DOMAIN_VOLUNTARY_EXIT = Uint8Array.of(4, 0, 0, 0)

function computeDomain(
  type: Uint8Array,
  forkVersion: Uint8Array,
  genesisValidatorsRoot: Uint8Array,
): Uint8Array {
  const root = ForkData.hashTreeRoot({ currentVersion: forkVersion, genesisValidatorsRoot })
  return Uint8Array.of(...type, ...root.subarray(0, 28))
}

/** The domain of voluntary exits, fixed to the Capella fork version for ever (EIP-7044). 32 bytes. */
export function voluntaryExitDomain(network: Network): Uint8Array {
  return computeDomain(
    DOMAIN_VOLUNTARY_EXIT,
    forkVersionBytes(network.capellaForkVersion),
    fromHex(network.genesisValidatorsRoot, 32),
  )
}

/** The domain of deposits: genesis fork version and a zero genesis validators root. 32 bytes. */
export function depositDomain(network: Network): Uint8Array {
  return computeDomain(DOMAIN_DEPOSIT, forkVersionBytes(network.genesisForkVersion), new Uint8Array(32))
}

/** hash_tree_root(SigningData{objectRoot, domain}), 32 bytes: what is signed. */
export function signingRoot(objectRoot: Uint8Array, domain: Uint8Array): Uint8Array {
  return SigningData.hashTreeRoot({ objectRoot, domain })
}
