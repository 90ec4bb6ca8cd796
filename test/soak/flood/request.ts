/** A request as its sender writes it, right or not. */

/** A header's name and value, as they stand on the line. */
export type Field = readonly [name: string, value: string]

export interface Draft {
  readonly method: string
  readonly target: string
  readonly version: string
  /** Without those of the framing, which come from `framing`. */
  readonly fields: readonly Field[]
  readonly body: Buffer
  readonly framing: Framing
  /** How often the whole of it is sent on one connection. */
  readonly copies: number
  /** What was done to it, for the report of a failure. */
  readonly twists: readonly string[]
}

export type Framing =
  | { readonly kind: 'length'; readonly text?: string }
  | { readonly kind: 'chunked'; readonly sizes: readonly string[] | undefined; readonly isEnded: boolean }
  /** No header says how long the body is. */
  | { readonly kind: 'none' }

export interface HostileRequest {
  readonly name: string
  readonly bytes: Buffer
  /** Answers that a server owes; undefined where bytes were changed, so that it may owe any number. */
  readonly expected: number | undefined
  readonly bodiless: boolean
}

const CHUNK = 1000

/** The bytes of a draft. */
export function written(draft: Draft): HostileRequest {
  const { method, target, version, fields, copies, twists } = draft
  const framing = framingOf(draft)
  const lines = [...fields, ...framing.fields].map(([name, value]) => `${name}: ${value}`)
  const head = `${[`${method} ${target} ${version}`, ...lines].join('\r\n')}\r\n\r\n`
  const one = Buffer.concat([Buffer.from(head, 'latin1'), framing.body])
  return {
    name: [`${method} ${target.slice(0, 40)}`, ...twists].join(', '),
    bytes: Buffer.concat(Array.from({ length: copies }, () => one)),
    expected: twists.length === 0 ? copies : undefined,
    bodiless: method === 'HEAD',
  }
}

function framingOf({ body, framing }: Draft): { fields: readonly Field[]; body: Buffer } {
  switch (framing.kind) {
    case 'none':
      return { fields: [], body }
    case 'length':
      if (framing.text === undefined && body.length === 0) return { fields: [], body }
      return { fields: [['Content-Length', framing.text ?? String(body.length)]], body }
    case 'chunked':
      return {
        fields: [['Transfer-Encoding', 'chunked']],
        body: chunked(body, framing.sizes, framing.isEnded),
      }
  }
}

function chunked(body: Buffer, sizes: readonly string[] | undefined, isEnded: boolean): Buffer {
  const parts: Buffer[] = []
  for (let start = 0, i = 0; start < body.length; start += CHUNK, i++) {
    const chunk = body.subarray(start, start + CHUNK)
    const size = sizes?.[i % sizes.length] ?? chunk.length.toString(16)
    parts.push(Buffer.from(`${size}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat(isEnded ? [...parts, Buffer.from('0\r\n\r\n')] : parts)
}
