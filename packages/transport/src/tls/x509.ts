/**
 * Makes certificates: an EC P-256 authority, and the certificates that it signs. The structure comes from
 * @peculiar/asn1-x509, keys and signatures from node:crypto. Loaded only when a certificate has to be made.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'

import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'

const COMMON_NAME = '2.5.4.3'
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'

/** A clock of a peer may be this far behind ours. */
const BACKDATED_MS = 3_600_000

/** A certificate and its private key, both PEM. */
export interface CertifiedKey {
  readonly certificate: string
  readonly privateKey: string
}

export interface AuthorityRequest {
  readonly commonName: string
  readonly nowMs: number
  readonly validMs: number
}

export interface CertificateRequest extends AuthorityRequest {
  /** DNS names and IP addresses the certificate is for. */
  readonly names: readonly string[]
  readonly usage: 'server' | 'client'
}

/** A self-signed authority that may sign servers and clients, but no further authority. */
export function makeAuthority(request: AuthorityRequest): CertifiedKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = toName(request.commonName)
  const extensions = [
    extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
    extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)),
    extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyIdentifier(publicKey))),
  ]
  return { certificate: issue(name, name, publicKey, privateKey, request, extensions), privateKey: toPem(privateKey) }
}

/** A certificate with a new key, signed by `authority`. */
export function makeCertificate(authority: CertifiedKey, request: CertificateRequest): CertifiedKey {
  const authorityKey = createPrivateKey(authority.privateKey)
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { raw } = new X509Certificate(authority.certificate)
  const issuer = AsnConvert.parse(raw, Certificate).tbsCertificate.subject
  const extensions = [
    extension(id_ce_basicConstraints, true, new BasicConstraints({ cA: false })),
    extension(id_ce_keyUsage, true, new KeyUsage(KeyUsageFlags.digitalSignature)),
    extension(
      id_ce_extKeyUsage,
      false,
      new ExtendedKeyUsage([request.usage === 'server' ? id_kp_serverAuth : id_kp_clientAuth]),
    ),
    extension(id_ce_subjectAltName, false, new SubjectAlternativeName(request.names.map(toGeneralName))),
    extension(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyIdentifier(publicKey))),
    extension(
      id_ce_authorityKeyIdentifier,
      false,
      new AuthorityKeyIdentifier({
        keyIdentifier: new SubjectKeyIdentifier(keyIdentifier(createPublicKey(authorityKey))),
      }),
    ),
  ]
  const subject = toName(request.commonName)
  return {
    certificate: issue(subject, issuer, publicKey, authorityKey, request, extensions),
    privateKey: toPem(privateKey),
  }
}

function issue(
  subject: Name,
  issuer: Name,
  publicKey: KeyObject,
  signingKey: KeyObject,
  { nowMs, validMs }: AuthorityRequest,
  extensions: Extension[],
): string {
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 })
  const serialNumber = randomBytes(16)
  serialNumber[0] = ((serialNumber[0] as number) & 0x7f) | 0x40 // positive, and never shorter than 16 bytes
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: toBuffer(serialNumber),
    signature: algorithm,
    issuer,
    validity: new Validity({ notBefore: new Date(nowMs - BACKDATED_MS), notAfter: new Date(nowMs + validMs) }),
    subject,
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo),
    extensions: new Extensions(extensions),
  })
  const signatureValue = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), signingKey)
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithm,
    signatureValue: toBuffer(signatureValue),
  })
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString()
}

function extension(extnID: string, critical: boolean, value: unknown): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
}

function toName(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName })
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])])
}

function toGeneralName(name: string): GeneralName {
  return isIP(name) === 0 ? new GeneralName({ dNSName: name }) : new GeneralName({ iPAddress: name })
}

/** [RFC 5280 §4.2.1.2], method 1: SHA-1 names the key here, it secures nothing. */
function keyIdentifier(publicKey: KeyObject): ArrayBuffer {
  const info = AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo)
  return toBuffer(createHash('sha1').update(Buffer.from(info.subjectPublicKey)).digest())
}

function toPem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function toBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
