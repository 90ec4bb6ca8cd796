/** The append-only record of what was signed and what was refused. It never holds a signature. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { DvtExitError, describeError } from '../../core/errors.js'
import type { Hex, PublicKeyHex } from '../../core/hex.js'
import { parseJson, stringifyJson } from '../../core/json.js'
import { syncDirectory } from '../../core/storage/sync-directory.js'
import { publicKeyField, shareIndexField, validatorIndexField } from '../../core/wire/fields.js'
import type { DepositRefusal, DepositRequest } from './deposit-rules.js'
import type { RefusalReason, SigningReason } from './exit-check.js'

/** One line of the log. */
export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly verdict: 'signed' | 'refused'
  readonly reason: SigningReason | RefusalReason | 'deposit' | DepositRefusal
  readonly publicKey: PublicKeyHex
  readonly validatorIndex: number
  /** Of an exit. */
  readonly epoch?: number
  /** What else a deposit says. */
  readonly deposit?: Omit<DepositRequest, 'publicKey'>
  readonly signingRoot: Hex
  readonly shareIndex: bigint
}

/** What a restart needs to know of an earlier line. */
export type PastEntry = Pick<
  AuditEntry,
  'time' | 'verdict' | 'publicKey' | 'validatorIndex' | 'shareIndex'
> & { readonly reason: string }

const pastLine = z.object({
  time: z.iso.datetime().transform((text) => Date.parse(text)),
  verdict: z.enum(['signed', 'refused']),
  reason: z.string(),
  public_key: publicKeyField,
  validator_index: validatorIndexField,
  share_index: shareIndexField,
})

const BLOCK = 64 * 1024
const NEW_LINE = 0x0a

export class AuditLog {
  readonly file: string

  constructor(file: string) {
    this.file = file
  }

  /**
   * Appends entries, one line of JSON each. They are on the disk when this returns.
   * @throws DvtExitError AUDIT_LOG_FAILED
   */
  async append(entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length === 0) return
    try {
      await this.#withFile(async (handle) => {
        const separator = (await endsInALine(handle)) ? '' : '\n'
        await handle.appendFile(separator + entries.map(lineOf).join(''))
        await handle.sync()
      })
    } catch (cause) {
      throw this.#failed(cause)
    }
  }

  /**
   * The entries since a time, the newest first. Lines that a crash tore are skipped.
   * @param since milliseconds since 1970
   * @throws DvtExitError AUDIT_LOG_FAILED where the file cannot be made, read or written
   */
  async entriesSince(since: number): Promise<PastEntry[]> {
    const entries: PastEntry[] = []
    try {
      await this.#withFile(async (handle) => {
        for await (const line of linesBackwards(handle)) {
          const entry = parseLine(line)
          if (entry === undefined) continue
          if (entry.time < since) return
          entries.push(entry)
        }
      })
    } catch (cause) {
      throw this.#failed(cause)
    }
    return entries
  }

  /** Opened anew each time, so that a log that was moved away is followed by a new one. */
  async #withFile(use: (handle: FileHandle) => Promise<void>): Promise<void> {
    const handle = await open(this.file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600)
    try {
      const isNew = (await handle.stat()).size === 0
      await use(handle)
      if (isNew) await syncDirectory(dirname(this.file))
    } finally {
      await handle.close()
    }
  }

  #failed(cause: unknown): DvtExitError {
    return new DvtExitError('AUDIT_LOG_FAILED', `audit log ${this.file}: ${describeError(cause)}`, {
      cause,
      hint: 'Nothing is signed without it: point AUDIT_LOG to a file that this user may write, on a disk with room',
    })
  }
}

function lineOf(entry: AuditEntry): string {
  return `${stringifyJson({
    time: new Date(entry.time).toISOString(),
    verdict: entry.verdict,
    reason: entry.reason,
    public_key: entry.publicKey,
    validator_index: entry.validatorIndex,
    ...(entry.epoch === undefined ? {} : { epoch: entry.epoch }),
    ...(entry.deposit === undefined ? {} : depositFields(entry.deposit)),
    signing_root: entry.signingRoot,
    share_index: entry.shareIndex,
  })}\n`
}

function depositFields({ vault, type, amount }: NonNullable<AuditEntry['deposit']>) {
  return { vault, validator_type: type, amount }
}

function parseLine(line: string): PastEntry | undefined {
  let content: unknown
  try {
    content = parseJson(line)
  } catch {
    return undefined
  }
  const parsed = pastLine.safeParse(content).data
  if (parsed === undefined) return undefined
  return {
    time: parsed.time,
    verdict: parsed.verdict,
    reason: parsed.reason,
    publicKey: parsed.public_key,
    validatorIndex: parsed.validator_index,
    shareIndex: parsed.share_index,
  }
}

async function endsInALine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat()
  if (size === 0) return true
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === NEW_LINE
}

/** The lines of a file from the last to the first, read in blocks from its end. */
async function* linesBackwards(handle: FileHandle): AsyncGenerator<string> {
  let position = (await handle.stat()).size
  let rest = Buffer.alloc(0)
  while (position > 0) {
    const length = Math.min(BLOCK, position)
    position -= length
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
    let block = Buffer.concat([buffer.subarray(0, bytesRead), rest])
    for (let end = block.lastIndexOf(NEW_LINE); end >= 0; end = block.lastIndexOf(NEW_LINE)) {
      const line = block.subarray(end + 1)
      if (line.length > 0) yield line.toString('utf8')
      block = block.subarray(0, end)
    }
    rest = block
  }
  if (rest.length > 0) yield rest.toString('utf8')
}
