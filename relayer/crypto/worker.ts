/** What a worker thread runs: each exported function is a task by its name. */
export { checkPublicKeys, checkShares } from './check-shares.js'
export { checkSharings } from './check-sharings.js'
export { makeSignature } from './make-signature.js'
export { trySubsets } from './try-subsets.js'
