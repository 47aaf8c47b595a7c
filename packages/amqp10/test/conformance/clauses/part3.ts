/** What part 3 of AMQP 1.0, its messages, asks of a broker. How ids are made: part1.ts. */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const part3: readonly Clause[] = readTable(
  'AMQP10',
  `
# 3.2 Message format
§ 3.2 Message Format
AMQP10-3.2-a     both   must      A message has its sections in their order, none but data and amqp-sequence twice.
AMQP10-3.2-b     both   must      Its body is data sections, amqp-sequence sections, or one amqp-value.
AMQP10-3.2-c     server must-not  No section of the bare message is changed, nor is one put in.
AMQP10-3.2-d     server must-not  The encoding of the bare message is not changed.
§ 3.2.1 Header
AMQP10-3.2.1-a   server must      Without a header section its defaults count: not durable, priority 4.
AMQP10-3.2.1-b   server must-not  A durable message is not lost when the broker ends without warning.
AMQP10-3.2.1-c   server must      A target that cannot keep durable messages rejects them, or detaches, with precondition-failed.
AMQP10-3.2.1-d   server must      At least two priorities differ: 0 to 4 and 5 to 9; higher ones may pass lower ones.
AMQP10-3.2.1-e   server must      A message that lives longer than its ttl is discarded, or dead lettered.
AMQP10-3.2.1-f   server should    A message goes on with the ttl that is left.
AMQP10-3.2.1-g   server must      first-acquirer is true only where no other link had the message.
AMQP10-3.2.1-h   server must      delivery-count is the number of attempts that failed: 0 at first, more as outcomes say.
§ 3.2.2 Delivery Annotations
AMQP10-3.2.2-a   server must      They are for the next peer: they do not go on with the message.
§ 3.2.3 Message Annotations
AMQP10-3.2.3-a   server should    They go on with the message.
§ 3.2.4 Properties
AMQP10-3.2.4-a   both   must      message-id and correlation-id are ulong, uuid, binary or string, and stay what they are.
AMQP10-3.2.4-b   server must      properties come out as they went in.
§ 3.2.5 Application Properties
AMQP10-3.2.5-a   both   must      Keys are strings, and values simple: no map, list or array.
§ 3.2.6 Data
AMQP10-3.2.6-a   both   must      A data section has binary.
§ 3.2.7 AMQP Sequence
AMQP10-3.2.7-a   both   must      An amqp-sequence has a list.
§ 3.2.8 AMQP Value
AMQP10-3.2.8-a   both   must      An amqp-value has any one value.
§ 3.2.9 Footer
AMQP10-3.2.9-a   server must      A footer stays behind the body as it was.
§ 3.2.10 Annotations
AMQP10-3.2.10-a  both   must      Keys are symbols or ulongs.
AMQP10-3.2.10-b  server must      Keys that start with x-opt- and are not understood are ignored.
AMQP10-3.2.10-c  server must      A key that is not understood and does not start with x-opt detaches the link with not-implemented.

# 3.3 Distribution nodes
§ 3.3 Distribution Nodes
AMQP10-3.3-a     server must      A message that a link has acquired is offered to no other until it is released.
AMQP10-3.3-b     server must      What a link has acquired and not settled is available again when the link ends.

# 3.4 Delivery states
§ 3.4 Delivery State
AMQP10-3.4-a     both   must      Outcomes are accepted, rejected, released and modified; received is none.
§ 3.4.1 Received
AMQP10-3.4.1-a   both   must      received has section-number and section-offset.
AMQP10-3.4.1-b   server must      received in a disposition neither settles nor ends a delivery.
§ 3.4.2 Accepted
AMQP10-3.4.2-a   server must      An accepted message has left its node.
AMQP10-3.4.2-b   server must      What the broker accepts it has taken over: it is routed, and stored where it is durable.
§ 3.4.3 Rejected
AMQP10-3.4.3-a   server must      rejected counts as a failed attempt, and the message goes where failed ones go.
AMQP10-3.4.3-b   server should    The error of rejected goes with the message.
AMQP10-3.4.3-c   server must      A message that cannot be processed is answered with rejected and an error.
§ 3.4.4 Released
AMQP10-3.4.4-a   server must      A released message is available again, for the same link or for others.
AMQP10-3.4.4-b   server must-not  released does not raise delivery-count.
§ 3.4.5 Modified
AMQP10-3.4.5-a   server must      With delivery-failed, delivery-count goes up; without it, it does not.
AMQP10-3.4.5-b   server must-not  With undeliverable-here, the message does not come back to that link.
AMQP10-3.4.5-c   server must      Its message-annotations are put among those of the message, in place of those with the same keys.

# 3.5 Sources and targets
§ 3.5.1 Filtering Messages
AMQP10-3.5.1-a   server must      A filter decides alike each time, as long as the message stays as it is.
§ 3.5.2 Distribution Modes
AMQP10-3.5.2-a   server must      With move, a message that was transferred is gone for others.
AMQP10-3.5.2-b   server must      With copy, messages stay, and each comes once.
AMQP10-3.5.2-c   server must      With copy, no outcome changes the message at its node.
§ 3.5.3 Source
AMQP10-3.5.3-a   both   must-not  An attach that asks for a dynamic node has no address.
AMQP10-3.5.3-b   server must      The answer has the address of the node that was made, and dynamic.
AMQP10-3.5.3-c   server should    That address has the name of the link and the container-id in it.
  deviates: it is random: who knows the address of a reply queue can send to it, and nobody should guess it
AMQP10-3.5.3-d   both   must-not  dynamic-node-properties are set with dynamic only.
AMQP10-3.5.3-e   server must      The answer has distribution-mode where a node has several.
AMQP10-3.5.3-f   server must      The answer has the filters that are in place, and no others.
AMQP10-3.5.3-g   both   must      default-outcome is an outcome: it counts for what is settled without a terminal state.
AMQP10-3.5.3-h   both   must      outcomes are symbols of outcomes; without them and a default, accepted is one.
AMQP10-3.5.3-i   server must      The answer says which source is in place: durability, expiry policy, capabilities.
§ 3.5.4 Target
AMQP10-3.5.4-a   both   must-not  An attach that asks for a dynamic node at the target has no address.
AMQP10-3.5.4-b   server must      The answer has the address of the node that was made, and dynamic.
AMQP10-3.5.4-c   server must      The answer says which target is in place.
§ 3.5.5 Terminus Durability
AMQP10-3.5.5-a   server must      A source with durability configuration or unsettled-state is there after a restart.
§ 3.5.6 Terminus Expiry Policy
AMQP10-3.5.6-a   server must      With link-detach, session-end or connection-close, the time-out runs from there on.
AMQP10-3.5.6-b   server must      With never, a terminus does not expire.
AMQP10-3.5.6-c   server must      A terminus that is attached again before its time-out stays; later the time-out starts anew.
§ 3.5.8 Filter Set
AMQP10-3.5.8-a   both   must      Keys are symbols; a value is null or a described type.
AMQP10-3.5.8-b   server must      A message passes when it passes every filter.
AMQP10-3.5.8-c   server must      A filter of null is no filter.
§ 3.5.9 Node Properties
AMQP10-3.5.9-a   both   must      lifetime-policy has the type of a lifetime policy.
AMQP10-3.5.9-b   both   must      supported-dist-modes are symbols of distribution modes.
§ 3.5.10 Delete On Close
AMQP10-3.5.10-a  server must      The node is deleted when the link that made it ends.
§ 3.5.11 Delete On No Links
AMQP10-3.5.11-a  server must      The node is deleted when the link that made it has ended and no other uses it.
  deviates: it goes with its link, as delete-on-close says, and the answer says that
§ 3.5.12 Delete On No Messages
AMQP10-3.5.12-a  server must      The node is deleted when the link that made it has ended and it holds no message.
  deviates: it goes with its link, as delete-on-close says, and the answer says that
§ 3.5.13 Delete On No Links Or Messages
AMQP10-3.5.13-a  server must      The node is deleted when no link uses it and it holds no message.
  deviates: it goes with its link, as delete-on-close says, and the answer says that
`,
)
