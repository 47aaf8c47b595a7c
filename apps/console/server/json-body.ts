/** Reads a body. What cannot be read is told by what it is: never repeated, for it may have a password in it. */
import { ApiError } from '@ternmq/management'
import type { FastifyRequest } from 'fastify'

const UTF8 = new TextDecoder('utf-8', { fatal: true })

export function parseJson(_: FastifyRequest, bytes: Buffer, done: (error: Error | null, body?: unknown) => void): void {
  try {
    done(null, bytes.length === 0 ? undefined : parse(bytes))
  } catch (error) {
    done(error as ApiError)
  }
}

function parse(bytes: Buffer): unknown {
  let text: string
  try {
    text = UTF8.decode(bytes)
  } catch (cause) {
    throw bad('the body is not UTF-8', cause)
  }
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw bad('the body is not JSON', cause)
  }
  // Only texts that have the name in some spelling are looked through.
  if (/__proto__|\\u00/i.test(text)) refuseProto(body)
  return body
}

/** `__proto__` is no name for anything here: in objects that are merged or copied it would become their prototype. */
function refuseProto(body: unknown): void {
  const left: unknown[] = [body]
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (typeof part !== 'object' || part === null) continue
    if (Object.hasOwn(part, '__proto__')) {
      throw new ApiError('INVALID', 'the body has a field __proto__; leave it out', {
        field: '__proto__',
        rule: 'no field of this name',
      })
    }
    for (const value of Object.values(part)) left.push(value)
  }
}

function bad(detail: string, cause: unknown): ApiError {
  const error = new ApiError('INVALID', detail, { field: 'body', rule: 'JSON in UTF-8' })
  error.cause = cause
  return error
}
