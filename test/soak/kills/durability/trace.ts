/** Reads a trace: whether what a file was told was on the disk whenever something was sent. */

export interface Sent {
  /** Whether the file was written to since what was sent before. */
  readonly written: boolean
  /** Whether all that was ever written to it had been synced by then. */
  readonly synced: boolean
}

type Call =
  | {
      readonly kind: 'write' | 'sync'
      readonly target: string
      readonly ended: boolean
      readonly content: string
    }
  | { readonly kind: 'resumed sync' }

const BEGIN = /^\d+ +(\w+)\((\d+<(?:[^>]|->)*>)(.*)$/
const RESUMED = /^\d+ +<\.\.\. (\w+) resumed>.*= 0/

function parse(line: string): Call | undefined {
  const resumed = RESUMED.exec(line)?.[1]
  if (resumed !== undefined) return isSync(resumed) ? { kind: 'resumed sync' } : undefined
  const [, name = '', target = '', content = ''] = BEGIN.exec(line) ?? []
  if (name === '') return undefined
  const ended = !content.endsWith('<unfinished ...>')
  return { kind: isSync(name) ? 'sync' : 'write', target, ended, content }
}

function isSync(name: string): boolean {
  return name === 'fsync' || name === 'fdatasync'
}

/**
 * Follows one file through a trace.
 * @param file the end of its path
 * @param isMessage tells what is sent, by the beginning of what is written to a socket
 */
export function sentAfter(trace: string, file: string, isMessage: (content: string) => boolean): Sent[] {
  const threads = new Map<string, boolean>()
  const sent: Sent[] = []
  let written = false
  let dirty = false
  for (const line of trace.split('\n')) {
    const call = parse(line)
    const thread = line.split(' ', 1)[0] ?? ''
    if (call === undefined) continue
    if (call.kind === 'resumed sync') {
      if (threads.get(thread) === true) dirty = false
      threads.delete(thread)
    } else if (call.target.includes(`${file}>`)) {
      if (call.kind === 'write') {
        written = true
        dirty = true
        // What is synced at this moment may have begun before.
        threads.clear()
      } else if (call.ended) dirty = false
      else threads.set(thread, true)
    } else if (call.kind === 'write' && /<TCP/.test(call.target) && isMessage(call.content)) {
      sent.push({ written, synced: !dirty })
      written = false
    }
  }
  return sent
}
