import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { ConfigurationError } from '../../core/errors.js'
import { copyDatabase } from '../../core/storage/database.js'
import { placeNew, withDraftOf } from '../../core/storage/new-file.js'
import { assertWhole } from './whole.js'

/**
 * Writes a consistent copy of the relayer's database (mode 0600), also while the relayer runs: all of it as it was at
 * one moment, and nothing that was deleted. The key that opens the shares is not in it.
 * @returns its length in bytes, when it is on the disk
 * @throws ConfigurationError BACKUP_EXISTS, NO_DATABASE, FOREIGN_DATABASE, DATABASE_UNREADABLE
 * @throws UnavailableError DATABASE_FULL, and as queries do; DvtExitError BACKUP_UNUSABLE where the copy is not whole
 */
export async function backUp(database: string, file: string): Promise<number> {
  if (existsSync(file)) throw alreadyThere(file)
  return withDraftOf(file, async (draft) => {
    copyDatabase(database, 'relayer', draft)
    await assertWhole(draft, `the copy of ${database}`)
    const { size } = await stat(draft)
    if (!(await placeNew(draft, file))) throw alreadyThere(file)
    return size
  })
}

function alreadyThere(file: string): ConfigurationError {
  return new ConfigurationError('BACKUP_EXISTS', `${file} is there already, and is not overwritten`, {
    hint: 'Choose another name',
  })
}
