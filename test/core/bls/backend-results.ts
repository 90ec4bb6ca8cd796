/** Everything that core/bls computes, as lines of text, to compare one backend with another. */
import { bls } from '../../../core/bls/backend.js'
import { parsePublicKey, parseSignature } from '../../../core/bls/points.js'
import {
  publicSharesInterpolate,
  recoverPublicKey,
  recoverSignature,
  recoverVerified,
  splitSignature,
} from '../../../core/bls/threshold.js'
import { verifyEach } from '../../../core/bls/verify.js'
import { fromHex, toHex } from '../../../core/hex.js'
import { type GoldenMessage, goldenMessages, sharesOf } from './golden-messages.js'

function resultsOf(golden: GoldenMessage): string[] {
  const message = fromHex(golden.signingRoot)
  const publicKey = parsePublicKey(golden.publicKey)
  const indexes = [...golden.partials.keys()]
  const keys = [...golden.publicShares].map(([index, key]) => ({ index, publicKey: parsePublicKey(key) }))
  const lines: string[] = []
  for (const some of [indexes.slice(0, golden.threshold), indexes.slice(-golden.threshold)]) {
    const shares = sharesOf(golden, some)
    const verified = recoverVerified(shares, publicKey, message)
    lines.push(
      toHex(bls.encodeSignature(recoverSignature(shares))),
      verified === undefined ? 'unverified' : toHex(bls.encodeSignature(verified)),
      String(recoverVerified(shares.slice(1), publicKey, message)),
      toHex(bls.encodePublicKey(recoverPublicKey(keys.slice(-golden.threshold)))),
    )
  }
  lines.push(String(publicSharesInterpolate(publicKey, keys, golden.threshold)))
  let counter = 1n
  const signature = parseSignature(golden.signature)
  const split = splitSignature(signature, publicKey, message, { oracles: 5, threshold: 3 }, () => ++counter)
  for (const share of split) {
    lines.push(toHex(bls.encodeSignature(share.signature)), toHex(bls.encodePublicKey(share.publicKey)))
  }
  const sets = split.map((share) => ({ message, ...share }))
  const mixed = sets.with(1, { index: 2, message, publicKey: bls.negatePublicKey(publicKey), signature })
  lines.push(verifyEach(sets).join(), verifyEach(mixed).join())
  return lines
}

/** For messages of every cluster with few nodes: WASM is slow. */
export function backendResults(): string[] {
  return goldenMessages()
    .filter((golden) => golden.partials.size < 10 && 'exit' in golden.content)
    .flatMap((golden) => [golden.name, ...resultsOf(golden)])
}
