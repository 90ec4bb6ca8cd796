/** The canary that everything in one process of the tests shares: fixtures, processes, and the hook that looks. */
import { Canary } from './canary.js'
import { addFixtures } from './fixtures.js'

let shared: Canary | undefined

/** The shared canary, made at the first call, with the bundled clusters in it. Clusters, wallets and processes that come later are part of it. */
export function useCanary(): Canary {
  if (shared === undefined) {
    shared = new Canary()
    addFixtures(shared)
  }
  return shared
}

/** The shared canary where one is in use: not in the demo. */
export function canaryInUse(): Canary | undefined {
  return shared
}

/** Processes that start from now on are recorded no more. */
export function endCanary(): void {
  shared = undefined
}
