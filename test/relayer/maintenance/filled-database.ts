/** A relayer's database with everything in it: exits and deposits, collected from real clusters, and known shares. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'libsql'
import { bls } from '../../../core/bls/backend.js'
import { parseSignature } from '../../../core/bls/points.js'
import { recoverSignature } from '../../../core/bls/threshold.js'
import { fromHex, toHex } from '../../../core/hex.js'
import { depositSigningRoot, withdrawalCredentials } from '../../../core/messages/deposit.js'
import { openAsOracle } from '../../../core/oracles/seal.js'
import type { OracleShares } from '../../../relayer/exits/service.js'
import { ShareCipher } from '../../../relayer/store/share-cipher.js'
import type { PostedSignatures, WantedDeposit } from '../../../relayer/validators/service.js'
import { fourNodeValidators, hoodi, type TestValidator } from '../clusters.js'
import { type TestRelayer, TestWorld } from '../relayer.js'

const DEPOSIT: WantedDeposit = { vault: `0x${'ba'.repeat(20)}`, type: '0x01', amount: 32_000_000_000n }
const NODES = [1n, 2n, 3n, 4n]

export class FilledDatabase {
  readonly folder = mkdtempSync(join(tmpdir(), 'dvt-exit-filled-'))
  file = join(this.folder, 'relayer.db')
  readonly keyFile = join(this.folder, 'relayer.key')
  readonly world = new TestWorld()
  readonly cipher = new ShareCipher(this.world.key)
  /** Every share that was posted, 96 bytes. */
  readonly posted: Uint8Array[] = []
  readonly validators = fourNodeValidators.slice(0, 2)
  #relayer: TestRelayer | undefined

  /**
   * The relayer runs on it until close() or remove().
   * @param nodes how many of the four have posted; three make the signatures
   */
  static async create(nodes = 4): Promise<FilledDatabase> {
    const filled = new FilledDatabase()
    filled.world.now = Math.floor(Date.now() / 1000)
    writeFileSync(filled.keyFile, Buffer.from(filled.world.key.reveal()).toString('hex'))
    chmodSync(filled.keyFile, 0o600)
    await filled.#fill(nodes)
    return filled
  }

  get relayer(): TestRelayer {
    if (this.#relayer === undefined) throw new Error('the relayer does not run')
    return this.#relayer
  }

  /** Starts the relayer, or starts it again. */
  async open(): Promise<void> {
    this.#relayer = await this.world.open({ file: this.file })
  }

  async #fill(nodes: number): Promise<void> {
    await this.open()
    await this.ask()
    for (const node of NODES.slice(0, nodes)) await this.post(node)
  }

  async ask() {
    return this.relayer.service.requestValidators(
      this.validators.map(({ validator }, i) => ({
        publicKey: validator.publicKey,
        validatorIndex: this.world.nextIndex + i,
        deposit: DEPOSIT,
      })),
    )
  }

  /** A node's shares of everything. */
  sharesOf(node: bigint): PostedSignatures[] {
    return this.validators.map((validator, i) => this.#sharesOf(validator, node, i))
  }

  /** What a node's sidecar posts to /exit-signature. */
  exitPost(node: bigint) {
    const shares = this.sharesOf(node).map(({ publicKey, exitSignature }) => ({
      public_key: publicKey,
      exit_signature: toHex(exitSignature),
    }))
    return { share_index: Number(node), shares }
  }

  async post(node: bigint): Promise<void> {
    const shares = this.sharesOf(node)
    for (const { exitSignature, depositSignature } of shares)
      this.posted.push(exitSignature, depositSignature)
    const rejected = await this.relayer.service.postSignatures(node, shares, `node ${node}`)
    if (rejected.length > 0) throw new Error('a right share was rejected')
    await this.relayer.service.idle()
  }

  /** The signatures that no file may hold, 96 bytes each. */
  wholeExitSignatures(): Uint8Array[] {
    return this.validators.map(({ sign }, i) =>
      bls.encodeSignature(
        recoverSignature(
          NODES.slice(0, 3).map((index) => ({
            index,
            signature: parseSignature(sign(index, this.world.nextIndex + i)),
          })),
        ),
      ),
    )
  }

  /** The oracles' parts of one exit, 96 bytes each. */
  openParts(shares: OracleShares | null): Uint8Array[] {
    const sealed = shares?.encryptedExitSignatures ?? []
    return this.world.oracles.secretKeys.flatMap((key, i) => {
      const part = sealed[i]
      return part === undefined ? [] : openAsOracle(key, fromHex(part))
    })
  }

  #sharesOf({ validator, sign, signRoot }: TestValidator, node: bigint, i: number): PostedSignatures {
    const { publicKey, shares } = validator
    const { vault, type, amount } = DEPOSIT
    const credentials = withdrawalCredentials(type, vault)
    const root = depositSigningRoot(hoodi, { publicKey, withdrawalCredentials: credentials, amount })
    return {
      publicKey,
      exitSignature: sign(node, this.world.nextIndex + i),
      depositSignature: signRoot(node, root),
      claimedShares: shares,
    }
  }

  /** Ends the relayer. */
  async close(): Promise<void> {
    await this.#relayer?.close()
    this.#relayer = undefined
  }

  /**
   * Ends the relayer and puts its file elsewhere, where nobody has it open: libsql closes a file only when the last
   * statement of its connection was collected, or with the process.
   */
  async moveAway(): Promise<void> {
    await this.close()
    this.moveTo(join(this.folder, 'moved.db'))
  }

  moveTo(file: string): void {
    copyFileSync(this.file, file)
    this.file = file
  }

  /** The oracles' config, as PROTOCOL_CONFIG_FILE has it. */
  oraclesJson(): unknown {
    const { oracles, exitSignatureRecoverThreshold } = this.world.oracles.config
    return {
      oracles: oracles.map(({ publicKey }) => ({ public_key: toHex(publicKey.subarray(1)), endpoints: [] })),
      exit_signature_recover_threshold: exitSignatureRecoverThreshold,
    }
  }

  async remove(): Promise<void> {
    await this.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Changes the file behind the relayer's back. */
  tamper(...statements: readonly string[]): void {
    const connection = new Sqlite(this.file)
    try {
      for (const statement of statements) connection.exec(statement)
    } finally {
      connection.close()
    }
  }
}
