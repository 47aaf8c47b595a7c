/** The same call for a shell: every action of the console shows it. */
import type { Call, Route } from '@ternmq/api'
import { type CallInput, targetOf } from './api.ts'

/** In single quotes, as a POSIX shell takes any text. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** `origin` as `http://localhost:8161`, with the base path and without a slash at the end. The token comes from the environment. */
export function curlOf<C extends Call>(origin: string, route: Route<C>, input: CallInput<C>): string {
  const parts = ['curl --fail-with-body']
  if (route.method !== 'GET') parts.push(`-X ${route.method}`)
  parts.push('-H "authorization: Bearer $TERNMQ_TOKEN"')
  if (input.body !== undefined) {
    parts.push(`-H 'content-type: application/json'`, `-d ${shellQuote(JSON.stringify(input.body))}`)
  }
  parts.push(shellQuote(origin + targetOf(route, input)))
  return parts.join(' \\\n  ')
}
