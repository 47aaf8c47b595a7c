/** `ternmq console`: the pages of the console from this machine, for a broker elsewhere. */
import { isLoopback, settingProblems } from '@ternmq/config'
import { PAGES_DIR } from '@ternmq/console'
import { type ProxySettings, RemoteConsole, type RemoteConsoleOptions } from '@ternmq/console/remote'
import type { Clock } from '@ternmq/core'
import {
  type CertificateFiles,
  readCertificate,
  realEnv,
  type ServerCertificate,
  watchCertificate,
} from '@ternmq/transport'

import { BROKER_OPTIONS, command, type Input, type Noun } from '../cli/command.ts'
import { addressOf, lossText, readCa, urlOf, warnOfPlain } from '../cli/connection.ts'
import { printLines } from '../cli/output.ts'
import { wholeNumber } from '../cli/parse.ts'
import { safeText } from '../cli/text.ts'
import { complain, type ConsoleIo } from '../process/console-io.ts'
import { BrokerError, messageOf, systemCode, UsageError } from '../errors.ts'
import { untilEndSignal } from '../process/signals.ts'
import { VERSION } from '../version.ts'
import { webAddress } from '../listeners/web-address.ts'

const SUMMARY = 'the pages of the console from this machine, for a broker elsewhere'
const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 8161
const PORT_MAX = 65_535
const TLS_VERSION = 'TLSv1.2'

const OPTIONS = {
  url: {
    ...BROKER_OPTIONS.url,
    summary: 'the broker, http(s)://HOST:PORT as its console, where no URL is given; else TERNMQ_URL',
  },
  ca: BROKER_OPTIONS.ca,
  host: {
    type: 'string',
    value: 'HOST',
    summary: `address to listen on; ${DEFAULT_HOST}, for this machine only, when left out`,
  },
  port: {
    type: 'string',
    value: 'PORT',
    summary: `port to listen on, 0 for one of the system's choice; ${DEFAULT_PORT} when left out`,
  },
  'tls-cert': {
    type: 'string',
    value: 'FILE',
    summary: 'serve HTTPS with this certificate and its chain, PEM; read anew when it changes',
  },
  'tls-key': { type: 'string', value: 'FILE', summary: 'private key of --tls-cert, PEM' },
  'base-path': {
    type: 'string',
    value: 'PATH',
    summary: 'path below which a proxy in front serves it, as console.basePath of a broker: /ternmq/',
  },
  origins: {
    type: 'string',
    multiple: true,
    value: 'ORIGIN',
    summary: 'where browsers see it behind a proxy, as console.origins: https://ops.example.com; may be repeated',
  },
  'trusted-proxies': {
    type: 'string',
    multiple: true,
    value: 'ADDRESS',
    summary: 'proxy that says where a call comes from, or a network, as console.trustedProxies; may be repeated',
  },
} as const

export const consoleAlone: Noun = {
  name: 'console',
  summary: SUMMARY,
  commands: [
    command({
      verb: '',
      args: '[URL]',
      summary: SUMMARY,
      detail: `Until SIGTERM or SIGINT (Ctrl-C). It serves the pages and hands calls below /api/v1, /health and /metrics on to the broker, which decides
about them: everybody logs in himself, and nothing of the broker is kept here. URL may have a path: https://ops.example.com/ternmq`,
      options: OPTIONS,
      asks: 'nothing',
      run: serveUntilSignal,
    }),
  ],
}

type Given = Input<typeof OPTIONS, '[URL]'>

async function serveUntilSignal({ args: [given], values, io }: Given): Promise<number> {
  if (given !== undefined && values.url !== undefined)
    throw new UsageError('the broker is given twice, as URL and with --url')
  const url = given ?? urlOf({ values: { url: values.url }, io })
  if (url === undefined) throw new UsageError('`console` needs the address of a broker: URL, --url or TERNMQ_URL')
  const address = addressOf(url)
  const port = wholeNumber('port', values.port, 0) ?? DEFAULT_PORT
  if (port > PORT_MAX) throw new UsageError(`--port is ${port}; it is at most ${PORT_MAX}`)
  const { host = DEFAULT_HOST, ca, 'base-path': basePath = '' } = values
  const settings = proxySettingsOf(values)
  const files = filesOf(values)
  const { clock } = realEnv()
  const certificate = files === undefined ? undefined : await readCertificate(files)
  const tls = certificate === undefined ? undefined : ({ ...certificate, minVersion: TLS_VERSION } as const)
  const server = new RemoteConsole({
    broker: { url, ca: ca === undefined ? undefined : readCa(ca) },
    pagesDir: PAGES_DIR,
    version: VERSION,
    tls,
    settings,
    clock,
    ...tellers(url, io),
  })
  const signalled = untilEndSignal(() => {}) // certificates are read anew by themselves
  warnOfPlain(address, io)
  if (tls === undefined && !isLoopback(host))
    complain(io, [`warning: whoever logs in at ${host} sends the password unencrypted; give --tls-cert and --tls-key`])
  const bound = await listen(server, host, port)
  const unwatch =
    files === undefined || certificate === undefined ? () => {} : watch(server, files, certificate, clock, io)
  try {
    printLines(io, [
      `console at ${webAddress(tls !== undefined, bound.host, bound.port)}${basePath} for the broker at ${safeText(url)}`,
    ])
    void server.look() // tells what it finds
    await signalled
    return 0
  } finally {
    unwatch()
    await server.close()
  }
}

function filesOf(values: Given['values']): CertificateFiles | undefined {
  const certFile = values['tls-cert']
  const keyFile = values['tls-key']
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined)
    throw new UsageError('--tls-cert and --tls-key belong together: give both, or neither')
  return { certFile, keyFile }
}

/** As a broker takes them in its configuration. Throws UsageError. */
function proxySettingsOf(values: Given['values']): ProxySettings {
  const { 'base-path': basePath = '/', origins = [], 'trusted-proxies': trustedProxies = [] } = values
  const problems = [
    ...settingProblems('console.basePath', basePath),
    ...settingProblems('console.origins', origins),
    ...settingProblems('console.trustedProxies', trustedProxies),
  ]
  if (problems.length > 0) throw new UsageError(problems.map((text) => text.replace(/^[\w.]+: /, '')).join('; '))
  return { basePath: basePath.slice(0, -1), origins, trustedProxies }
}

/** What happens while it runs, for whoever looks at the terminal. */
function tellers(url: string, io: ConsoleIo): Pick<RemoteConsoleOptions, 'lossText' | 'onLoss' | 'onFailure'> {
  return {
    lossText: (error) => lossText(url, error),
    onLoss: (text) => complain(io, [text ?? `the broker at ${url} answers`]),
    onFailure: (error) => complain(io, [`a call failed: ${messageOf(error)}`]),
  }
}

async function listen(
  server: RemoteConsole,
  host: string,
  port: number,
): Promise<{ readonly host: string; readonly port: number }> {
  try {
    return await server.listen({ host, port })
  } catch (cause) {
    const why = systemCode(cause) === 'EADDRINUSE' ? 'the port is in use; choose another with --port' : messageOf(cause)
    throw new BrokerError('CONSOLE_PORT_FAILED', `the console cannot listen on ${host}:${port}: ${why}`, { cause })
  }
}

function watch(
  server: RemoteConsole,
  files: CertificateFiles,
  certificate: ServerCertificate,
  clock: Clock,
  io: ConsoleIo,
): () => void {
  return watchCertificate(files, certificate, {
    clock,
    onChange: (changed) => server.useCertificate({ ...changed, minVersion: TLS_VERSION }),
    onBroken: (text) => complain(io, [`keeps its certificate: ${text}`]),
    onMended: () => complain(io, ['the files of its certificate are good again']),
  })
}
