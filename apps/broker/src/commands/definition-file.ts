/** Documents of definitions as files. */
import type { Definitions } from '@ternmq/api'
import { readYaml } from '@ternmq/config'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { type StdinInput, stdinOf } from '../cli/stdin.ts'
import { BrokerError, messageOf } from '../errors.ts'

/** YAML or JSON; '-' is standard input. What it says is looked at by the broker. Rejects with BrokerError. */
export async function readDocument(file: string, input: StdinInput): Promise<Definitions> {
  const stdin = file === '-' ? stdinOf(input, 'the document') : undefined
  const name = file === '-' ? 'standard input' : file
  try {
    const document = readYaml(stdin === undefined ? readFileSync(file, 'utf8') : await text(stdin))
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as Definitions
  } catch (cause) {
    throw new BrokerError('FILE_UNREADABLE', `cannot read ${name}: ${messageOf(cause)}`, { cause })
  }
  throw new BrokerError(
    'FILE_UNREADABLE',
    `${name} is no document of definitions; \`ternmq definitions export\` writes one`,
  )
}
