/** `dvt-exit relayer token new|list|revoke`: works on the database, also while the relayer runs. */
import { randomBytes } from 'node:crypto'
import { ConfigurationError } from '../../core/errors.js'
import { required, type Values } from '../../core/options.js'
import { openRelayerDatabase } from '../store/open.js'
import { TokenStore } from '../store/tokens.js'
import { newTokenOptions, revokeTokenOptions, type tokenOptions } from './options.js'
import { newToken, type TokenIdentity } from './tokens.js'

/** Where the commands write what the user asked for; standard output. */
type Write = (text: string) => void
const toStandardOutput: Write = (text) => void process.stdout.write(text)

/**
 * Makes a token and writes it, the only time it can be seen.
 * @throws ConfigurationError MISSING_OPTION, SHARE_INDEX_NEEDED, SHARE_INDEX_NOT_ALLOWED, TOKEN_NAME_TAKEN
 */
export async function runNewToken(
  values: Values<typeof newTokenOptions>,
  _context?: unknown,
  write: Write = toStandardOutput,
): Promise<void> {
  const identity = identityFrom(values)
  const token = newToken(randomBytes)
  await withTokens(values.database, (tokens) => tokens.add(token, identity))
  write(`${token}\n`)
}

/** Writes a line for each token, without what it is. */
export async function runListTokens(
  values: Values<typeof tokenOptions>,
  _context?: unknown,
  write: Write = toStandardOutput,
): Promise<void> {
  const all = await withTokens(values.database, (tokens) => tokens.list())
  for (const { name, role, shareIndexes, createdAt, revokedAt } of all) {
    const bound = shareIndexes.length === 0 ? '' : ` share index ${shareIndexes.join(', ')}`
    const end = revokedAt === null ? '' : `, revoked ${day(revokedAt)}`
    write(`${name}: ${role}${bound}, made ${day(createdAt)}${end}\n`)
  }
}

/** Makes a token useless. @throws ConfigurationError MISSING_OPTION, UNKNOWN_TOKEN */
export async function runRevokeToken(values: Values<typeof revokeTokenOptions>): Promise<void> {
  const name = required(values.name, revokeTokenOptions.name)
  await withTokens(values.database, (tokens) => tokens.revoke(name))
}

async function withTokens<T>(file: string, use: (tokens: TokenStore) => Promise<T>): Promise<T> {
  const database = await openRelayerDatabase(file)
  try {
    return await use(new TokenStore(database, () => Math.floor(Date.now() / 1000)))
  } finally {
    await database.destroy()
  }
}

function identityFrom(values: Values<typeof newTokenOptions>): TokenIdentity {
  const role = required(values.role, newTokenOptions.role)
  const name = required(values.name, revokeTokenOptions.name)
  const shareIndexes = values.shareIndexes ?? []
  if (role === 'sidecar' && shareIndexes.length === 0) {
    throw new ConfigurationError('SHARE_INDEX_NEEDED', 'a sidecar’s token is bound to its share index', {
      hint: 'Give --share-index: the node index + 1 for Obol, the operator id for SSV',
    })
  }
  if (role !== 'sidecar' && shareIndexes.length > 0) {
    throw new ConfigurationError(
      'SHARE_INDEX_NOT_ALLOWED',
      `--share-index means nothing for the role ${role}`,
    )
  }
  return { name, role, shareIndexes }
}

function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}
