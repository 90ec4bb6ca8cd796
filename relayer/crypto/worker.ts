/** What a worker thread runs: each exported function is a task by its name. */
export { checkPublicKeys, checkShares } from './check-shares.js'
export { splitExit } from './split-exit.js'
export { trySubsets } from './try-subsets.js'
