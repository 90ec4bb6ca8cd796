/** Opening the port, and closing it without cutting anybody off. */
import type { AddressInfo } from 'node:net'
import { ConfigurationError, describeError } from '../../core/errors.js'
import type { App } from './fastify.js'

const HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Something listens there already: stop it, or choose another RELAYER_PORT',
  EACCES: 'This user may not open that port: choose one above 1023',
  EADDRNOTAVAIL: 'This machine does not have that address: change RELAYER_HOST',
  ENOTFOUND: 'That name has no address: change RELAYER_HOST',
}

/**
 * Listens, and returns the URL.
 * @param port 0 for any that is free
 * @throws ConfigurationError CANNOT_LISTEN
 */
export async function listen(app: App, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? ''
    throw new ConfigurationError(
      'CANNOT_LISTEN',
      `cannot listen on ${host}:${port}: ${describeError(cause)}`,
      {
        cause,
        ...(HINTS[code] === undefined ? {} : { hint: HINTS[code] }),
      },
    )
  }
  const address = app.server.address() as AddressInfo
  const scheme = app.initialConfig.https === undefined ? 'http' : 'https'
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

/** Takes no new connections, lets requests under way finish, and cuts them off after the time. */
export async function closeGracefully(app: App, milliseconds: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), milliseconds)
  try {
    await app.close()
  } finally {
    clearTimeout(timer)
  }
}
