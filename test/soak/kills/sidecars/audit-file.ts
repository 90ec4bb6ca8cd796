/** A sidecar's audit log as somebody reads it who looks for holes in it. */
import { z } from 'zod'
import { parseJson } from '../../../../core/json.js'
import { publicKeyField, validatorIndexField } from '../../../../core/wire/fields.js'

const line = z.object({
  time: z.iso.datetime(),
  verdict: z.enum(['signed', 'refused']),
  reason: z.string(),
  public_key: publicKeyField,
  validator_index: validatorIndexField,
})

export class AuditFile {
  /** `KEY INDEX` of each exit and `KEY deposit` of each deposit that was signed. */
  readonly signed = new Set<string>()
  /** Of those, the exits. */
  readonly exits = new Set<string>()
  /** Lines that are none, the last one without its end included. */
  readonly torn: string[] = []

  constructor(content: string) {
    for (const text of content.split('\n')) {
      if (text === '') continue
      const entry = parsed(text)
      if (entry === undefined) this.torn.push(text)
      else if (entry.verdict === 'signed') this.#add(entry)
    }
    if (content !== '' && !content.endsWith('\n')) this.torn.push('the last line')
  }

  #add({ reason, public_key, validator_index }: z.output<typeof line>): void {
    if (reason === 'deposit') {
      this.signed.add(`${public_key} deposit`)
      return
    }
    this.signed.add(`${public_key} ${validator_index}`)
    this.exits.add(`${public_key} ${validator_index}`)
  }
}

function parsed(text: string): z.output<typeof line> | undefined {
  try {
    return line.safeParse(parseJson(text)).data
  } catch {
    return undefined
  }
}
