/** The `listeners` section: where clients connect, how many may, and who they must be. */
import { z } from 'zod'
import { hostSetting, pathSetting, portSetting } from './address.ts'
import { isOrigin } from './origin.ts'
import { typed } from '../typed.ts'
import type { ListenersConfig } from '../types.ts'

const ORIGINS_MAX = 1_000

const schema = z
  .strictObject({
    mqtt: plain(1883).meta({ description: 'MQTT over TCP.' }),
    mqtts: withTls(8883).meta({ description: 'MQTT over TLS.' }),
    stomp: withAddresses(61_613).meta({ description: 'STOMP over TCP.' }),
    stomps: withAddressesAndTls(61_614).meta({ description: 'STOMP over TLS.' }),
    amqp: withAddresses(5672).meta({
      description: 'AMQP 1.0 over TCP. Clients of AMQP 0-9-1 are told apart and refused.',
    }),
    amqps: withAddressesAndTls(5671).meta({ description: 'AMQP 1.0 over TLS.' }),
    ws: withFrames(8083).meta({
      description: 'WebSocket, on any path. The sub-protocol chooses the protocol; without one the first bytes do.',
    }),
    wss: withFramesAndTls(8084).meta({ description: 'WebSocket over TLS, on any path; else as `listeners.ws`.' }),
    any: anyProtocol(61_616).meta({
      description:
        'One port for every protocol, with TLS and without: the first bytes tell. OpenWire (the protocol of ActiveMQ clients) is told ' +
        'apart and refused, WebSocket clients are told their port.',
    }),
  })
  .prefault({})
  .meta({ description: 'Addresses that clients connect to.' })

export const listenersSchema: z.ZodType<ListenersConfig> = typed<ListenersConfig>()(schema)

// The return types below are what zod infers: spelling them out would only repeat the bodies.

function plain(port: number) {
  return z.strictObject(basicKeys(port)).prefault({})
}

function withTls(port: number) {
  return z.strictObject({ ...basicKeys(port), tls: tlsSection() }).prefault({})
}

function withAddresses(port: number) {
  return z.strictObject({ ...basicKeys(port), ...addressKeys() }).prefault({})
}

function withAddressesAndTls(port: number) {
  return z.strictObject({ ...basicKeys(port), ...addressKeys(), tls: tlsSection() }).prefault({})
}

function withFrames(port: number) {
  return z.strictObject({ ...basicKeys(port), ...addressKeys(), ...frameKeys() }).prefault({})
}

function withFramesAndTls(port: number) {
  return z.strictObject({ ...basicKeys(port), ...addressKeys(), ...frameKeys(), tls: tlsSection() }).prefault({})
}

function anyProtocol(port: number) {
  const encryption = z
    .enum(['optional', 'required', 'none'])
    .default('optional')
    .meta({
      description:
        'Whether connections use TLS. `optional`: as the client likes. `required`: a client without TLS is refused. `none`: one with ' +
        'TLS is refused, and no certificate is needed.',
      reload: 'start',
    })
  return z.strictObject({ ...basicKeys(port, false), ...addressKeys(), encryption, tls: tlsSection() }).prefault({})
}

function basicKeys(port: number, isEnabled = true) {
  return {
    enabled: z.boolean().default(isEnabled).meta({ description: 'Whether this listener is opened.', reload: 'start' }),
    host: hostSetting(
      'Address to listen on. Other machines reach only an address that is not loopback (`0.0.0.0` and `::` are all of ' +
        'them), and such a listener needs authentication: users, client certificates or `authentication.anonymous: true`.',
    ),
    port: portSetting(port),
    maxConnections: z.int().min(1).max(10_000_000).default(100_000).meta({
      description: 'Connections at once. Beyond it a new one is closed at once, and counted.',
      reload: 'connection',
    }),
    maxConnectionsPerAddress: z.int().min(1).max(10_000_000).default(20_000).meta({
      description:
        'Connections at once from one remote address (IPv6: one /64 network). Beyond it a new one is closed at once, and counted.',
      reload: 'connection',
    }),
    handshakeTimeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(10_000)
      .meta({
        description:
          'Time in ms for the first bytes that tell the protocol, for the TLS handshake, for the WebSocket upgrade and for CONNECT (AMQP: until `open`), each. ' +
          'Then the connection is closed, and counted.',
        reload: 'connection',
      }),
    authentication: z
      .strictObject({
        anonymous: z
          .union([z.boolean(), z.literal('auto')])
          .default('auto')
          .meta({
            description:
              'Whether clients without user name and password are let in. `auto`: on a loopback address only.',
            reload: 'connection',
          }),
      })
      .prefault({})
      .meta({ description: 'Who may connect here.' }),
  }
}

function addressKeys() {
  return {
    profile: z
      .enum(['activemq', 'artemis', 'rabbitmq'])
      .default('activemq')
      .meta({
        description:
          'Whose clients connect here over STOMP and AMQP: how they write addresses (docs/interop/addresses.md). STOMP: whether NACK makes a dead ' +
          'letter (`activemq`, `artemis`) or returns the message to its queue (`rabbitmq`); a NACK with `requeue` says so itself. AMQP: whether ' +
          'a message that nobody wanted is accepted (`activemq`, `artemis`) or released (`rabbitmq`).',
        reload: 'connection',
      }),
  }
}

function frameKeys() {
  return {
    allowedOrigins: allowedOrigins(),
    maxMessageBytes: z
      .int()
      .min(0)
      .max(1_073_741_824)
      .default(0)
      .meta({
        description:
          'Largest WebSocket message in bytes, which may hold several packets. Beyond it the connection is closed with 1009. 0: the ' +
          'largest packet of any protocol here, and 64 KiB.',
        reload: 'connection',
      }),
    pingIntervalMs: z
      .int()
      .min(1_000)
      .max(3_600_000)
      .default(30_000)
      .meta({
        description:
          'Time in ms between pings. A client that answers none of two and sends nothing else is disconnected. Home routers forget a ' +
          'quiet connection after a minute.',
        reload: 'live',
      }),
  }
}

function allowedOrigins() {
  return (
    z
      .array(
        z.string().refine(isOriginRule).meta({
          allowed:
            '"*", "loopback" or an origin such as "https://app.example.com", without path and default port, in lower case',
        }),
      )
      .max(ORIGINS_MAX)
      .readonly()
      // Any page in the browser of somebody on this machine could otherwise talk to a broker that trusts this machine.
      .default(['loopback'])
      .meta({
        description:
          'Web origins whose pages may connect; others are answered 403. `loopback` is every page of this machine ' +
          '(`http://localhost:3000`), `*` is every page. Clients that send no Origin header are no browsers and always allowed.',
        reload: 'connection',
      })
  )
}

function tlsSection() {
  return z
    .strictObject({
      cert: pathSetting(
        'PEM file with the server certificate and its chain. Without it and `key` a development certificate is made in ' +
          'the data directory. Picked up again when the file changes.',
      ),
      key: pathSetting('PEM file with the private key of `cert`. Picked up again when the file changes.'),
      ca: pathSetting(
        'PEM file with the authorities that sign client certificates. Picked up again when the file changes.',
      ),
      clientCertificate: z
        .enum(['none', 'request', 'require'])
        .default('none')
        .meta({
          description:
            'Whether clients are asked for a certificate. `request` also lets in clients without one; `require` does not. ' +
            'Both need `ca`.',
          reload: 'connection',
        }),
      identity: z
        .enum(['none', 'cn', 'san-dns', 'san-email', 'san-uri'])
        .default('none')
        .meta({
          description:
            'Part of a verified client certificate that is the user name: subject common name, or a subject alternative ' +
            'name. `none`: the certificate names nobody, and the client logs in as it would without.',
          reload: 'connection',
        }),
      identityMustBeUser: z
        .boolean()
        .default(true)
        .meta({
          description:
            'Whether the name in the certificate must be that of a user (`ternmq users add NAME`). With `false` everyone whom ' +
            '`ca` vouches for is let in under that name.',
          reload: 'connection',
        }),
      minVersion: z
        .enum(['TLSv1.2', 'TLSv1.3'])
        .default('TLSv1.2')
        .meta({ description: 'Oldest TLS version accepted.', reload: 'connection' }),
    })
    .prefault({})
    .meta({ description: 'Certificates and TLS versions.' })
}

function isOriginRule(text: string): boolean {
  return text === '*' || text === 'loopback' || text === 'null' || isOrigin(text)
}
