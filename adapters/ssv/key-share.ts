/**
 * Decryption of key shares: RSA PKCS#1 v1.5. Node 20 refuses that padding and later versions answer random
 * bytes for a wrong one, so the block is decrypted as it is and unpadded here. No timing is given away: the
 * ciphertexts are public and nobody is told how a decryption went.
 */
import { constants, type KeyObject, privateDecrypt } from 'node:crypto'

/** RFC 8017, 7.2.2: at least eight bytes of padding. */
const SHORTEST_PADDING = 8

/**
 * The plaintext of a ciphertext.
 * @param ciphertext as long as the key's modulus, 256 bytes
 * @returns undefined where it was not encrypted to this key
 */
export function decryptKeyShare(privateKey: KeyObject, ciphertext: Uint8Array): Uint8Array | undefined {
  let block: Uint8Array
  try {
    block = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, ciphertext)
  } catch {
    return undefined
  }
  return unpad(block)
}

/**
 * The message of a padded block: 00 02, at least eight bytes that are not zero, 00, message.
 * @returns undefined for any other block
 */
export function unpad(block: Uint8Array): Uint8Array | undefined {
  if (block[0] !== 0 || block[1] !== 2) return undefined
  const end = block.indexOf(0, 2)
  return end < 2 + SHORTEST_PADDING ? undefined : block.slice(end + 1)
}
