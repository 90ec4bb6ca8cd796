/** What the soak is made of: parts with a name, each of which counts what held and what did not. */

export interface Outcome {
  readonly passed: number
  readonly failed: number
  /** Why the part did not run here. It counts as a failure in continuous integration alone. */
  readonly skipped?: string
}

export interface SoakPart {
  readonly name: string
  /** @param short whether to prove less in less time */
  run(short: boolean): Promise<Outcome>
}

/** One check of a part: prints its name when it fails, with what went wrong. */
export async function check(name: string, run: () => Promise<void>): Promise<Outcome> {
  try {
    await run()
    return { passed: 1, failed: 0 }
  } catch (error) {
    process.stdout.write(`  failed: ${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    return { passed: 0, failed: 1 }
  }
}

/** The counts of several outcomes together. */
export function sum(outcomes: readonly Outcome[]): Outcome {
  return {
    passed: outcomes.reduce((total, outcome) => total + outcome.passed, 0),
    failed: outcomes.reduce((total, outcome) => total + outcome.failed, 0),
  }
}
