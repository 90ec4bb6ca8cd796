/** Files that list validators: CSV, of which the first column counts. */
import { readFile } from 'node:fs/promises'
import { parsePublicKey } from '../bls/points.js'
import { ConfigurationError, ConfigurationErrors, describeError } from '../errors.js'
import { normalizeHex, type PublicKeyHex, shorten } from '../hex.js'

const MOST_ERRORS = 10

/**
 * Reads a list of public keys: CSV whose first column holds them, hex with or without 0x. The first line may
 * name the columns; empty lines count for nothing.
 * @returns the keys in the file's order
 * @throws ConfigurationError INVALID_PUBLIC_KEYS_FILE, or ConfigurationErrors with several of them
 */
export async function loadPublicKeys(file: string): Promise<PublicKeyHex[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw invalid(`cannot read the public keys: ${describeError(cause)}`, cause)
  }
  return parsePublicKeys(text, file)
}

/** The same for a file's text. Throws as loadPublicKeys does. */
export function parsePublicKeys(text: string, source: string): PublicKeyHex[] {
  const lines = new Map<PublicKeyHex, number>()
  const errors: ConfigurationError[] = []
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const cell = firstCell(line)
    if (cell === '' || (i === 0 && !isHex(cell))) continue
    const key = keyOf(cell)
    if (key === undefined) {
      errors.push(invalid(`${source}, line ${i + 1}: ${shorten(cell)} is no BLS public key`))
      continue
    }
    const earlier = lines.get(key)
    if (earlier !== undefined) {
      errors.push(
        invalid(`${source}, line ${i + 1}: the key ${shorten(key)} stands in line ${earlier + 1} too`),
      )
    }
    lines.set(key, i)
  }
  const [first] = errors
  if (first !== undefined) {
    throw errors.length === 1 ? first : new ConfigurationErrors(errors.slice(0, MOST_ERRORS))
  }
  if (lines.size === 0) throw invalid(`${source} holds no public key`)
  return [...lines.keys()]
}

function firstCell(line: string): string {
  const [cell = ''] = line.split(/[,;\t]/)
  return cell.trim().replace(/^"(.*)"$/, '$1')
}

function isHex(text: string): boolean {
  return /^(0x)?[0-9a-f]+$/i.test(text)
}

function keyOf(cell: string): PublicKeyHex | undefined {
  try {
    const key = normalizeHex(cell, 48)
    parsePublicKey(key)
    return key
  } catch {
    return undefined
  }
}

function invalid(message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError('INVALID_PUBLIC_KEYS_FILE', message, {
    hint: 'Give a CSV file whose first column holds one public key of 48 bytes a line',
    ...(cause === undefined ? {} : { cause }),
  })
}
