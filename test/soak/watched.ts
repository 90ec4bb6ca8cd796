/** A part of the soak whose processes are watched: nothing that they write has a secret in it. */
import { endCanary, useCanary } from '../devnet/canary/shared.js'
import { check, type SoakPart, sum } from './part.js'

export function watched(part: SoakPart): SoakPart {
  return {
    name: part.name,
    async run(short) {
      const canary = useCanary()
      try {
        const outcome = await part.run(short)
        const clean = await check('no process wrote a secret', async () => canary.assertNothingLeaked())
        return outcome.skipped === undefined ? sum([outcome, clean]) : outcome
      } finally {
        endCanary()
      }
    },
  }
}
