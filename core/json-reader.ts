/**
 * Reading JSON (RFC 8259) with numbers as they are written, quick enough for bodies of strangers: strings, most of
 * what such a body holds, are found and decoded natively, and what only costs time is refused. Messages say where
 * the text is wrong and never quote it: it may hold a share.
 */

/** Arrays and objects within each other. */
const DEEPEST = 500
/** Characters of one number: the longest of ours, 2^64 − 1, has 20. */
const LONGEST_NUMBER = 1000

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const SPACE = /[ \n\r\t]*/y
/** What a string can hold only as an escape, and what native code looks at more closely. */
const NOT_PLAIN = /[\\\p{Cc}]/u

export interface JsonReading {
  /** Makes a value of a number as it is written. */
  readonly parseNumber: (text: string) => unknown
  /** Values, members' names not counted, that a text may hold. */
  readonly mostValues: number
}

/** @throws SyntaxError with `at position N` in its message, counted from 0 */
export function readJson(text: string, reading: JsonReading): unknown {
  return new JsonReader(text, reading).read()
}

class JsonReader {
  readonly #text: string
  readonly #reading: JsonReading
  #position = 0
  #depth = 0
  #values = 0

  constructor(text: string, reading: JsonReading) {
    this.#text = text
    this.#reading = reading
  }

  read(): unknown {
    const value = this.#value()
    if (this.#position < this.#text.length) throw this.#wrong('expected the end')
    return value
  }

  /** One value, with the space around it. */
  #value(): unknown {
    this.#skipSpace()
    this.#values++
    if (this.#values > this.#reading.mostValues) throw this.#wrong('too many values')
    const value = this.#anyValue()
    this.#skipSpace()
    return value
  }

  #anyValue(): unknown {
    switch (this.#text[this.#position]) {
      case '"':
        return this.#string()
      case '{':
        return this.#nested(() => this.#object())
      case '[':
        return this.#nested(() => this.#array())
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #nested<T>(read: () => T): T {
    if (this.#depth === DEEPEST) throw this.#wrong('nested too deeply')
    this.#depth++
    const value = read()
    this.#depth--
    return value
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    this.#members('}', () => {
      this.#skipSpace()
      const start = this.#position
      if (this.#text[start] !== '"') throw this.#wrong('expected a name in quotes')
      const name = this.#string()
      this.#skipSpace()
      if (!this.#takes(':')) throw this.#wrong('expected a colon')
      const value = this.#value()
      if (Object.hasOwn(object, name) && !isSame(object[name], value)) {
        throw this.#wrong('a name is there twice', start + 1)
      }
      setMember(object, name, value)
    })
    return object
  }

  #array(): unknown[] {
    const array: unknown[] = []
    this.#members(']', () => array.push(this.#value()))
    return array
  }

  /** What stands between an opening bracket, where the reader is, and its closing one. */
  #members(closing: '}' | ']', readMember: () => void): void {
    this.#position++
    this.#skipSpace()
    if (this.#takes(closing)) return
    do readMember()
    while (this.#takes(','))
    if (!this.#takes(closing)) throw this.#wrong('expected a comma or the closing bracket')
  }

  #string(): string {
    const start = this.#position
    const end = this.#endOfString(start + 1)
    const content = this.#text.slice(start + 1, end)
    this.#position = end + 1
    if (!NOT_PLAIN.test(content)) return content
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string
    } catch {
      throw this.#wrong('invalid string', start)
    }
  }

  /** The position of the first quote that no backslash escapes. */
  #endOfString(from: number): number {
    for (
      let quote = this.#text.indexOf('"', from);
      quote !== -1;
      quote = this.#text.indexOf('"', quote + 1)
    ) {
      let backslashes = 0
      while (quote - backslashes > from && this.#text[quote - backslashes - 1] === '\\') backslashes++
      if (backslashes % 2 === 0) return quote
    }
    throw this.#wrong('a string without end', from - 1)
  }

  #number(): unknown {
    const start = this.#position
    NUMBER.lastIndex = start
    if (!NUMBER.test(this.#text)) throw this.#wrong('expected a value')
    const length = NUMBER.lastIndex - start
    if (length > LONGEST_NUMBER) throw this.#wrong('a number too long')
    this.#position += length
    return this.#reading.parseNumber(this.#text.slice(start, this.#position))
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#position)) throw this.#wrong('expected a value')
    this.#position += word.length
    return value
  }

  #takes(character: string): boolean {
    if (this.#text[this.#position] !== character) return false
    this.#position++
    return true
  }

  #skipSpace(): void {
    // Nearly everywhere there is none, or one.
    if (this.#text.charCodeAt(this.#position) > 0x20) return
    SPACE.lastIndex = this.#position
    SPACE.test(this.#text)
    this.#position = SPACE.lastIndex
  }

  #wrong(what: string, position = this.#position): SyntaxError {
    return new SyntaxError(`${what} at position ${position}`)
  }
}

/** As JSON.parse does: a member named __proto__ is a member like any other. */
function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(member(a, name), member(b, name)))
  )
}

function member(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name]
}
