/** What a process is told in confidence: by the files that its options name, and by the options themselves. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { addPrivateKey } from './private-keys.js'
import { inFile, type SecretRegister } from './secrets.js'

/** The options of a process: its environment, and its flags under the environment's names. */
export type GivenOptions = Readonly<Record<string, string>>

const LEAST_LENGTH = 8

/** Takes flags for environment variables: --relayer-endpoint is RELAYER_ENDPOINT. */
export function givenOptions(args: readonly string[], env: Readonly<Record<string, string>>): GivenOptions {
  const flags: Record<string, string> = {}
  for (const [i, argument] of args.entries()) {
    const match = /^--([a-z-]+)(?:=(.*))?$/s.exec(argument)
    if (match?.[1] === undefined) continue
    flags[match[1].replaceAll('-', '_').toUpperCase()] = match[2] ?? args[i + 1] ?? ''
  }
  return { ...env, ...flags }
}

/** Makes secrets of what the options give before the process starts. */
export function addGivenSecrets(secrets: SecretRegister, options: GivenOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (/ENDPOINTS?$/.test(name)) for (const url of value.split(',')) addUrl(secrets, name, url.trim())
    if (/PASSWORD_FILE$|TOKEN_FILE$/.test(name)) addTextFile(secrets, name, value)
    if (/KEY_FILE$/.test(name)) addKeyFile(secrets, name, value)
    if (name === 'OBOL_KEYSTORES_DIR') addKeystorePasswords(secrets, value)
    if (name === 'OPERATOR_KEY' && !addPrivateKey(secrets, name, value)) addKeyFile(secrets, name, value)
  }
  for (const path of matching(options['OBOL_KEYSTORES_DIR_TEMPLATE'], '{node_index}'))
    addKeystorePasswords(secrets, path)
  for (const path of matching(options['SSV_OPERATOR_KEY_FILE_TEMPLATE'], '{operator_id}'))
    addKeyFile(secrets, 'the key of an operator', path)
  for (const path of matching(options['SSV_OPERATOR_PASSWORD_FILE_TEMPLATE'], '{operator_id}'))
    addTextFile(secrets, 'the password of an operator', path)
}

/** Makes a secret of the key that a relayer has made for itself. */
export function addRelayerKey(secrets: SecretRegister, options: GivenOptions): void {
  const file = options['RELAYER_KEY_FILE']
  const text = file === undefined ? undefined : read(file)?.trim()
  if (file === undefined || text === undefined || !/^[0-9a-f]{64}$/i.test(text)) return
  secrets.addKey('the key that shares are encrypted with', text, inFile(file))
}

/** The password of a URL, and what may be an API key in its path or query. */
function addUrl(secrets: SecretRegister, name: string, text: string): void {
  if (!URL.canParse(text)) return
  const url = new URL(text)
  const parts = [url.password, ...url.pathname.split('/'), ...url.searchParams.values()]
  for (const part of parts) {
    if (part.length >= LEAST_LENGTH) secrets.addText(`what is secret in ${name}`, decodeURIComponent(part))
  }
}

function addTextFile(secrets: SecretRegister, name: string, file: string): void {
  const text = read(file)?.replace(/\r?\n$/, '')
  if (text !== undefined && text.length >= LEAST_LENGTH)
    secrets.addText(`the content of ${name}`, text, inFile(file))
}

function addKeyFile(secrets: SecretRegister, name: string, file: string): void {
  const text = read(file)
  if (text === undefined || text.trimStart().startsWith('{')) return
  addPrivateKey(secrets, name, text, inFile(file))
}

function addKeystorePasswords(secrets: SecretRegister, directory: string): void {
  for (const name of list(directory).filter((file) => file.endsWith('.txt')))
    addTextFile(secrets, `the password file ${name}`, join(directory, name))
}

/** Every path that a template stands for, of nodes that do not run here too. */
function matching(template: string | undefined, placeholder: string): string[] {
  const [before, after] = template?.split(placeholder) ?? []
  if (template === undefined || before === undefined || after === undefined) return []
  const start = before.slice(before.lastIndexOf('/') + 1)
  const [end = ''] = after.split('/')
  return list(before.slice(0, before.lastIndexOf('/')))
    .filter((entry) => entry.startsWith(start) && entry.endsWith(end))
    .map((entry) => template.replaceAll(placeholder, entry.slice(start.length, entry.length - end.length)))
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // What is not there is no secret. The process says that it is not there.
    return undefined
  }
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
