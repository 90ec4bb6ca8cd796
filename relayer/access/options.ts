import { list, type OptionSet, oneOf } from '../../core/options.js'
import { databaseOption } from '../options.js'
import { ROLES, type Role } from './roles.js'

const MAX_UINT64 = 2n ** 64n - 1n

/** Options of `relayer token list`. */
export const tokenOptions = { database: databaseOption } as const satisfies OptionSet

const nameOption = {
  flag: 'name',
  env: ['TOKEN_NAME'],
  describe: 'what to call the token in lists and logs',
  placeholder: 'NAME',
  parse: (value: string): string => {
    if (/^[\w.@-]{1,64}$/.test(value)) return value
    throw new Error('expected 1 to 64 letters, digits or any of _ - . @')
  },
}

/** Options of `relayer token revoke`. */
export const revokeTokenOptions = { ...tokenOptions, name: nameOption } as const satisfies OptionSet

/** Options of `relayer token new`. */
export const newTokenOptions = {
  ...revokeTokenOptions,
  role: {
    flag: 'role',
    env: ['TOKEN_ROLE'],
    describe: `whom the token is for: ${ROLES.join(', ')}`,
    placeholder: 'ROLE',
    parse: oneOf<Role>(...ROLES),
  },
  shareIndexes: {
    flag: 'share-index',
    env: ['TOKEN_SHARE_INDEX'],
    describe:
      'the share index that a sidecar may post for; several, comma-separated, for one that acts for several nodes',
    placeholder: 'N',
    parse: (value: string): readonly bigint[] => list(value).map(shareIndex),
  },
} as const satisfies OptionSet

function shareIndex(value: string): bigint {
  if (/^\d{1,20}$/.test(value)) {
    const index = BigInt(value)
    if (index >= 1n && index <= MAX_UINT64) return index
  }
  throw new Error(`expected an integer from 1 to 2^64 - 1, got "${value}"`)
}
