/** How a secret may be written by somebody who should not write it: as it is, in hex, base64, JSON and so on. */

/** One way of writing a secret. */
export interface Form {
  readonly name: string
  readonly bytes: Buffer
  /** How many bytes of it in a row give it away; a text of a person must be there as a whole. */
  readonly leastRun: number
  /** Bytes between the starts of two windows by which it is looked up. */
  readonly stride: number
}

/** What kind of value a secret is: random bytes, a number of 32 bytes (a key), or a text as a person chose it. */
export type SecretType = 'bytes' | 'number' | 'text'

/** So many bytes of a random secret in a row are nowhere by chance, and give much of it away. */
const LEAST_BYTES = 10
const STRIDE = 16
const RAW_STRIDE = 8

/** All forms of a secret. */
export function formsOf(type: SecretType, value: Buffer): Form[] {
  const written = type === 'text' ? formsOfText(value.toString('utf8')) : formsOfBytes(value)
  if (type === 'number') written.push(...formsOfNumber(value))
  const seen = new Set<string>()
  const forms: Form[] = []
  for (const { name, bytes } of written) {
    const id = bytes.toString('latin1')
    if (seen.has(id)) continue
    seen.add(id)
    const part = type === 'text' ? 1 : Math.min(1, LEAST_BYTES / value.length)
    const stride = name.startsWith('raw') ? RAW_STRIDE : STRIDE
    forms.push({ name, bytes, leastRun: Math.ceil(part * bytes.length), stride })
  }
  return forms
}

type Written = Pick<Form, 'name' | 'bytes'>
const written = (name: string, text: string): Written => ({ name, bytes: Buffer.from(text, 'utf8') })

function formsOfBytes(value: Buffer): Written[] {
  const numbers = [...value]
  return [
    { name: 'raw', bytes: value },
    ...hexForms(value),
    ...base64Forms(value),
    // A whole request in base64, whose JSON has the secret in hex.
    ...base64Forms(Buffer.from(value.toString('hex'))),
    // A typed array as JSON.stringify, String() and console.log write it.
    written('JSON of a typed array', numbers.map((byte, i) => `"${i}":${byte}`).join(',')),
    written('list of bytes', numbers.join(',')),
    written('inspected buffer', (value.toString('hex').match(/../g) ?? []).join(' ')),
  ]
}

function formsOfNumber(value: Buffer): Written[] {
  const reversed = Buffer.from(value).reverse()
  return [
    written('decimal', BigInt(`0x${value.toString('hex')}`).toString()),
    // blst and much else keep numbers with the lowest byte first.
    { name: 'raw reversed', bytes: reversed },
    ...hexForms(reversed).map(({ name, bytes }) => ({ name: `${name} reversed`, bytes })),
  ]
}

function formsOfText(text: string): Written[] {
  const forms: Written[] = []
  // Passwords of keystores are normalised before they are used (EIP-2335).
  for (const spelling of new Set([text, text.normalize('NFKD'), text.normalize('NFC')])) {
    const bytes = Buffer.from(spelling, 'utf8')
    const json = JSON.stringify(spelling).slice(1, -1)
    forms.push(
      { name: 'raw', bytes },
      written('JSON-escaped', json),
      written('JSON-escaped', asciiOnly(json)),
      written('JSON-escaped twice', JSON.stringify(json).slice(1, -1)),
      written('percent-encoded', encodeURIComponent(spelling)),
      written('percent-encoded', encodeURI(spelling)),
      written('form-encoded', new URLSearchParams([['', spelling]]).toString().slice(1)),
      ...hexForms(bytes),
      ...base64Forms(bytes),
    )
  }
  return forms
}

function asciiOnly(json: string): string {
  return json.replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function hexForms(value: Buffer): Written[] {
  const digits = value.toString('hex')
  return [written('hex', digits), written('HEX', digits.toUpperCase())]
}

/** Base64 of a larger text writes a secret in one of three ways, by the place where it starts. */
function base64Forms(value: Buffer): Written[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), value])
    // Only characters that no neighbour has a part in.
    const from = Math.ceil((before * 8) / 6)
    const to = Math.floor((whole.length * 8) / 6)
    const cut = whole.toString('base64').slice(from, to)
    return [written('base64', cut), written('base64url', cut.replaceAll('+', '-').replaceAll('/', '_'))]
  })
}
