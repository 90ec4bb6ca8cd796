/**
 * Errors a person can act on: a stable code, one line that says what was wrong and where, and what to do.
 */

/** What a caller may pass beside the message of an expected error. */
export interface ErrorDetails {
  /** What the reader can do about it, one sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

/** An expected failure: printed as one line, without a stack. The exit code of the process is 1. */
export class DvtExitError extends Error {
  override readonly name: string = 'DvtExitError'
  readonly code: string
  readonly hint: string | undefined

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    this.code = code
    this.hint = details.hint
  }
}

/** Wrong usage or configuration: waiting does not help, a person must change something. Exit code 2. */
export class ConfigurationError extends DvtExitError {
  override readonly name = 'ConfigurationError'
}

/** Several configuration errors found in one pass, so that all of them are shown at once. Exit code 2. */
export class ConfigurationErrors extends DvtExitError {
  override readonly name = 'ConfigurationErrors'
  readonly errors: readonly DvtExitError[]

  constructor(errors: readonly DvtExitError[]) {
    super('SEVERAL_ERRORS', errors.map(describeError).join('\n'))
    this.errors = errors
  }
}

/** Something outside (an endpoint, a peer) failed for now: trying again later may help. */
export class UnavailableError extends DvtExitError {
  override readonly name = 'UnavailableError'
}

/** For a person: message and hint, one line an error; an AggregateError with the messages of its errors. */
export function describeError(error: unknown): string {
  if (error instanceof ConfigurationErrors) return error.message
  if (error instanceof DvtExitError) {
    return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`
  }
  if (error instanceof AggregateError) {
    return `${error.message}: ${error.errors.map(describeError).join('; ')}`
  }
  return error instanceof Error ? error.message : String(error)
}

/** As describeError, with the stable code at the end of each line: what a command prints before it ends. */
export function describeWithCode(error: DvtExitError): string {
  if (error instanceof ConfigurationErrors) return error.errors.map(describeWithCode).join('\n')
  return `${describeError(error)} [${error.code}]`
}

/** The exit code that an error ends the process with: 2 for usage and configuration, else 1. */
export function exitCodeOf(error: unknown): 1 | 2 {
  return error instanceof ConfigurationError || error instanceof ConfigurationErrors ? 2 : 1
}
