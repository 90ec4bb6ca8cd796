import type { PublicKeyHex } from '../../../core/hex.js'
import type {
  ExitService,
  ListedExit,
  PostedShare,
  RejectedShare,
  RequestedExit,
} from '../../../relayer/exits/service.js'

/** The core as the HTTP side sees it, without any cryptography: what a test puts in is what comes out. */
export class MemoryService implements ExitService {
  listVersion = 1
  readonly exits: ListedExit[] = []
  readonly posts: { shareIndex: bigint; shares: readonly PostedShare[] }[] = []
  readonly requests: (readonly PublicKeyHex[])[] = []
  listCalls = 0
  rejected: readonly RejectedShare[] = []
  oracleShares: RequestedExit['oracleShares'] = null
  failure: Error | undefined

  async requestExits(publicKeys: readonly PublicKeyHex[]): Promise<readonly RequestedExit[]> {
    if (this.failure !== undefined) throw this.failure
    this.requests.push(publicKeys)
    return publicKeys.map((publicKey, i) => ({
      publicKey,
      validatorIndex: 1000 + i,
      oracleShares: this.oracleShares,
    }))
  }

  async listExits(): Promise<readonly ListedExit[]> {
    this.listCalls++
    return this.exits
  }

  async postShares(shareIndex: bigint, shares: readonly PostedShare[]): Promise<readonly RejectedShare[]> {
    if (this.failure !== undefined) throw this.failure
    this.posts.push({ shareIndex, shares })
    return this.rejected
  }

  list(exit: Partial<ListedExit> & { publicKey: PublicKeyHex }): void {
    this.exits.push({
      validatorIndex: 1000,
      isExitSignatureReady: false,
      createdAt: 1_795_169_700,
      shareIndexesReady: [],
      ...exit,
    })
    this.listVersion++
  }
}
