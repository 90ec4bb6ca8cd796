/**
 * The curve operations that everything here is built from. Native blst where its binary is there, else
 * herumi's WASM, several times slower. Both decode with the subgroup check and refuse infinity.
 */

/** A point of G1, decoded and checked. Opaque: only the backend that made it can read it. */
export type PublicKeyPoint = { readonly __point: 'G1' }
/** A point of G2, decoded and checked. */
export type SignaturePoint = { readonly __point: 'G2' }
/** A scalar in (0, r). */
export type SecretScalar = { readonly __scalar: true }

/** A signature of one message under one public key. */
export interface SignatureSet {
  readonly message: Uint8Array
  readonly publicKey: PublicKeyPoint
  readonly signature: SignaturePoint
}

export interface BlsBackend {
  readonly name: 'blst-native' | 'herumi-wasm'
  /** 32 bytes big-endian; throws for zero and for anything not below the group order. */
  decodeSecretKey(bytes: Uint8Array): SecretScalar
  /** 48 bytes; throws when off the curve, outside the subgroup or infinity. */
  decodePublicKey(bytes: Uint8Array): PublicKeyPoint
  /** 96 bytes; throws when off the curve, outside the subgroup or infinity. */
  decodeSignature(bytes: Uint8Array): SignaturePoint
  encodePublicKey(point: PublicKeyPoint): Uint8Array
  encodeSignature(point: SignaturePoint): Uint8Array
  negatePublicKey(point: PublicKeyPoint): PublicKeyPoint
  negateSignature(point: SignaturePoint): SignaturePoint
  /** The sum of one or more points, which may be infinity; throws for none. */
  addPublicKeys(points: readonly PublicKeyPoint[]): PublicKeyPoint
  addSignatures(points: readonly SignaturePoint[]): SignaturePoint
  toPublicKey(secret: SecretScalar): PublicKeyPoint
  sign(secret: SecretScalar, message: Uint8Array): SignaturePoint
  verify(set: SignatureSet): boolean
  /** One randomised check for all sets; true only if there are any and every one of them verifies. */
  verifyAll(sets: readonly SignatureSet[]): boolean
}

async function load(): Promise<BlsBackend> {
  if (process.env['DVT_EXIT_BLS'] === 'wasm') {
    warnOfWasm('DVT_EXIT_BLS=wasm')
  } else {
    try {
      return (await import('./blst-backend.js')).blstBackend
    } catch {
      warnOfWasm('no native BLS binary for this platform')
    }
  }
  return (await import('./wasm-backend.js')).createWasmBackend()
}

function warnOfWasm(reason: string): void {
  process.emitWarning(`${reason}: BLS runs in WASM, 4 to 7 times slower`, { code: 'BLS_WASM' })
}

/** The backend of this process, chosen once when it starts. */
export const bls: BlsBackend = await load()
