/** How long a connection may take for what, and how many there may be: slow callers must not keep others out. */
import type { Server } from 'node:net'
import { isLoopbackAddress } from '../access/locality.js'
import { callerOf } from '../access/rate-limit.js'

export interface ConnectionLimits {
  /** Connections at once. */
  readonly connections: number
  /** Of these, those of one address beyond this machine (of IPv6 a /64): on it there may be a proxy for everybody. */
  readonly connectionsPerAddress: number
}

/** Milliseconds in which a request must have come in whole, and its head. */
export const REQUEST_TIMEOUT = 60_000
const HEAD_TIMEOUT = 20_000
/** Milliseconds without a byte in either direction: also whoever does not read its answer is cut off. */
export const SILENCE_TIMEOUT = 120_000
/** Milliseconds between two looks for those that are over. */
const LOOK_INTERVAL = 5_000
/** Bytes of all header lines together. */
const MOST_HEADER_BYTES = 16_384

/** What Node's server is made with. That a request has a Host is for the gate to see. */
export const SERVER_OPTIONS = {
  headersTimeout: HEAD_TIMEOUT,
  connectionsCheckingInterval: LOOK_INTERVAL,
  maxHeaderSize: MOST_HEADER_BYTES,
  requireHostHeader: false,
} as const

/** Closes connections beyond the limits as soon as they are there. */
export function limitConnections(server: Server, limits: ConnectionLimits): void {
  server.maxConnections = limits.connections
  const open = new Map<string, number>()
  server.on('connection', (socket) => {
    if (isLoopbackAddress(socket.remoteAddress)) return
    const address = callerOf(undefined, socket.remoteAddress)
    const count = (open.get(address) ?? 0) + 1
    if (count > limits.connectionsPerAddress) {
      socket.destroy()
      return
    }
    open.set(address, count)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left === 0) open.delete(address)
      else open.set(address, left)
    })
  })
}
