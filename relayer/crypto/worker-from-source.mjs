// Runs worker.ts in a thread where the sources run without a build: a thread takes no loader from its parent.
import { tsImport } from 'tsx/esm/api'

export const { checkPublicKeys, checkShares, checkSharings, makeSignature, trySubsets } = await tsImport(
  './worker.ts',
  import.meta.url,
)
