/** What part 2 of AMQP 1.0 asks of a broker: links and how messages are transferred on them. How ids are made: part1.ts. */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const part2Links: readonly Clause[] = readTable(
  'AMQP10',
  `
# 2.6 Links
§ 2.6.1 Naming A Link
AMQP10-2.6.1-a   both   must      A link is known by its name, its direction and the two containers.
AMQP10-2.6.1-b   server must      A link that is attached elsewhere is taken over: the second attach stands, the first link is detached with
  stolen.
  deviates: within a connection only; several connections with one container-id are several clients here
AMQP10-2.6.1-c   both   must      Links of the same name in both directions are two links.
§ 2.6.2 Link Handles
AMQP10-2.6.2-a   both   must      Either side chooses the handle of its own end; it stands for the link until detach.
AMQP10-2.6.2-b   server should    The lowest free handle is taken.
§ 2.6.3 Establishing Or Resuming A Link
AMQP10-2.6.3-a   server must      An attach is answered with an attach of the other role, with the same name, and with source and target.
AMQP10-2.6.3-b   server must      Where no terminus is made, the attach has none, and detach follows at once.
AMQP10-2.6.3-c   server must      A terminus that is there already is found again, and takes what the attach says anew.
§ 2.6.4 Detaching And Reattaching A Link
AMQP10-2.6.4-a   both   must      Who lets a handle go sends detach.
AMQP10-2.6.4-b   server must      Detach is answered with detach; what was unsettled may still be settled by disposition.
§ 2.6.5 Link Errors
AMQP10-2.6.5-a   server must      An error at a link detaches it with the error, and ends it.
AMQP10-2.6.5-b   server must      Input for a link that has ended with an error, other than detach, ends the session with errant-link.
  deviates: it is dropped until the detach of the peer, which could not know when it sent it
AMQP10-2.6.5-c   server must      An attach sent before the detach was seen ends the session with errant-link, unless its unsettled says resume.
  deviates: it is a new link
§ 2.6.6 Closing A Link
AMQP10-2.6.6-a   both   must      A detach with closed is answered with one, and both ends are gone.
AMQP10-2.6.6-b   both   must      Who has sent a detach without closed and gets one with it attaches again, and closes.
§ 2.6.7 Flow Control
AMQP10-2.6.7-a   both   must      The delivery-count of the sender starts as its attach says, and goes up with every message.
AMQP10-2.6.7-b   server must      The credit of the sender is delivery-count plus link-credit of the receiver, less its own delivery-count.
AMQP10-2.6.7-c   server must      Where the receiver knows no delivery-count, the initial one of the sender stands for it.
AMQP10-2.6.7-d   server must      Credit goes down as delivery-count goes up.
AMQP10-2.6.7-e   both   must-not  Without credit no message is sent.
AMQP10-2.6.7-f   server must      With drain and nothing left to send, delivery-count goes up until credit is 0, and flow says so.
AMQP10-2.6.7-g   server must      With drain, all that is there is sent first.
AMQP10-2.6.7-h   server must      Messages beyond the credit given are taken, or the link is detached with transfer-limit-exceeded.
AMQP10-2.6.7-i   both   must      delivery-count is a serial number: after 2^32-1 comes 0.
AMQP10-2.6.7-j   server should    available says how many messages wait for credit.
§ 2.6.8 Synchronous Get
AMQP10-2.6.8-a   server must      A get with a time-out is credit, then drain: a message comes, or a flow without credit.
§ 2.6.9 Asynchronous Notification
AMQP10-2.6.9-a   server must      Credit that is topped up before it has run out keeps messages coming.
§ 2.6.10 Stopping The Transfers On A Link
AMQP10-2.6.10-a  server must      After a flow with link-credit 0 and echo, the answer says that nothing more comes.
§ 2.6.11 Messages
AMQP10-2.6.11-a  server must      The message-format of a delivery goes with it; 0 is the format of part 3.
§ 2.6.12 Transferring A Message
AMQP10-2.6.12-a  both   must      Each delivery has a tag that no other unsettled delivery of its link has.
AMQP10-2.6.12-b  both   must      Each delivery of a session has an id, one above the last, that dispositions name.
AMQP10-2.6.12-c  server must      A delivery that was sent settled gets no disposition.
AMQP10-2.6.12-d  server must      A delivery that was sent unsettled gets a disposition with its state.
AMQP10-2.6.12-e  both   must-not  A terminal state of a delivery does not change any more.
AMQP10-2.6.12-f  server must      A delivery is settled once, and forgotten; what comes for it afterwards changes nothing.
AMQP10-2.6.12-g  server must      Where a link ends with unsettled deliveries, the messages are there for others.
§ 2.6.13 Resuming Deliveries
AMQP10-2.6.13-a  server must      The attach that resumes a link says in unsettled what this side has of each delivery.
AMQP10-2.6.13-b  server must      A delivery that only the receiver has is settled there as the sender's missing entry says.
AMQP10-2.6.13-c  server must      A delivery that only the sender has was not taken, and is sent again.
§ 2.6.14 Transferring Large Messages
AMQP10-2.6.14-a  both   must      A message beyond a frame goes in several transfers; all but the last have more.
AMQP10-2.6.14-b  both   must-not  Transfers of two messages of one link do not mingle.
AMQP10-2.6.14-c  both   must      Transfers of messages of several links may mingle.
AMQP10-2.6.14-d  both   must      An aborted transfer drops all that came of its message.
`,
)
