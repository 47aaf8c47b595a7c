/** Who a client certificate says the peer is. */
import type { TLSSocket } from 'node:tls'

import type { TlsPeer } from '@ternmq/core'

/** What is known of the peer after the handshake. Names come only from a certificate that the listener's CA verified. */
export function tlsPeer(socket: TLSSocket): TlsPeer {
  const version = socket.getProtocol() ?? 'unknown'
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (certificate === undefined) return { version, altNames: [] }
  const altNames = certificate.subjectAltName === undefined ? [] : parseAltNames(certificate.subjectAltName)
  const { subject } = certificate.toLegacyObject()
  // Node gives an array when a certificate has several common names: nobody can say which one was meant.
  const commonName: unknown = subject.CN
  return typeof commonName === 'string' ? { version, commonName, altNames } : { version, altNames }
}

/**
 * Splits Node's text form of subject alternative names, 'DNS:a.example, URI:urn:x, email:y@example'. A name with characters
 * that could fake a separator stands in JSON quotes there. IP addresses keep their form 'IP Address:127.0.0.1'.
 */
export function parseAltNames(text: string): string[] {
  const names: string[] = []
  const entry = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/gy
  let end = 0
  for (let match = entry.exec(text); match !== null && entry.lastIndex > end; match = entry.exec(text)) {
    end = entry.lastIndex
    const [, kind = '', value = ''] = match
    names.push(`${kind}:${value.startsWith('"') ? (JSON.parse(value) as string) : value}`)
  }
  return end === text.length ? names : []
}
