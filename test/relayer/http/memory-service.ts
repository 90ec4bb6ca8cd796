import type { PublicKeyHex } from '../../../core/hex.js'
import type {
  ExitService,
  ListedExit,
  PostedShare,
  RejectedShare,
  RequestedExit,
} from '../../../relayer/exits/service.js'
import type {
  CollectedValidator,
  ListedValidator,
  PostedSignatures,
  ValidatorService,
  WantedValidator,
} from '../../../relayer/validators/service.js'

/** The core as the HTTP side sees it, without any cryptography: what a test puts in is what comes out. */
export class MemoryService implements ExitService, ValidatorService {
  listVersion = 1
  readonly exits: ListedExit[] = []
  readonly posts: { shareIndex: bigint; shares: readonly PostedShare[] }[] = []
  readonly requests: (readonly PublicKeyHex[])[] = []
  readonly validators: ListedValidator[] = []
  readonly signatures: { shareIndex: bigint; shares: readonly PostedSignatures[]; caller: string }[] = []
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

  async requestValidators(wanted: readonly WantedValidator[]): Promise<readonly CollectedValidator[]> {
    return wanted.map((validator) => ({ ...validator, depositSignature: null, oracleShares: null }))
  }

  async listValidators(): Promise<readonly ListedValidator[]> {
    return this.validators
  }

  async postSignatures(shareIndex: bigint, shares: readonly PostedSignatures[], caller: string) {
    this.signatures.push({ shareIndex, shares, caller })
    return this.rejected.map((share) => ({ ...share, signature: 'deposit' as const }))
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
