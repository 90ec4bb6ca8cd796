import { DvtExitError } from '../../core/errors.js'
import type { RefusalCode } from '../refusals.js'

/** A request of an operator that is understood and not granted. */
export class RegistrationRefusal extends DvtExitError {
  override readonly name: string = 'RegistrationRefusal'
  readonly refusal: RefusalCode

  constructor(code: RefusalCode, message: string) {
    super(code, message)
    this.refusal = code
  }
}
