/** Live progress of the demo: one line a validator, redrawn on a terminal, printed on change elsewhere. */

import { parseJson } from '../../core/json.js'
import { exitsAnswer } from '../../core/wire/dialect1.js'
import type { BundledValidator } from './clusters.js'

/** What was seen of one exit: which share indexes were there, and how long it took to get ready. */
export interface SeenExit {
  readonly shareIndexes: readonly bigint[]
  readonly since: number
  readonly seconds?: number
}

export class ProgressScreen {
  readonly #validators: readonly BundledValidator[]
  readonly #out: NodeJS.WriteStream
  readonly #seen = new Map<string, SeenExit>()
  #drawn = 0
  #last = ''

  constructor(validators: readonly BundledValidator[], out: NodeJS.WriteStream) {
    this.#validators = validators
    this.#out = out
  }

  seen(publicKey: string): SeenExit | undefined {
    return this.#seen.get(publicKey)
  }

  update(publicKey: string, shareIndexes: readonly bigint[], ready: boolean): void {
    const before = this.#seen.get(publicKey)
    const since = before?.since ?? performance.now()
    const seconds = before?.seconds ?? (ready ? (performance.now() - since) / 1000 : undefined)
    this.#seen.set(publicKey, { shareIndexes, since, ...(seconds === undefined ? {} : { seconds }) })
  }

  draw(): void {
    const lines = this.#validators.map((validator) => {
      const seen = this.#seen.get(validator.publicKey)
      const shares =
        seen === undefined || seen.shareIndexes.length === 0
          ? 'no shares yet'
          : `shares of ${seen.shareIndexes.join(', ')}`
      return `  ${validator.name.padEnd(20)} ${seen?.seconds === undefined ? shares : `ready, ${shares}`}`
    })
    const text = lines.join('\n')
    if (text === this.#last) return
    this.#last = text
    if (this.#out.isTTY && this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[J`)
    this.#out.write(this.#out.isTTY ? `${text}\n` : `${text}\n\n`)
    this.#drawn = lines.length
  }

  close(): void {
    this.draw()
  }
}

/** Polls the relayer's `GET /exits` until the condition holds, showing what changes. */
export async function watchExits(
  relayerUrl: string,
  screen: ProgressScreen,
  done: () => boolean,
): Promise<void> {
  for (let last = false; !last; ) {
    last = done()
    const answer = await fetch(`${relayerUrl}/exits`).catch(() => undefined)
    if (answer?.ok) {
      for (const exit of exitsAnswer.parse(parseJson(await answer.text())).exits) {
        screen.update(exit.public_key, exit.share_indexes_ready, exit.is_exit_signature_ready)
      }
    }
    screen.draw()
    if (!last) await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
