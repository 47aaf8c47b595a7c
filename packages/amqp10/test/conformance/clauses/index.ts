/** The requirement lists of AMQP 1.0 and what goes with it. Tests claim a requirement by its id, in brackets, in their title. */
import type { Clause } from '@ternmq/testkit/clauses'

import { extensions } from './extensions.ts'
import { part1 } from './part1.ts'
import { part2Connections } from './part2-connections.ts'
import { part2Links } from './part2-links.ts'
import { part2Performatives } from './part2-performatives.ts'
import { part3 } from './part3.ts'
import { part4, part5 } from './part4-5.ts'

export interface Specification {
  /** File name of its coverage page, without ending. */
  readonly name: string
  readonly title: string
  /** Edition the list was taken from, and how its ids are made. */
  readonly source: string
  readonly clauses: readonly Clause[]
}

export const specifications: readonly Specification[] = [
  {
    name: 'amqp10',
    title: 'AMQP 1.0',
    source:
      'OASIS Advanced Message Queuing Protocol (AMQP) Version 1.0, parts 1 to 5, 29 October 2012. It numbers sections, not sentences: an id is the section and a letter, and is ours.',
    clauses: [...part1, ...part2Connections, ...part2Links, ...part2Performatives, ...part3, ...part4, ...part5],
  },
  {
    name: 'amqp10-extensions',
    title: 'AMQP 1.0: WebSocket, anonymous terminus, filters and the JMS mapping',
    source:
      'AMQP WebSocket Binding 1.0; Using the AMQP Anonymous Terminus for Message Routing 1.0; registered filters; the JMS mapping as Qpid JMS, Artemis and ActiveMQ have it. Ids are ours.',
    clauses: extensions,
  },
]
