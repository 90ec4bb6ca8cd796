import { mayPostFor } from '../access/decision.js'
import type { TokenIdentity } from '../access/tokens.js'
import { HttpError } from './failures.js'

/** @throws HttpError FOREIGN_SHARE_INDEX where the token is bound to another share index */
export function assertMayPostFor(shareIndex: bigint, identity: TokenIdentity | undefined): void {
  if (mayPostFor(shareIndex, identity)) return
  const own = identity?.shareIndexes.join(', ')
  throw new HttpError('FOREIGN_SHARE_INDEX', `This token posts for share index ${own}, not for ${shareIndex}`)
}
