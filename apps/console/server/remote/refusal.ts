/** Refusals of the console itself, in the words of the API. */
import type { ServerResponse } from 'node:http'
import { PROBLEM_CONTENT_TYPE } from '@ternmq/api'
import { refusalOf } from '../problems.ts'

/** The connection goes when there is a body that nobody will read. */
export function answerProblem(
  response: ServerResponse,
  error: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  const { problem, headers: own } = refusalOf(error)
  response
    .writeHead(problem.status, {
      ...headers,
      ...own,
      'content-type': PROBLEM_CONTENT_TYPE,
      ...(!response.req.complete && { connection: 'close' }),
    })
    .end(JSON.stringify(problem))
}
