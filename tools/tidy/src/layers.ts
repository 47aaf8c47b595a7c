/**
 * The arrow rule: apps → adapters → core → the interfaces of store; support packages beside the adapters.
 * This table is the rule. Another package needs a line here, and a reason in docs/adr when it changes an arrow.
 */

/** Wire protocols. They never import one another: what two of them need belongs to core or testkit. */
export const ADAPTERS: readonly string[] = ['mqtt', 'amqp10', 'amqp091', 'stomp']

export interface Layer {
  /** Workspace packages its sources may import. */
  readonly imports: readonly string[]
  /** Those of them of which only types may be imported. */
  readonly typesOnly?: readonly string[]
  /** Neither Node's modules nor packages from npm: everything comes in through interfaces. */
  readonly closed?: boolean
  /** Packages from npm are not allowed, Node's modules are. */
  readonly noPackages?: boolean
  /** Time, timers and chance come through Env only. */
  readonly throughEnv?: boolean
}

export const LAYERS: Readonly<Record<string, Layer>> = {
  store: { imports: [], noPackages: true, throughEnv: true },
  core: { imports: ['store'], typesOnly: ['store'], closed: true, throughEnv: true },
  naming: { imports: ['core'], closed: true, throughEnv: true },
  transport: { imports: ['core'] },
  websocket: { imports: ['core', 'transport'] },
  auth: { imports: ['core', 'store'], typesOnly: ['store'] },
  config: { imports: ['core'] },
  api: { imports: ['config'] },
  metrics: { imports: [], closed: true, throughEnv: true },
  tracing: { imports: ['core'], throughEnv: true },
  management: { imports: ['api', 'auth', 'config', 'core', 'metrics', 'naming', 'store'], typesOnly: ['store'], throughEnv: true },
  testkit: { imports: ['core', 'store', 'transport'] },
  ...Object.fromEntries(ADAPTERS.map((name) => [name, { imports: ['core', 'naming'] }])),
}

/** What the tests of a package may import besides what its sources may. */
export const TEST_IMPORTS: readonly string[] = ['testkit', 'store', 'transport', 'websocket', 'auth']
