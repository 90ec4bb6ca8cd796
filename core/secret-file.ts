/** Files that hold a secret, in messages. */
import { existsSync } from 'node:fs'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a folder',
}

/**
 * Why a file that holds a password or a token cannot be read: its name and the reason. Where there is no such file
 * and the name does not look like one, it may be the secret itself, given in place of the file: then it is not
 * repeated. The same goes for the cause, which must not be passed on: Node's error has the name in it.
 */
export function describeUnreadableSecret(file: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const reason = REASONS[code] ?? `it cannot be read${code === '' ? '' : ` (${code})`}`
  return mayBeNamed(file)
    ? `${file}: ${reason}`
    : `${reason}, and its name is not repeated: it may be the secret itself`
}

/** Whether a text can be shown as the name of a file that holds a secret. */
export function mayBeNamed(file: string): boolean {
  return existsSync(file) || (/[/\\.]/.test(file) && /^[^\r\n]{1,255}$/.test(file))
}
