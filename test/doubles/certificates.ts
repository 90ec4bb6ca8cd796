/** X.509 certificates made on the spot: just as much DER (RFC 5280) as TLS needs, over node:crypto's keys. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

/** A certificate and its private key, both PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  /** What the certificate is called; also how an issuer is found. */
  readonly name: string
  /** Who signs it; itself where absent. */
  readonly issuer?: Authority
  /** Whether it may sign others. */
  readonly authority?: boolean
  /** Host names and addresses; localhost and 127.0.0.1 unless given. */
  readonly hosts?: readonly string[]
  /** Days from now. */
  readonly validFrom?: number
  readonly validTo?: number
}

/** A certificate that signs others. */
export interface Authority extends Certificate {
  readonly name: string
  readonly privateKey: KeyObject
}

const OID = {
  commonName: [0x55, 0x04, 0x03],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  basicConstraints: [0x55, 0x1d, 0x13],
  keyUsage: [0x55, 0x1d, 0x0f],
  subjectAltName: [0x55, 0x1d, 0x11],
} as const
const DAY = 86_400_000

/** A new authority of its own. */
export function makeAuthority(name: string): Authority {
  return { name, ...make({ name, authority: true }) }
}

/** A new key with a certificate for it. */
export function makeCertificate(options: CertificateOptions): Certificate {
  const { cert, key } = make(options)
  return { cert, key }
}

function make(options: CertificateOptions): Certificate & { readonly privateKey: KeyObject } {
  const { name, issuer, authority = false, hosts = ['localhost', '127.0.0.1'] } = options
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = sequence(oid(OID.ecdsaWithSha256))
  const content = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.concat([Buffer.of(0x01), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer?.name ?? name),
    sequence(time(options.validFrom ?? -1), time(options.validTo ?? 1)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        extension(OID.basicConstraints, sequence(...(authority ? [der(0x01, Buffer.of(0xff))] : []))),
        extension(OID.keyUsage, bitString(Buffer.of(authority ? 0x04 : 0x80))),
        extension(OID.subjectAltName, sequence(...hosts.map(generalName))),
      ),
    ),
  )
  const signature = sign('sha256', content, issuer?.privateKey ?? privateKey)
  const certificate = sequence(content, algorithm, bitString(signature))
  return {
    cert: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
  }
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(name)))))
}

function generalName(host: string): Buffer {
  const address = isIP(host) === 4 ? Buffer.from(host.split('.').map(Number)) : undefined
  return address === undefined ? der(0x82, Buffer.from(host)) : der(0x87, address)
}

function extension(id: readonly number[], value: Buffer): Buffer {
  return sequence(oid(id), der(0x04, value))
}

/** GeneralizedTime. */
function time(days: number): Buffer {
  const text = new Date(Date.now() + days * DAY).toISOString().replace(/[-:T]|\.\d+/g, '')
  return der(0x18, Buffer.from(text))
}

function bitString(bytes: Uint8Array): Buffer {
  return der(0x03, Buffer.concat([Buffer.of(0), bytes]))
}

function oid(bytes: readonly number[]): Buffer {
  return der(0x06, Buffer.from(bytes))
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts))
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...head), content])
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
