import { open } from 'node:fs/promises'

/** Makes the names in a directory as durable as the files' content: call it after a file was made or renamed. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
