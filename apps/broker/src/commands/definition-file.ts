/** Documents of definitions as files. */
import type { Definitions } from '@ternmq/api'
import { decodeText, readYaml, TextFault } from '@ternmq/config'
import { readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { type StdinInput, stdinOf } from '../cli/stdin.ts'
import { BrokerError, messageOf } from '../errors.ts'

/**
 * Whole or not at all: a disk that becomes full leaves the file that was there. Devices and pipes are written to as they are. Throws
 * BrokerError('FILE_UNWRITABLE').
 */
export function writeDocument(file: string, text: string): void {
  try {
    const found = statSync(file, { throwIfNoEntry: false })
    if (found === undefined || found.isFile()) replaceFile(found === undefined ? file : realpathSync(file), text)
    else writeFileSync(file, text)
  } catch (cause) {
    throw new BrokerError('FILE_UNWRITABLE', `cannot write ${file}: ${messageOf(cause)}`, { cause })
  }
}

function replaceFile(file: string, text: string): void {
  const next = `${file}.${process.pid}.next`
  try {
    writeFileSync(next, text, { mode: 0o600, flush: true })
    renameSync(next, file)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}

/** YAML or JSON; '-' is standard input. What it says is looked at by the broker. Rejects with BrokerError. */
export async function readDocument(file: string, input: StdinInput): Promise<Definitions> {
  const stdin = file === '-' ? stdinOf(input, 'the document') : undefined
  const name = file === '-' ? 'standard input' : file
  try {
    return readYaml(decodeText(stdin === undefined ? readFileSync(file) : await buffer(stdin))) as Definitions
  } catch (cause) {
    const text =
      cause instanceof TextFault
        ? `${name}:${cause.line}:${cause.column}: ${cause.reason}`
        : `cannot read ${name}: ${messageOf(cause)}`
    throw new BrokerError('FILE_UNREADABLE', text, { cause })
  }
}
