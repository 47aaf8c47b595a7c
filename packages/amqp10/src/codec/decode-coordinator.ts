/** What is sent to a coordinator of transactions: one amqp-value section with a command. [AMQP10 §4.5.2, §4.5.3] */
import { behindDescriptor, describedCode, Descriptor } from './descriptors.ts'
import { malformed } from './faults.ts'
import { Fields } from './fields.ts'
import { checkValue } from './structure.ts'

export type CoordinatorCommand =
  | { readonly kind: 'declare'; readonly hasGlobalId: boolean }
  | { readonly kind: 'discharge'; readonly transactionId: Uint8Array; readonly fail: boolean }

const WHAT = 'message to the coordinator'

/** `bytes[start, end)` is the payload of the message. */
export function decodeCoordinatorCommand(bytes: Uint8Array, start: number, end: number): CoordinatorCommand {
  const at = bodyAt(bytes, start, end)
  const code = describedCode(bytes, at, end)
  if (code === Descriptor.declare) {
    const declare = new Fields(bytes, behindDescriptor(bytes, at), 'declare', 1)
    return { kind: 'declare', hasGlobalId: declare.next() >= 0 }
  }
  if (code !== Descriptor.discharge) throw malformed(WHAT, 'expected declare or discharge')
  const discharge = new Fields(bytes, behindDescriptor(bytes, at), 'discharge', 2)
  const transactionId = discharge.required(discharge.binary('txn-id'), 'txn-id')
  return { kind: 'discharge', transactionId, fail: discharge.boolean('fail') ?? false }
}

/** Offset of the value within the amqp-value section. Sections before and behind it say nothing to a coordinator. */
function bodyAt(bytes: Uint8Array, start: number, end: number): number {
  let body = -1
  for (let at = start; at < end;) {
    const code = describedCode(bytes, at, end)
    const next = checkValue(bytes, at, end, WHAT)
    if (code === Descriptor.amqpValue && body < 0) body = behindDescriptor(bytes, at)
    else if (code < Descriptor.header || code > Descriptor.footer || isBody(code))
      throw malformed(WHAT, 'expected one amqp-value section')
    at = next
  }
  if (body < 0) throw malformed(WHAT, 'expected one amqp-value section')
  return body
}

function isBody(code: number): boolean {
  return code >= Descriptor.data && code <= Descriptor.amqpValue
}
