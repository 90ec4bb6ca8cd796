/** What the nodes of a validator sign: the exit of an index, or a deposit; and its name, by which it is kept. */
import type { Hex } from '../../core/hex.js'
import type { ValidatorType } from '../../core/messages/deposit.js'
import type { WantedDeposit } from '../validators/service.js'

/** `exit/1250000`, `deposit/0x…/0x01/32000000000` */
export type MessageName = string

export type SignedMessage =
  | { readonly kind: 'exit'; readonly validatorIndex: number }
  | { readonly kind: 'deposit'; readonly deposit: WantedDeposit }

export function exitMessage(validatorIndex: number): MessageName {
  return `exit/${validatorIndex}`
}

/** @param deposit its vault in lower case */
export function depositMessage({ vault, type, amount }: WantedDeposit): MessageName {
  return `deposit/${vault}/${type}/${amount}`
}

/** @param name as exitMessage or depositMessage made it */
export function parseMessage(name: MessageName): SignedMessage {
  const [kind, first, type, amount] = name.split('/')
  if (kind === 'exit') return { kind, validatorIndex: Number(first) }
  if (kind !== 'deposit') throw new Error(`no message has the name ${name}`)
  return {
    kind,
    deposit: { vault: first as Hex, type: type as ValidatorType, amount: BigInt(amount ?? '') },
  }
}

/** The index that an exit is for. */
export function validatorIndexOf(name: MessageName): number {
  const message = parseMessage(name)
  if (message.kind === 'exit') return message.validatorIndex
  throw new Error(`${name} is no exit`)
}

export function isSameKind(a: MessageName, b: MessageName): boolean {
  return a.split('/', 1)[0] === b.split('/', 1)[0]
}

export function isExit(name: MessageName): boolean {
  return name.startsWith('exit/')
}
