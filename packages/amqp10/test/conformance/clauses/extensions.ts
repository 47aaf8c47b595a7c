/**
 * What goes with AMQP 1.0 by specifications of its own, registered filters and the conventions that JMS clients rely on. Ids are ours, as
 * in part1.ts; where a text has no sections, a word stands for one.
 */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

/** AMQP WebSocket Binding 1.0, committee specification 01. */
const webSocket = readTable(
  'AMQPWSB',
  `
# WebSocket
§ 2.1 Opening a WebSocket connection
AMQPWSB-2.1-a     server must      The sub-protocol is 'amqp': a client that offers it gets it as the answer.
AMQPWSB-2.1-b     server must      The first bytes of either side are a protocol header of AMQP.
§ 2.3 Data transfer
AMQPWSB-2.3-a     both   must      AMQP is in binary messages; a text message ends the connection.
AMQPWSB-2.3-b     both   must      Bounds of WebSocket messages mean nothing: a frame may be in several, and several frames in one.
`,
)

/** Using the AMQP anonymous terminus for message routing 1.0. */
const anonymousRelay = readTable(
  'AMQPANON',
  `
# Anonymous terminus
§ 2.1 Establishing a link
AMQPANON-2.1-a    server must      A server with ANONYMOUS-RELAY among its offered capabilities takes a target without address.
§ 2.2 Sending a message
AMQPANON-2.2-a    server must      Each message goes to the node that its 'to' names, as on a link to that node.
AMQPANON-2.2-b    server must      The permissions of the node that 'to' names count.
§ 2.2.2 Routing errors
AMQPANON-2.2.2-a  server must      A message whose 'to' is no node is answered with rejected and the error that an attach would have had.
AMQPANON-2.2.2-b  server must      Where the link has no outcome rejected, or the message was settled, the link is detached with the error.
AMQPANON-2.2.2-c  server should    The info of the error has the delivery-tag of a settled message.
`,
)

/** Registered filters, and distribution modes as browsers use them. */
const filters = readTable(
  'AMQPFILTER',
  `
# Filters
§ Selector apache.org:selector-filter:string
AMQPFILTER-Selector-a   server must      A selector, by name or by 0x0000468C00000004, lets through what it is true for.
AMQPFILTER-Selector-b   server must      A selector that cannot be parsed refuses the link with invalid-field.
AMQPFILTER-Selector-c   server must      The answer has the selector that is in place.
§ NoLocal apache.org:no-local-filter:list
AMQPFILTER-NoLocal-a    server must      What the same connection has sent does not come, by name or by 0x0000468C00000003.
§ Bindings apache.org:legacy-amqp-topic-binding:string
AMQPFILTER-Bindings-a   server should    A topic binding, by name or by 0x0000468C00000001, is the pattern of the subscription.
§ Unknown Filters that are not known
AMQPFILTER-Unknown-a    server must      A filter that is not known is left out of the answer, and lets all messages through.
§ Browse Browsing
AMQPFILTER-Browse-a     server must      A browser with drain gets all there is, then the flow without credit.
`,
)

/** AMQP and the JMS mapping as Qpid JMS, Artemis and ActiveMQ have it. */
const jms = readTable(
  'AMQPJMS',
  `
# JMS mapping
§ Connection Connections
AMQPJMS-Connection-a    server must      With sole-connection-for-container wished for, a second connection of the container is refused with
  invalid-field.
AMQPJMS-Connection-b    server must      Open says queue-prefix and topic-prefix, and offers ANONYMOUS-RELAY, DELAYED_DELIVERY and SHARED-SUBS.
AMQPJMS-Connection-c    server must      An open that is refused has the property amqp:connection-establishment-failed, and close with the error.
§ Destinations Destinations
AMQPJMS-Destinations-a  server must      The capabilities queue, topic, temporary-queue and temporary-topic say what an address without prefix is.
AMQPJMS-Destinations-b  server must      A dynamic node with the capability temporary-queue or temporary-topic is of that kind, and goes with the link or
  the connection.
§ Subscriptions Subscriptions
AMQPJMS-Subscriptions-a server must      A durable subscription is a link of its name with a source that never expires; it goes on after detach.
AMQPJMS-Subscriptions-b server must      A detach with closed ends a durable subscription.
AMQPJMS-Subscriptions-c server must      An attach without source to the name of a durable subscription tells whether it is there, with its source.
AMQPJMS-Subscriptions-d server must      The capability shared makes a subscription that several links share; with global, over client ids.
§ Messages Messages
AMQPJMS-Messages-a      server must      x-opt-jms-msg-type, x-opt-jms-dest and x-opt-jms-reply-to go on untouched.
AMQPJMS-Messages-b      server must      Messages of other protocols come as text with an amqp-value string, or as bytes with data.
AMQPJMS-Messages-c      server must      x-opt-delivery-time and x-opt-delivery-delay hold a message back until then.
`,
)

export const extensions: readonly Clause[] = [...webSocket, ...anonymousRelay, ...filters, ...jms]
