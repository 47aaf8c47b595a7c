/** The `console` section: where the admin API and its pages are served, and for how long a login lasts. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { hostSetting, pathSetting, portSetting } from './address.ts'
import { isOrigin } from './origin.ts'
import { typed } from '../typed.ts'
import type { ConsoleConfig } from '../types.ts'

/** More proxies or names in front of one console are a mistake. */
const PROXIES_MAX = 64

const BASE_PATH = /^\/(?:(?!\.{1,2}\/)[A-Za-z0-9._~-]+\/)*$/

const schema = z
  .strictObject({
    enabled: z.boolean().default(true).meta({
      description:
        'Whether the admin API and the console are served. `ternmq` commands on this machine work without it.',
      reload: 'start',
    }),
    host: hostSetting(
      'Address to listen on. Other machines reach only an address that is not loopback; use `console.tls` there, or a proxy with TLS.',
    ),
    port: portSetting(8161),
    basePath: z
      .string()
      .max(256)
      .refine((text) => BASE_PATH.test(text))
      .default('/')
      .meta({
        description: 'Path below which a proxy in front serves the console.',
        allowed: 'a path that begins and ends with /, of letters, digits and . _ ~ -',
        reload: 'start',
      }),
    origins: z
      .array(
        z.string().refine(isWebOrigin).meta({
          allowed: 'an origin such as "https://ops.example.com", without path and default port, in lower case',
        }),
      )
      .max(PROXIES_MAX)
      .readonly()
      .default([])
      .meta({
        description: 'Origins at which browsers see the console, where a proxy in front gives it another one.',
        reload: 'start',
      }),
    trustedProxies: z
      .array(z.string().refine(isAddressOrNetwork).meta({ allowed: 'an IP address, or a network such as 10.0.0.0/8' }))
      .max(PROXIES_MAX)
      .readonly()
      .default([])
      .meta({
        description:
          'Addresses of proxies whose `x-forwarded-for` says where a call comes from. Of all others it is not believed.',
        reload: 'start',
      }),
    tls: z
      .strictObject({
        enabled: z.boolean().default(false).meta({ description: 'Whether it is served over HTTPS.', reload: 'start' }),
        cert: pathSetting(
          'PEM file with the certificate and its chain. Without it and `key` a development certificate is made in the data directory. Picked up again ' +
            'when the file changes.',
        ),
        key: pathSetting('PEM file with the private key of `cert`. Picked up again when the file changes.'),
        minVersion: z
          .enum(['TLSv1.2', 'TLSv1.3'])
          .default('TLSv1.2')
          .meta({ description: 'Oldest TLS version accepted.', reload: 'start' }),
      })
      .prefault({})
      .meta({ description: 'HTTPS.' }),
    anonymousMetrics: z
      .union([z.boolean(), z.literal('auto')])
      .default('auto')
      .meta({
        description:
          'Whether `/metrics` is answered without a login to calls from this machine for `localhost`. `auto`: where `console.host` is a loopback address.',
        allowed: 'true, false or auto',
        reload: 'start',
      }),
    maxConnectionsPerAddress: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(256)
      .meta({
        description:
          'Connections at once from one remote address (IPv6: one /64 network). Beyond it a new one takes the place of the oldest that nobody has ' +
          'logged in by, else of one without a call under way, or is closed. Raise it where a proxy in front has many users; there are 1,000 connections in any case.',
        reload: 'start',
      }),
    loginIdleMinutes: z.int().min(1).max(10_080).default(30).meta({
      description: 'Minutes without a call after which a browser has to log in again.',
      reload: 'live',
    }),
    loginMaxHours: z.int().min(1).max(8_760).default(12).meta({
      description: 'Hours after which a browser has to log in again in any case.',
      reload: 'live',
    }),
  })
  .prefault({})
  .meta({ description: 'The admin API over HTTP, and the web console.' })

export const consoleSchema: z.ZodType<ConsoleConfig> = typed<ConsoleConfig>()(schema)

function isWebOrigin(text: string): boolean {
  return /^https?:/.test(text) && isOrigin(text)
}

function isAddressOrNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}
