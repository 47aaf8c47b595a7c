/** `ternmq resolve …`: what an address means, by which rule, and how other protocols write it. */
import { type BrokerConfig, type ListenerName, listenersOf, loadConfig } from '@ternmq/config'
import { QUEUE_PREFIX } from '@ternmq/core'
import {
  consumerOptionProblem,
  type Hint,
  hintsFor,
  type KindHint,
  kindText,
  type ParsedAddress,
  type Profile,
  PROFILES,
  type Protocol,
  PROTOCOLS,
  type Purpose,
  type Resolution,
  resolve as resolveAddress,
  type ResolveOptions,
  RULES,
  type Spellings,
  spellings,
  toCoreName,
} from '@ternmq/naming'

import type { AddressRequest } from '../address-admin.ts'
import { askBroker } from '../admin-socket.ts'
import { CONFIG_OPTIONS, CONFIG_OPTIONS_HELP, loadOptionsOf, parse } from '../arguments.ts'
import { complain, type ConsoleIo } from '../console-io.ts'
import { pathsOf } from '../data-dir.ts'
import { UsageError } from '../errors.ts'

const HELP = `Usage: ternmq resolve --protocol PROTOCOL ADDRESS [OPTION…]

Says what an address means in a protocol, by which rule, how every protocol writes it, and whether it exists; for that a
broker must run on the data directory. Ends with 1 when the address is refused. An address that begins with '-' comes after '--'.

  --protocol PROTOCOL    ${PROTOCOLS.join(', ')}
  --profile PROFILE      ${PROFILES.join(', ')}: whose clients the listener is for; when left out, as the first
                         listener of the protocol is set (listeners.NAME.profile)
  --send                 as one sends to it; else as one receives from it, where wildcards count
  --kind KIND            ${kinds().join(', ')}: what the client says beside the address
  --json                 as JSON
${CONFIG_OPTIONS_HELP}
`

const PROTOCOL_TEXTS: Readonly<Record<keyof Spellings, string>> = {
  mqtt: 'MQTT',
  stomp: 'STOMP',
  amqp10: 'AMQP 1.0',
  'amqp10-rabbitmq': 'AMQP 1.0, RabbitMQ',
  rest: 'REST',
}

/** Whose rules count, and where that is set. */
interface ProfileChoice {
  readonly profile: Profile
  readonly source: string
}

/** Undefined where no broker runs, or the address is not one name. */
type Existence = boolean | undefined

interface Explained {
  readonly resolution: Resolution
  readonly exists: Existence
  readonly isBrokerRunning: boolean
  readonly hints: readonly Hint[]
  readonly profileSource: string
  /** MQTT's `$delayed/SECONDS/TOPIC`: the topic is what is resolved. */
  readonly delaySeconds: number | undefined
}

export async function resolve(args: readonly string[], io: ConsoleIo): Promise<number> {
  const options = {
    ...CONFIG_OPTIONS,
    protocol: { type: 'string' },
    profile: { type: 'string' },
    send: { type: 'boolean' },
    kind: { type: 'string' },
    json: { type: 'boolean' },
  } as const
  const { values, positionals } = parse(args, options, 1)
  if (values.help === true) {
    io.stdout.write(HELP)
    return 0
  }
  const [text] = positionals
  if (text === undefined) throw new UsageError('which address?')
  // As the listener and its settings are called.
  const protocol = oneOf<Protocol>('protocol', values.protocol === 'amqp' ? 'amqp10' : values.protocol, PROTOCOLS)
  const kindHint = values.kind === undefined ? undefined : oneOf<KindHint>('kind', values.kind, kinds())
  const purpose: Purpose = values.send === true ? 'send' : 'receive'
  const loaded = loadConfig(loadOptionsOf(values, io))
  if (!loaded.ok) {
    complain(io, loaded.errors)
    return 1
  }
  const socket = pathsOf(loaded.config.dataDir).adminSocket
  const { profile, source } = profileFor(protocol, values.profile, loaded.config)
  const asked = { protocol, profile, kindHint, purpose }
  const [address, delaySeconds] = protocol === 'mqtt' && purpose === 'send' ? undelayed(text) : [text, undefined]
  const found = await explain(address, asked, (names) => askExistence(socket, names))
  const explained = { ...found, profileSource: source, delaySeconds }
  const lines =
    values.json === true ? [JSON.stringify(asJson(text, asked, explained), null, 2)] : asLines(text, asked, explained)
  for (const line of lines) io.stdout.write(`${line}\n`)
  return explained.resolution.ok ? 0 : 1
}

/** Of MQTT's listeners none has a profile, and REST has no listener yet. */
const LISTENERS: Readonly<Partial<Record<Protocol, readonly ListenerName[]>>> = {
  stomp: ['stomp', 'stomps', 'ws', 'wss', 'any'],
  amqp10: ['amqp', 'amqps', 'ws', 'wss', 'any'],
}

/** As asked for, else as the protocol's first listener that is open is set. */
function profileFor(protocol: Protocol, asked: string | undefined, config: BrokerConfig): ProfileChoice {
  if (asked !== undefined) return { profile: oneOf<Profile>('profile', asked, PROFILES), source: 'by --profile' }
  const open = listenersOf(config).filter(([name, { enabled }]) => enabled && LISTENERS[protocol]?.includes(name) === true)
  const [first] = open
  if (first === undefined) return { profile: 'activemq', source: 'by default' }
  const [name, { profile = 'activemq' }] = first
  const others = open.filter(([, other]) => other.profile !== profile).map(([other, its]) => `, listeners.${other} has ${its.profile ?? ''}`)
  return { profile, source: `of listeners.${name}${others.join('')}` }
}

/** The topic of `$delayed/SECONDS/TOPIC`, and the seconds. */
function undelayed(text: string): [topic: string, seconds: number | undefined] {
  const [, seconds, topic] = /^\$delayed\/([0-9]{1,7})\/(.+)$/s.exec(text) ?? []
  return topic === undefined ? [text, undefined] : [topic, Number(seconds)]
}

function kinds(): readonly KindHint[] {
  return ['queue', 'topic', 'temp-queue', 'temp-topic']
}

function oneOf<T extends string>(option: string, value: string | undefined, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value)
  if (found !== undefined) return found
  const list = allowed.join(', ')
  throw new UsageError(
    value === undefined
      ? `--${option} is missing; it is one of ${list}`
      : `there is no ${option} '${value}'; there are ${list}`,
  )
}

/** Which of the names exist; undefined when no broker runs. */
async function askExistence(socket: string, names: readonly string[]): Promise<readonly boolean[] | undefined> {
  const request = { op: 'address.exist', names } satisfies AddressRequest
  const answer = await askBroker(socket, request)
  return answer?.value as readonly boolean[] | undefined
}

/** Reads it twice where rules ask what exists: the first time to learn of which names. */
async function explain(
  text: string,
  options: ResolveOptions,
  ask: (names: readonly string[]) => Promise<readonly boolean[] | undefined>,
): Promise<Omit<Explained, 'profileSource' | 'delaySeconds'>> {
  const names: string[] = []
  const exists: ResolveOptions['exists'] = (kind, name) => {
    names.push(kind === 'queue' ? QUEUE_PREFIX + name : name)
    return false
  }
  const first = resolveAddress(text, { ...options, exists })
  const own = first.ok ? toCoreName(first.address) : undefined
  const wanted = [...new Set(own === undefined ? names : [...names, own])]
  const answers = await ask(wanted)
  const known = new Map(answers?.map((answer, index) => [wanted[index]!, answer]))
  const resolution = withKnownOptions(
    resolveAddress(text, {
      ...options,
      exists: (kind, name) => known.get(kind === 'queue' ? QUEUE_PREFIX + name : name) === true,
    }),
    text,
  )
  const meant = resolution.ok ? toCoreName(resolution.address) : undefined
  return {
    resolution,
    exists: meant === undefined ? undefined : known.get(meant),
    isBrokerRunning: answers !== undefined,
    hints: hintsFor(text, resolution, options),
  }
}

/** As a broker refuses a SUBSCRIBE with an option that it does not know. */
function withKnownOptions(resolution: Resolution, text: string): Resolution {
  if (!resolution.ok) return resolution
  for (const [name, value] of resolution.options) {
    const problem = consumerOptionProblem(name, value)
    if (problem !== undefined) return { ok: false, rule: resolution.rule, detail: { refusal: 'mismatch', subject: text, text: problem } }
  }
  return resolution
}

function asLines(
  text: string,
  { protocol, profile = 'activemq', purpose }: ResolveOptions,
  explained: Explained,
): string[] {
  const { resolution, hints, profileSource, delaySeconds } = explained
  const { rule: id } = resolution
  const rule = id === undefined ? 'none' : `${RULES[id].order} (${id}): ${RULES[id].sentence}`
  const where = `${PROTOCOL_TEXTS[protocol]}${protocol === 'mqtt' ? '' : `, profile ${profile} ${profileSource}`}, to ${purpose}`
  const lines = [row('address', `${text}   (${where})`)]
  if (!resolution.ok) return [...lines, row('rule', rule), row('refused', resolution.detail.text)]
  const { address, options, mustExist, notes } = resolution
  const means = kindText(address)
  lines.push(row('means', delaySeconds === undefined ? means : `${means}, ${delaySeconds} s after it was published`), row('rule', rule), row('exists', existsText(address, explained)))
  if (mustExist) lines.push(row('', 'it is not made by being used so'))
  for (const [name, value] of options) lines.push(row('option', `${name} = ${value}`))
  lines.push('')
  for (const [key, spelled] of Object.entries(spellings(address, profile))) {
    lines.push(row(PROTOCOL_TEXTS[key as keyof Spellings], spelled ?? '–'))
  }
  if (purpose === 'receive' && protocol === 'mqtt' && text.startsWith('$delayed/'))
    lines.push('', row('note', "only a PUBLISH is delayed by '$delayed/SECONDS/TOPIC': subscribe to TOPIC"))
  const remarks = [...notes.map((note) => row('note', note)), ...hints.map((hint) => row('hint', hint.text))]
  return remarks.length === 0 ? lines : [...lines, '', ...remarks]
}

/** So that values stand below one another. */
const NAME_WIDTH = 20

function row(name: string, value: string): string {
  return `${name.padEnd(NAME_WIDTH)}${value}`
}

function existsText(address: ParsedAddress, { exists, isBrokerRunning }: Explained): string {
  if (!isBrokerRunning) return 'unknown without a broker'
  if (exists !== undefined) return exists ? 'yes' : 'no'
  return address.kind === 'list' ? 'ask for each part' : 'not a question for one that is no single queue or topic'
}

function asJson(text: string, options: ResolveOptions, explained: Explained): object {
  const { resolution, exists, isBrokerRunning, hints, profileSource, delaySeconds } = explained
  const { protocol, profile = 'activemq', purpose, kindHint } = options
  const asked = { address: text, protocol, profile, profileSource, purpose, kind: kindHint }
  const rule =
    resolution.rule === undefined ? undefined : { id: resolution.rule, sentence: RULES[resolution.rule].sentence }
  if (!resolution.ok)
    return { asked, ok: false, rule, refusal: resolution.detail.refusal, text: resolution.detail.text }
  const { address, mustExist, notes } = resolution
  return {
    asked,
    ok: true,
    rule,
    kind: address.kind,
    means: kindText(address),
    core: toCoreName(address),
    ...(delaySeconds !== undefined && { delaySeconds }),
    exists: exists ?? null,
    isBrokerRunning,
    mustExist,
    options: resolution.options.map(([name, value]) => ({ name, value })),
    spellings: spellings(address, profile),
    notes,
    hints,
  }
}
