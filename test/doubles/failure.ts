import { DvtExitError } from '../../core/errors.js'

/** The expected error that something fails with; an assertion fails where it does not, or with any other. */
export async function failureOf(work: Promise<unknown>): Promise<DvtExitError> {
  try {
    await work
  } catch (error) {
    if (error instanceof DvtExitError) return error
    throw error
  }
  throw new Error('expected a failure')
}
