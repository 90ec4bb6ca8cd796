/** Loaded by mocha before any test: what the processes of a test wrote is searched for secrets when it ends. */
import { useCanary } from './shared.js'

const canary = useCanary()

/** Root hooks run after the tests' own ones, which stop the processes. */
export const mochaHooks = {
  afterEach(): void {
    canary.assertNothingLeaked()
  },
  afterAll(): void {
    canary.assertNothingLeaked()
  },
}
