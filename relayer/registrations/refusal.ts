import { DvtExitError } from '../../core/errors.js'

/** What a request of dialect 4 can be refused for, each with the HTTP status that says it. */
export const REFUSALS = {
  UNKNOWN_VAULT: 403,
  NO_MANAGER_KEY: 403,
  WRONG_AMOUNT: 422,
  WRONG_COUNT: 422,
  NOT_THE_MANAGER: 409,
  FOREIGN_VALIDATOR: 409,
  WRONG_START_INDEX: 409,
} as const

export type RefusalCode = keyof typeof REFUSALS

/** A request of an operator that is understood and not granted. */
export class RegistrationRefusal extends DvtExitError {
  override readonly name: string = 'RegistrationRefusal'
  readonly refusal: RefusalCode
  readonly status: number

  constructor(code: RefusalCode, message: string) {
    super(code, message)
    this.refusal = code
    this.status = REFUSALS[code]
  }
}
