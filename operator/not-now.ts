import { DvtExitError, type ErrorDetails } from '../core/errors.js'

/** Why a round registers nothing. Not a failure: the next round looks again. */
export class NotNow extends DvtExitError {
  override readonly name: string = 'NotNow'
  /** info: nothing is wrong; warn: a person may have to look. */
  readonly level: 'info' | 'warn'
  /** What makes it another reason than the last one; the message itself where absent. */
  readonly detail: string | undefined
  /** Whether trying again at once makes sense. */
  readonly soon: boolean

  constructor(
    code: string,
    message: string,
    options: ErrorDetails & {
      readonly level?: 'warn'
      readonly detail?: string
      readonly soon?: boolean
    } = {},
  ) {
    super(code, message, options)
    this.level = options.level ?? 'info'
    this.detail = options.detail
    this.soon = options.soon ?? false
  }
}
