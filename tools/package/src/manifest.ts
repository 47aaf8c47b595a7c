/** The package.json of what people install. */
import { parse } from 'yaml'

interface BrokerManifest {
  readonly version: string
  readonly license: string
}

/** Versions of `imported` are those of the workspace's catalog. Throws for a package that is not in it. */
export function manifestOf(brokerManifest: string, workspace: string, imported: ReadonlySet<string>): object {
  const { version, license } = JSON.parse(brokerManifest) as BrokerManifest
  const { catalog } = parse(workspace) as { readonly catalog: Readonly<Record<string, string>> }
  const dependencies = [...imported].sort().map((name) => {
    const found = catalog[name]
    if (found === undefined)
      throw new Error(`the package would import '${name}', which is not in the catalog of pnpm-workspace.yaml`)
    return [name, found] as const
  })
  return {
    name: 'ternmq',
    version,
    description:
      'Message broker for MQTT, AMQP 1.0 and STOMP, over TCP, TLS and WebSocket, with an admin API and a web console',
    license,
    type: 'module',
    engines: { node: '>=22.18' },
    bin: { ternmq: './dist/cli.js' },
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './testing': { types: './dist/testing.d.ts', default: './dist/testing.js' },
      './package.json': './package.json',
    },
    files: ['dist', 'web'],
    dependencies: Object.fromEntries(dependencies),
    keywords: ['mqtt', 'amqp', 'stomp', 'broker', 'message-queue', 'websocket'],
  }
}
