import { bls } from '../../core/bls/backend.js'
import { parseSignature } from '../../core/bls/points.js'
import { recoverSignature } from '../../core/bls/threshold.js'
import { type Hex, toHex } from '../../core/hex.js'
import type { ExitSigner } from '../../core/signer.js'

/** The signature that the shares of these nodes make together. */
export async function recovered(
  signers: readonly ExitSigner[],
  sign: (signer: ExitSigner) => Promise<Uint8Array>,
): Promise<Hex> {
  const shares = await Promise.all(
    signers.map(async (signer) => ({
      index: signer.shareIndex,
      signature: parseSignature(toHex(await sign(signer))),
    })),
  )
  return toHex(bls.encodeSignature(recoverSignature(shares)))
}
