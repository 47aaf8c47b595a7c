/** `ternmq resolve`: what an address means, by which rule, and how other protocols write it. */
import { resolveAddress, type ResolveAnswer, type ResolveQuery } from '@ternmq/api'
import { command, type Noun } from '../cli/command.ts'
import { configOf } from '../cli/configuration.ts'
import { type ConnectionInput, withConnection } from '../cli/connection.ts'
import { printJson, printLines } from '../cli/output.ts'
import { row } from '../cli/table.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'
import { BrokerUnreachable, UsageError } from '../errors.ts'

/** Those of packages/naming, and `amqp`, as the listener is called. */
export const PROTOCOLS = ['mqtt', 'stomp', 'amqp10', 'rest', 'amqp'] as const
export const PROFILES = ['activemq', 'artemis', 'rabbitmq'] as const
const KINDS = ['queue', 'topic', 'temp-queue', 'temp-topic'] as const

const SUMMARY = 'what an address means in a protocol, and how others write it'

export const resolve: Noun = {
  name: 'resolve',
  summary: SUMMARY,
  commands: [
    command({
      verb: '',
      args: 'ADDRESS',
      summary: SUMMARY,
      detail: `Asks a broker, which knows what exists; without one on the data directory it goes by the configuration. Ends with 1 when the
address is refused. An address that begins with '-' comes after '--'.`,
      json: 'document',
      options: {
        protocol: { type: 'string', choices: PROTOCOLS, summary: 'how the address is written' },
        profile: {
          type: 'string',
          choices: PROFILES,
          summary: 'whose clients the listener is for; when left out, as the first listener of the protocol is set',
        },
        send: { type: 'boolean', summary: 'as one sends to it; else as one receives from it, where wildcards count' },
        kind: { type: 'string', choices: KINDS, summary: 'what the client says beside the address' },
      },
      asks: 'broker',
      run: async (input) => {
        const { args, values, io } = input
        const { protocol, profile, kind } = values
        if (protocol === undefined) throw new UsageError(`--protocol is missing; it is one of ${PROTOCOLS.join(', ')}`)
        const query = {
          address: args[0],
          protocol,
          profile,
          purpose: values.send === true ? 'send' : 'receive',
          kind,
        } as const
        const [answer, isRunning] = await ask(query, input)
        if (values.json === true) printJson(io, answer)
        else printLines(io, linesOf(query, answer, isRunning))
        return answer.ok ? 0 : 1
      },
    }),
  ],
}

/** Of the broker, or without one; whether there is one. */
async function ask(query: ResolveQuery, input: ConnectionInput): Promise<[answer: ResolveAnswer, isRunning: boolean]> {
  try {
    const answer = await withConnection(input, ({ client }) => client.call(resolveAddress, { params: VHOST, query }))
    return [answer, true]
  } catch (error) {
    if (!(error instanceof BrokerUnreachable) || !error.isNobodyThere) throw error
    const { explainAddress } = await import('@ternmq/management')
    return [explainAddress(query, configOf(input), undefined), false]
  }
}

const PROTOCOL_TEXTS: Readonly<Record<string, string>> = {
  mqtt: 'MQTT',
  stomp: 'STOMP',
  amqp10: 'AMQP 1.0',
  'amqp10-rabbitmq': 'AMQP 1.0, RabbitMQ',
  rest: 'REST',
}

function linesOf(query: ResolveQuery, answer: ResolveAnswer, isRunning: boolean): string[] {
  const { address, protocol, purpose = 'receive' } = query
  const where = `${PROTOCOL_TEXTS[protocol === 'amqp' ? 'amqp10' : protocol] ?? protocol}, to ${purpose}`
  const { ok, means, rule, ruleText, exists, spellings, notes } = answer
  const lines = [row('address', `${safeText(address)}   (${where})`), row('rule', `${rule}: ${ruleText}`)]
  if (!ok) return [...lines, row('refused', safeText(means))]
  lines.push(row('means', safeText(means)), row('exists', existsText(exists, isRunning)), '')
  for (const { protocol: other, text } of spellings) {
    lines.push(row(PROTOCOL_TEXTS[other] ?? other, text === undefined ? '–' : safeText(text)))
  }
  return notes.length === 0 ? lines : [...lines, '', ...notes.map((note) => row('note', safeText(note)))]
}

function existsText(exists: boolean | undefined, isRunning: boolean): string {
  if (!isRunning) return 'unknown without a broker'
  if (exists === undefined) return 'not a question for one that is no single queue or topic'
  return exists ? 'yes' : 'no'
}
