import { isLoopbackHost } from '../../core/clients/loopback.js'
import { ConfigurationError } from '../../core/errors.js'
import type { Logger } from '../../core/log.js'

export interface Binding {
  readonly host: string
  readonly open: boolean
  readonly encrypted: boolean
  readonly allowPlainHttpTokens: boolean
}

/**
 * Lets the relayer listen beyond loopback only where somebody decided who may ask for exits.
 * @param hasOperatorToken whether an operator's token is good
 * @throws ConfigurationError OPERATOR_TOKEN_NEEDED
 */
export function assertMayListen(binding: Binding, hasOperatorToken: boolean, logger: Logger): void {
  const { host, open, encrypted, allowPlainHttpTokens } = binding
  if (open) {
    logger.warn(
      'STARTED WITH --open: WHOEVER REACHES THIS PORT MAY ASK FOR EXITS AND READ THEM, WITHOUT A TOKEN',
    )
  }
  if (isLoopbackHost(host)) return
  if (!open && !hasOperatorToken) {
    throw new ConfigurationError(
      'OPERATOR_TOKEN_NEEDED',
      `RELAYER_HOST ${host} lets other machines in, and there is no operator token`,
      {
        hint: 'Make one with dvt-exit relayer token new --role operator --name NAME, or let everybody in with --open',
      },
    )
  }
  if (encrypted) return
  logger.warn(
    allowPlainHttpTokens
      ? 'tokens are taken over plain HTTP: anyone on the way can read and use them'
      : 'listening beyond loopback without https: tokens from other machines are refused. Set RELAYER_TLS_CERT_FILE and RELAYER_TLS_KEY_FILE, put a proxy with https on this machine in front, or give --allow-plain-http-tokens',
  )
}
