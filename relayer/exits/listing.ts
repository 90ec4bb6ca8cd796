/** What `GET /exits` shows: for each key the exit asked for last. */
import { byPublicKey, type ExitId, type ExitRecord, exitName, groupBy, lastAskedFor } from './records.js'
import type { ListedExit } from './service.js'

/**
 * The list, keys in the order in which they were first asked for.
 * @param exits every exit
 * @param listedShares the shares whose index is shown
 * @param ready names (exitName) of the exits that have their oracle parts
 */
export function listShownExits(
  exits: readonly ExitRecord[],
  listedShares: readonly (ExitId & { readonly shareIndex: bigint })[],
  ready: ReadonlySet<string>,
): ListedExit[] {
  const indexes = groupBy(listedShares, exitName)
  return [...byPublicKey(exits).values()].flatMap((ofKey) => {
    const shown = lastAskedFor(ofKey)
    if (shown === undefined) return []
    const shares = indexes.get(exitName(shown)) ?? []
    return {
      publicKey: shown.publicKey,
      validatorIndex: shown.validatorIndex,
      isExitSignatureReady: ready.has(exitName(shown)),
      createdAt: shown.createdAt,
      shareIndexesReady: [...new Set(shares.map((share) => share.shareIndex))].sort((a, b) =>
        a < b ? -1 : 1,
      ),
    }
  })
}
