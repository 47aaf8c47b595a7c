/** What part 2 of AMQP 1.0 asks of a broker: fields of performatives, and definitions. How ids are made: part1.ts. */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const part2Performatives: readonly Clause[] = readTable(
  'AMQP10',
  `
# 2.7 Performatives
§ 2.7.1 Open
AMQP10-2.7.1-a   both   must      Open has a container-id.
AMQP10-2.7.1-b   server should    Without a hostname the default host is taken.
AMQP10-2.7.1-c   both   must-not  No frame is larger than the max-frame-size of its receiver.
AMQP10-2.7.1-d   server must      A frame beyond our max-frame-size is answered with close, framing-error.
AMQP10-2.7.1-e   both   must      Frames of up to 512 octets are always taken: max-frame-size is not below it.
AMQP10-2.7.1-f   both   must-not  No channel is above the channel-max of the receiver.
AMQP10-2.7.1-g   server must      A channel above our channel-max is answered with close, framing-error.
AMQP10-2.7.1-h   both   must      An idle-time-out of 0 means none.
AMQP10-2.7.1-i   both   must-not  Capabilities are used where both sides have named them only.
AMQP10-2.7.1-j   server should    Locales: texts are in en-US where no other is agreed.
§ 2.7.2 Begin
AMQP10-2.7.2-a   both   must      Begin has next-outgoing-id, incoming-window and outgoing-window.
AMQP10-2.7.2-b   both   must-not  No handle is above the handle-max of the receiver.
AMQP10-2.7.2-c   server must      A handle above our handle-max is answered with close, framing-error.
§ 2.7.3 Attach
AMQP10-2.7.3-a   both   must      Attach has name, handle and role.
AMQP10-2.7.3-b   both   must-not  A handle that is in use is not taken for another link.
AMQP10-2.7.3-c   server must      An attach with a handle in use is answered with close, handle-in-use.
AMQP10-2.7.3-d   server should    The settle mode that the peer wishes for our end is taken.
AMQP10-2.7.3-e   both   must      The settle modes default to mixed and first.
AMQP10-2.7.3-f   both   must      initial-delivery-count is given by a sender, and ignored from a receiver.
AMQP10-2.7.3-g   server must      A message beyond our max-message-size detaches the link with message-size-exceeded.
AMQP10-2.7.3-h   server must-not  No message beyond the max-message-size of the receiver is sent to it; 0 means no limit.
AMQP10-2.7.3-i   both   must-not  The map unsettled has no null among its keys.
AMQP10-2.7.3-j   client must      A receiver whose unsettled was incomplete detaches with an error when anything new is sent to it.
  why: this broker says all that it has: it keeps no deliveries of links that were detached.
AMQP10-2.7.3-k   server must      To a receiver whose unsettled is incomplete no new delivery is sent.
AMQP10-2.7.3-l   server must      A link without source or target transfers no message.
§ 2.7.4 Flow
AMQP10-2.7.4-a   both   must      Flow has incoming-window, next-outgoing-id and outgoing-window.
AMQP10-2.7.4-b   both   must      next-incoming-id is set when the begin of the peer was seen, and only then.
AMQP10-2.7.4-c   server must      A flow for a handle without a link ends the session with unattached-handle.
AMQP10-2.7.4-d   both   must-not  Without handle, the fields of a link are not set.
AMQP10-2.7.4-e   server must      A sender says its own delivery-count; a receiver the last that it knows, none before the attach of the sender.
AMQP10-2.7.4-f   server must      link-credit is set by the receiver; the sender says what it last heard.
AMQP10-2.7.4-g   server should    A flow with echo is answered with a flow: of the link when it names one, else of the session.
AMQP10-2.7.4-h   server should    The answer to echo has no echo.
§ 2.7.5 Transfer
AMQP10-2.7.5-a   both   must      The first transfer of a delivery has delivery-id, delivery-tag and message-format.
AMQP10-2.7.5-b   both   must-not  Later transfers have no other delivery-id, delivery-tag or message-format.
AMQP10-2.7.5-c   server must      settled counts as false until a transfer of the delivery says true.
AMQP10-2.7.5-d   both   must      On a link with sender mode settled, every delivery is settled by its end.
AMQP10-2.7.5-e   both   must-not  On a link with sender mode unsettled, no transfer is settled.
AMQP10-2.7.5-f   server must      With receiver mode first, the receiver settles without waiting for the sender.
AMQP10-2.7.5-g   server must-not  With receiver mode second, the receiver does not settle before the sender has.
AMQP10-2.7.5-h   both   must-not  A transfer does not say second on a link with mode first.
AMQP10-2.7.5-i   server must      The state of a transfer counts as a disposition just before it.
AMQP10-2.7.5-j   server must      A resumed delivery that is not in our unsettled map is ignored.
AMQP10-2.7.5-k   server must-not  No delivery is sent as resumed that is not in our unsettled map.
AMQP10-2.7.5-l   server must      The payload of an aborted transfer is ignored, and the delivery counts as settled.
AMQP10-2.7.5-m   server should    aborted counts more than more.
AMQP10-2.7.5-n   server must      rcv-settle-mode of a settled transfer is ignored.
§ 2.7.6 Disposition
AMQP10-2.7.6-a   both   must      All deliveries from first to last are meant; without last, first alone.
AMQP10-2.7.6-b   both   must      Its role is that of who sends it: it names deliveries of links of that direction only.
AMQP10-2.7.6-c   server must      It may name deliveries of several links of the session.
AMQP10-2.7.6-d   server must      Delivery ids are serial numbers: a range may go past 2^32-1.
AMQP10-2.7.6-e   server must      Ids that are settled, or were never used, are passed over.
AMQP10-2.7.6-f   server must      With settled, who sends it has forgotten the deliveries.
§ 2.7.7 Detach
AMQP10-2.7.7-a   both   must      The handle is free after detach.
AMQP10-2.7.7-b   server should    An error of detach says why.
§ 2.7.8 End
AMQP10-2.7.8-a   server should    An error of end says why.
§ 2.7.9 Close
AMQP10-2.7.9-a   server should    An error of close says why.

# 2.8 Definitions
§ 2.8.4 Handle
AMQP10-2.8.4-a   both   must      A handle is a uint: all of its values may be used, up to handle-max.
§ 2.8.7 Delivery Tag
AMQP10-2.8.7-a   both   must-not  A delivery-tag has no more than 32 octets.
§ 2.8.10 Sequence No
AMQP10-2.8.10-a  both   must      Serial numbers are compared and added as RFC 1982 says.
§ 2.8.13 Fields
AMQP10-2.8.13-a  both   must      The keys of fields are symbols.
§ 2.8.14 Error
AMQP10-2.8.14-a  both   must      An error has a condition.
AMQP10-2.8.14-b  server must      A condition of ours is one of those that the specification names.
§ 2.8.15 AMQP Error
AMQP10-2.8.15-a  server must      What cannot be decoded is decode-error.
AMQP10-2.8.15-b  server must      A node that is not there is not-found; one that the peer may not use is unauthorized-access.
AMQP10-2.8.15-c  server must      A frame that is not permitted now is illegal-state, one against its meaning not-allowed.
AMQP10-2.8.15-d  server must      A value that a field cannot have is invalid-field.
AMQP10-2.8.15-e  server should    A node that is deleted while links use it detaches them with resource-deleted.
§ 2.8.16 Connection Error
AMQP10-2.8.16-a  server must      Bytes that make no frame are framing-error.
AMQP10-2.8.16-b  server must      A connection that an operator ends is closed with connection:forced.
§ 2.8.17 Session Error
AMQP10-2.8.17-a  server must      A transfer beyond the window is window-violation.
AMQP10-2.8.17-b  server must      A frame, other than attach, with a handle that has no link is unattached-handle.
§ 2.8.18 Link Error
AMQP10-2.8.18-a  client must      A link that an operator ends is detached with detach-forced.
  why: operators end connections and delete queues here; there is nothing by which they end a single link.
`,
)
