/**
 * What MQTT 3.1 (IBM and Eurotech, 2010) asks of a server. That text numbers sections only, so these ids are ours: the
 * section and a letter. Its "must" and its plain "does" are "must" here, its "should" and "may" are "should".
 * "=" marks a rule that 3.1.1 has too, "≠" one that 3.1.1 changed or dropped. Rules for clients are left out.
 */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const mqtt31: readonly Clause[] = readTable(
  'MQTT31',
  `
# 2.1 Fixed header
§ 2.1 Fixed header
MQTT31-2.1-a   both   must-not  = Message types 0 and 15 are reserved.
MQTT31-2.1-b   both   must      ≠ DUP marks a repeated PUBLISH, PUBREL, SUBSCRIBE or UNSUBSCRIBE; a server takes it on
  all four.
MQTT31-2.1-c   server should    = DUP is a hint; duplicates are not recognised by it.
MQTT31-2.1-d   both   must-not  = QoS 3 is reserved.
MQTT31-2.1-e   server should    = RETAIN set: the message is kept after it was delivered.
MQTT31-2.1-f   server should    = A new subscription is sent the last retained message, with RETAIN set, or nothing.
MQTT31-2.1-g   server should    = A message sent through an established subscription does not have RETAIN set.
MQTT31-2.1-h   server should    ≠ Retained messages outlive a restart of the server.
MQTT31-2.1-i   server should    ≠ An empty retained message may remove the one that is kept (3.1.1: it does).
MQTT31-2.1-j   both   must      = Remaining Length has at most four bytes.

# 2.2 Variable header
§ 2.2 Protocol name and version
MQTT31-2.2-a   server must      ≠ The protocol name "MQIsdp" with version 3 is accepted.
§ 2.2 Connect flags
MQTT31-2.2-b   server must      = Clean session 0: subscriptions, their QoS 1 and 2 messages and unfinished deliveries
  are kept until the client is back.
MQTT31-2.2-c   server must      = Clean session 1: what was kept is dropped on connecting, and again on disconnecting.
MQTT31-2.2-d   server must-not  ≠ QoS 0 messages are never stored for a client that is away.
MQTT31-2.2-e   server must      = The will is published after an I/O error and after a missed keep alive.
MQTT31-2.2-f   server must-not  = DISCONNECT does not publish the will.
MQTT31-2.2-g   server must      ≠ Without the Will flag, Will QoS and Will Retain are disregarded, whatever they say.
MQTT31-2.2-h   server must      = Will QoS is 0, 1 or 2, and is the QoS of the will.
MQTT31-2.2-i   server must      = Will Retain decides whether the will is retained.
MQTT31-2.2-j   both   must-not  = A password without a user name is not valid.
§ 2.2 Keep Alive timer
MQTT31-2.2-k   server must      = Silence for one and a half keep alive periods ends the connection; subscriptions are
  kept.
MQTT31-2.2-l   server must-not  = Keep alive 0: silence does not end the connection.
§ 2.2 Connect return code
MQTT31-2.2-m   server must-not  = Return codes 6 to 255 are not used.
§ 2.2 Topic name
MQTT31-2.2-n   server must      ≠ Topic names of up to 32,767 characters are taken.

# 2.3 Payload
§ 2.3 Payload
MQTT31-2.3-a   server must      = The payload of PUBLISH is passed on as it is.

# 2.4 Message identifiers
§ 2.4 Message identifiers
MQTT31-2.4-a   both   must      = Messages of QoS 1 and 2 have a message id, others have none.
MQTT31-2.4-b   server must      = A message id is unique among the unfinished messages of its direction.
MQTT31-2.4-c   server must      = The same id may be in use in both directions at once.
MQTT31-2.4-d   both   must-not  = Message id 0 is not used.

# 2.5 UTF-8
§ 2.5 MQTT and UTF-8
MQTT31-2.5-a   both   must      = Strings are UTF-8, their length counted in bytes.

# 2.6 Unused bits
§ 2.6 Unused bits
MQTT31-2.6-a   both   should    ≠ Unused bits are sent as 0.

# 3.1 CONNECT
§ 3.1 CONNECT
MQTT31-3.1-a   both   must      = A connection begins with CONNECT.
MQTT31-3.1-b   both   must      = The strings come in order: client id, will topic, will message, user name, password.
MQTT31-3.1-c   server must      ≠ A client id of more than 23 characters is answered with return code 2.
  deviates: it is accepted, as long as mqtt.maxClientIdBytes allows, because devices in the field have such ids;
  mqtt.strictClientIds refuses it as the rule says
MQTT31-3.1-d   server must      = A client id in use: the older client is disconnected before the CONNECT is completed.
MQTT31-3.1-e   server must      = The will goes to its topic with its QoS and retain flag; it may be empty.
MQTT31-3.1-f   server must      = The published will is the message without its two length bytes.
MQTT31-3.1-g   server must      ≠ The user name flag without a user name (Remaining Length ends) is valid.
MQTT31-3.1-h   server must      ≠ The password flag without a password (Remaining Length ends) is valid.
MQTT31-3.1-i   server must      = CONNECT is answered with CONNACK.
MQTT31-3.1-j   server should    = A connection on which no CONNECT comes in reasonable time is closed.
MQTT31-3.1-k   server should    = An invalid CONNECT ends the connection.
MQTT31-3.1-l   server should    = An unknown protocol name or version ends the connection, after return code 1 if
  possible.

# 3.2 CONNACK
§ 3.2 CONNACK
MQTT31-3.2-a   server must      ≠ CONNACK has two bytes, the first of them unused: there is no session present flag.
MQTT31-3.2-b   server must      ≠ An empty client id is answered with return code 2, also with clean session 1.
MQTT31-3.2-c   server must      = A wrong user name or password is answered with return code 4.
MQTT31-3.2-d   server must      = A client that is known but not allowed is answered with return code 5.

# 3.3 PUBLISH
§ 3.3 PUBLISH
MQTT31-3.3-a   both   must-not  = A topic name has no wildcards.
MQTT31-3.3-b   server must      = Subscribers get the publisher's topic name, not their filter.
MQTT31-3.3-c   server must      = Every client with a matching subscription gets the message.
MQTT31-3.3-d   server must      = A payload of no bytes is valid.
MQTT31-3.3-e   both   must      = QoS 0 is not answered, QoS 1 by PUBACK, QoS 2 by PUBREC.
MQTT31-3.3-f   server must      ≠ A PUBLISH that is not allowed is acknowledged as any other, and goes nowhere.

# 3.4 PUBACK
§ 3.4 PUBACK
MQTT31-3.4-a   both   must      = PUBACK has the message id of its PUBLISH and nothing else.

# 3.5 PUBREC
§ 3.5 PUBREC
MQTT31-3.5-a   both   must      = PUBREC has the message id of its PUBLISH and nothing else.
MQTT31-3.5-b   both   must      = PUBREC is answered by PUBREL with the same message id.

# 3.6 PUBREL
§ 3.6 PUBREL
MQTT31-3.6-a   both   must      = PUBREL has QoS level 1 in its header.
MQTT31-3.6-b   server must      = PUBREL is answered by PUBCOMP with the same message id; the message is delivered by then,
  at PUBLISH or at PUBREL as the server likes (4.1).

# 3.7 PUBCOMP
§ 3.7 PUBCOMP
MQTT31-3.7-a   both   must      = PUBCOMP has the message id of its PUBREL; it ends the message.

# 3.8 SUBSCRIBE
§ 3.8 SUBSCRIBE
MQTT31-3.8-a   server must      = SUBSCRIBE is answered with SUBACK.
MQTT31-3.8-b   server must      = A message is delivered at the lower of its own QoS and the QoS granted, never above.
MQTT31-3.8-c   both   should    = A request for QoS 3 is invalid and ends the connection.
MQTT31-3.8-d   server must      ≠ A subscription that is not allowed is granted in SUBACK all the same, and gets
  nothing.
  deviates: it is refused with 0x80, as in 3.1.1, so that the client does not wait for messages that never come
MQTT31-3.8-e   both   must      = SUBSCRIBE has QoS level 1 in its header and a message id.

# 3.9 SUBACK
§ 3.9 SUBACK
MQTT31-3.9-a   server must      = SUBACK has the message id of its SUBSCRIBE.
MQTT31-3.9-b   server must      = It has one granted QoS per topic, in the order of the topics.
MQTT31-3.9-c   server must-not  ≠ It says 0, 1 or 2 and nothing else: there is no failure code.
  deviates: it says 0x80 for a refused subscription, as in 3.1.1, and nothing else besides

# 3.10 UNSUBSCRIBE
§ 3.10 UNSUBSCRIBE
MQTT31-3.10-a  server must      = The client no longer gets messages for the topics it names.
MQTT31-3.10-b  server must      = UNSUBSCRIBE is answered with UNSUBACK.
MQTT31-3.10-c  both   must      = UNSUBSCRIBE has QoS level 1 in its header and a message id.

# 3.11 UNSUBACK
§ 3.11 UNSUBACK
MQTT31-3.11-a  server must      = UNSUBACK has the message id of its UNSUBSCRIBE and nothing else.

# 3.12 PINGREQ
§ 3.12 PINGREQ
MQTT31-3.12-a  server must      = PINGREQ is answered with PINGRESP.

# 3.13 PINGRESP
§ 3.13 PINGRESP
MQTT31-3.13-a  server must      = PINGRESP is two bytes: no variable header, no payload.

# 3.14 DISCONNECT
§ 3.14 DISCONNECT
MQTT31-3.14-a  server must      = With clean session 1, DISCONNECT drops everything kept about the client.
MQTT31-3.14-b  server should    = The server closes by itself, without waiting for the client.

# 4.1 Levels and flows
§ 4.1 Quality of Service levels and flows
MQTT31-4.1-a   both   must      = QoS 0: no answer, no repetition; the message comes once or not at all.
MQTT31-4.1-b   server must      = QoS 1: a repeated PUBLISH after PUBACK is published again and acknowledged again.
MQTT31-4.1-c   server must-not  = QoS 2: a repeated PUBLISH or PUBREL delivers nothing twice.
MQTT31-4.1-d   both   must      = QoS 2: PUBLISH, PUBREC, PUBREL, PUBCOMP share one message id.

# 4.2 Retry
§ 4.2 Message delivery retry
MQTT31-4.2-a   server should    = A client that is back with clean session 0 gets its unfinished messages again.
MQTT31-4.2-b   server should    = Messages sent again have DUP set.
MQTT31-4.2-c   server should    ≠ A broker also repeats unacknowledged messages while the connection is up.
  deviates: they are repeated when the client is back, as in 3.1.1; a living TCP connection does not lose them

# 4.3 Ordering
§ 4.3 Message ordering
MQTT31-4.3-a   both   must      = Each step of the flows is completed in the order the flows began.
MQTT31-4.3-b   server must      = Within a QoS level messages keep their order.

# A Topic wildcards
§ A Topic wildcards
MQTT31-A-a     server must      = '/' separates the levels of a topic.
MQTT31-A-b     server must      = '#' matches any number of levels, also none: the parent too.
MQTT31-A-c     both   must      = '#' is a level of its own, and the last.
MQTT31-A-d     server must      = '+' matches exactly one level.
MQTT31-A-e     both   must      = '+' is a level of its own, anywhere.
MQTT31-A-f     both   must      = A topic has at least one character.
MQTT31-A-g     server must      = Case matters.
MQTT31-A-h     server must      = Topics may contain spaces.
MQTT31-A-i     server must      = A leading '/' is a level: "/finance" matches "+/+" and "/+", not "+".
MQTT31-A-j     both   must-not  = A topic has no U+0000.
MQTT31-A-k     server must      = Any number of levels, and of roots, is possible.
  deviates: names and filters have at most mqtt.maxTopicLevels levels, 128 unless set otherwise, which bounds the
  work that one packet can ask for; there may be any number of roots
`,
)
