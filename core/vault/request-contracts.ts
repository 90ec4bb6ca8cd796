/** The system contracts that take requests to the consensus layer, at the same addresses on every network. */
import type { Hex } from '../hex.js'

/** EIP-7002: withdrawals and exits. */
export const WITHDRAWAL_REQUESTS: Hex = '0x00000961Ef480Eb55e80D19ad83579A64c007002'
/** EIP-7251: consolidations. */
export const CONSOLIDATION_REQUESTS: Hex = '0x0000BBdDc7CE488642fb579F8B00f3a590007251'
