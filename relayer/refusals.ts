/** Every refusal of a request that is answered with a status of its own, by its stable code. */
export const REFUSALS = {
  // Who asks, and from where.
  WRONG_TOKEN: 401,
  TOKEN_NEEDED: 401,
  ROLE_NOT_ALLOWED: 403,
  TOKEN_IN_THE_CLEAR: 403,
  FOREIGN_PAGE: 403,
  FOREIGN_SHARE_INDEX: 403,
  UNKNOWN_HOST: 421,
  // How much.
  TOO_MANY_REQUESTS: 429,
  TOO_MANY_ITEMS: 413,
  BODY_TOO_LARGE: 413,
  TOO_MANY_EXITS: 429,
  // What.
  MALFORMED_HTTP: 400,
  MALFORMED_BODY: 422,
  NO_SUCH_PATH: 404,
  NO_SUCH_METHOD: 405,
  INVALID_PUBLIC_KEY: 422,
  DUPLICATE_PUBLIC_KEY: 422,
  KNOWN_VALIDATOR: 409,
  // What signs as the validators manager.
  UNKNOWN_VAULT: 403,
  NO_MANAGER_KEY: 403,
  WRONG_AMOUNT: 422,
  WRONG_COUNT: 422,
  NOT_THE_MANAGER: 409,
  FOREIGN_VALIDATOR: 409,
  WRONG_START_INDEX: 409,
} as const satisfies Readonly<Record<string, number>>

export type RefusalCode = keyof typeof REFUSALS

/** Whether an error's code is one of a refusal; all others are the relayer's own trouble. */
export function isRefusal(code: string): code is RefusalCode {
  return Object.hasOwn(REFUSALS, code)
}
