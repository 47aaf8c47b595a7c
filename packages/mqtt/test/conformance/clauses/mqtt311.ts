/**
 * The 141 numbered requirements of MQTT 3.1.1 (OASIS Standard, 29 October 2014, Appendix B), in our own words.
 * Three of them are misprinted there: 3.1.2-7 as 3.1.2.7, 3.8.3-4 as 3-8.3-4, and in the body 3.3.1-1 as 3.3.1.-1.
 * Errata 01 (2015) changes no requirement.
 */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const mqtt311: readonly Clause[] = readTable(
  'MQTT311',
  `
# 1 Data representation
§ 1.5.3 UTF-8 encoded strings
MQTT311-1.5.3-1   both   must      Strings are well-formed UTF-8 without surrogates; others end the connection.
MQTT311-1.5.3-2   both   must-not  A string holds no U+0000; one that does ends the connection.
MQTT311-1.5.3-3   both   must-not  A byte order mark inside a string is kept: the bytes EF BB BF are not dropped.

# 2 Packet format
§ 2.2.2 Flags
MQTT311-2.2.2-1   both   must      Reserved header flags have the value the flag table gives for the packet type.
MQTT311-2.2.2-2   both   must      Wrong flags end the connection.
§ 2.3.1 Packet Identifier
MQTT311-2.3.1-1   both   must      SUBSCRIBE, UNSUBSCRIBE and QoS 1/2 PUBLISH have a non-zero packet identifier.
MQTT311-2.3.1-2   client must      A client gives each new packet of these types an identifier that is free.
  why: a server cannot tell a new packet under a used identifier from a repetition, and 3.1.1 has no answer for it
MQTT311-2.3.1-3   client must      A client sends a packet again under its old identifier.
  why: a server cannot tell a repetition under another identifier from a new packet; its own part is 2.3.1-4
MQTT311-2.3.1-4   server must      A server's PUBLISH has a free identifier, and keeps it when sent again.
MQTT311-2.3.1-5   both   must-not  A QoS 0 PUBLISH has no packet identifier.
MQTT311-2.3.1-6   both   must      PUBACK, PUBREC and PUBREL repeat the identifier of the PUBLISH.
MQTT311-2.3.1-7   server must      SUBACK and UNSUBACK repeat the identifier of the request they answer.

# 3.1 CONNECT
§ 3.1 CONNECT
MQTT311-3.1.0-1   both   must      The first packet on a connection is CONNECT.
MQTT311-3.1.0-2   server must      A second CONNECT is a violation and ends the connection.
§ 3.1.2.1 Protocol Name
MQTT311-3.1.2-1   server must-not  A CONNECT with another protocol name is not handled by the rules of 3.1.1.
§ 3.1.2.2 Protocol Level
MQTT311-3.1.2-2   server must      A level the server does not take is answered with CONNACK 0x01 and the end.
§ 3.1.2.3 Connect Flags
MQTT311-3.1.2-3   server must      The reserved connect flag is checked to be 0; if set, the client is disconnected.
§ 3.1.2.4 Clean Session
MQTT311-3.1.2-4   both   must      CleanSession 0 resumes or makes a session that outlives the connection.
MQTT311-3.1.2-5   server must      While such a client is away, QoS 1 and 2 messages it subscribed to are kept for it.
MQTT311-3.1.2-6   both   must      CleanSession 1 throws the old session away; the new one ends with the connection.
MQTT311-3.1.2-7   server must-not  Retained messages are not session state and stay when a session ends.
§ 3.1.2.5 Will Flag
MQTT311-3.1.2-8   server must      The will of an accepted CONNECT is kept, and published when the connection ends
  unless DISCONNECT deleted it.
MQTT311-3.1.2-9   both   must      With the Will Flag the payload has will topic and message, and its QoS and retain
  bits count.
MQTT311-3.1.2-10  server must      The will leaves the session once published, or on DISCONNECT.
MQTT311-3.1.2-11  both   must      Without the Will Flag, will QoS and retain are 0 and the payload has no will.
MQTT311-3.1.2-12  server must-not  Without the Will Flag no will is published.
§ 3.1.2.6 Will QoS
MQTT311-3.1.2-13  both   must      Without the Will Flag, Will QoS is 0.
MQTT311-3.1.2-14  both   must-not  With the Will Flag, Will QoS is 0, 1 or 2, not 3.
§ 3.1.2.7 Will Retain
MQTT311-3.1.2-15  both   must      Without the Will Flag, Will Retain is 0.
MQTT311-3.1.2-16  server must      Will Retain 0: the will is published as an ordinary message.
MQTT311-3.1.2-17  server must      Will Retain 1: the will is published as a retained message.
§ 3.1.2.8 User Name Flag
MQTT311-3.1.2-18  both   must-not  User Name Flag 0: the payload has no user name.
MQTT311-3.1.2-19  both   must      User Name Flag 1: the payload has a user name.
§ 3.1.2.9 Password Flag
MQTT311-3.1.2-20  both   must-not  Password Flag 0: the payload has no password.
MQTT311-3.1.2-21  both   must      Password Flag 1: the payload has a password.
MQTT311-3.1.2-22  both   must      Without a user name there is no password flag.
§ 3.1.2.10 Keep Alive
MQTT311-3.1.2-23  client must      A client with nothing else to send sends PINGREQ within its keep alive.
  why: how a client fills its silence is its own affair; the server's part, closing a silent connection, is 3.1.2-24
MQTT311-3.1.2-24  server must      Silence for one and a half keep alive periods ends the connection as a network
  failure does.
§ 3.1.3 Payload
MQTT311-3.1.3-1   both   must      The payload's fields come in order: client identifier, will topic, will message, user
  name, password.
§ 3.1.3.1 Client Identifier
MQTT311-3.1.3-2   both   must      Session state is found by the client identifier.
MQTT311-3.1.3-3   both   must      The client identifier is there, and first in the payload.
MQTT311-3.1.3-4   both   must      The client identifier is a UTF-8 string.
MQTT311-3.1.3-5   server must      Identifiers of 1 to 23 bytes from 0-9, a-z and A-Z are accepted.
MQTT311-3.1.3-6   server must      A client let in with an empty identifier is given a unique one, and treated as its
  owner.
MQTT311-3.1.3-7   both   must      An empty identifier comes with CleanSession 1.
MQTT311-3.1.3-8   server must      An empty identifier with CleanSession 0 is answered with CONNACK 0x02 and the end.
MQTT311-3.1.3-9   server must      A refused identifier is answered with CONNACK 0x02 and the end.
§ 3.1.3.2 Will Topic
MQTT311-3.1.3-10  both   must      The will topic is a UTF-8 string.
§ 3.1.3.4 User Name
MQTT311-3.1.3-11  both   must      The user name is a UTF-8 string.
§ 3.1.4 Response
MQTT311-3.1.4-1   server must      A CONNECT that is not formed as section 3.1 says ends the connection without CONNACK.
MQTT311-3.1.4-2   server must      A client identifier in use: the older connection is closed.
MQTT311-3.1.4-3   server must      An accepted CONNECT has its CleanSession carried out.
MQTT311-3.1.4-4   server must      An accepted CONNECT is answered with CONNACK 0x00.
MQTT311-3.1.4-5   server must-not  After a refused CONNECT nothing more from that client is processed.

# 3.2 CONNACK
§ 3.2 CONNACK
MQTT311-3.2.0-1   server must      The first packet to a client is CONNACK.
§ 3.2.2.2 Session Present
MQTT311-3.2.2-1   server must      CleanSession 1 is accepted with Session Present 0.
MQTT311-3.2.2-2   server must      CleanSession 0 with a stored session is accepted with Session Present 1.
MQTT311-3.2.2-3   server must      CleanSession 0 without a stored session is accepted with Session Present 0.
MQTT311-3.2.2-4   server must      A CONNACK with a non-zero return code has Session Present 0.
§ 3.2.2.3 Connect Return code
MQTT311-3.2.2-5   server must      A CONNACK with a non-zero return code is followed by the end of the connection.
MQTT311-3.2.2-6   server must      A refusal for which no return code fits ends the connection without CONNACK.

# 3.3 PUBLISH
§ 3.3.1.1 DUP
MQTT311-3.3.1-1   both   must      A PUBLISH that is delivered again has DUP 1.
MQTT311-3.3.1-2   both   must      A QoS 0 PUBLISH has DUP 0.
MQTT311-3.3.1-3   server must      DUP on the way out says only whether this packet is a repetition, not what came in.
§ 3.3.1.2 QoS
MQTT311-3.3.1-4   both   must-not  The two QoS bits are never both 1; such a PUBLISH ends the connection.
§ 3.3.1.3 RETAIN
MQTT311-3.3.1-5   server must      RETAIN 1 stores the message and its QoS for subscribers to come.
MQTT311-3.3.1-6   server must      A new subscription is sent the retained message of each matching topic.
MQTT311-3.3.1-7   server must      A retained QoS 0 message removes the older one; it may itself be dropped later.
MQTT311-3.3.1-8   server must      A message sent because of a new subscription has RETAIN 1.
MQTT311-3.3.1-9   server must      A message sent through an established subscription has RETAIN 0.
MQTT311-3.3.1-10  server must      RETAIN 1 with an empty payload is delivered and removes the topic's retained message.
MQTT311-3.3.1-11  server must-not  An empty message is never kept as a retained one.
MQTT311-3.3.1-12  server must-not  RETAIN 0 neither stores the message nor touches the topic's retained one.
§ 3.3.2.1 Topic Name
MQTT311-3.3.2-1   both   must      The topic name is the first field of PUBLISH and a UTF-8 string.
MQTT311-3.3.2-2   both   must-not  A topic name has no wildcards.
MQTT311-3.3.2-3   server must      The topic name sent to a subscriber matches its filter.
§ 3.3.4 Response
MQTT311-3.3.4-1   both   must      A PUBLISH is answered as its QoS asks: not at all, by PUBACK, or by PUBREC.
§ 3.3.5 Actions
MQTT311-3.3.5-1   server must      Overlapping subscriptions of one client: the highest QoS among them is respected.
MQTT311-3.3.5-2   server must      A PUBLISH that is not allowed is acknowledged all the same, or ends the connection.

# 3.6 PUBREL
§ 3.6.1 Fixed header
MQTT311-3.6.1-1   both   must      PUBREL has the flags 0010; anything else is malformed and ends the connection.

# 3.8 SUBSCRIBE
§ 3.8.1 Fixed header
MQTT311-3.8.1-1   both   must      SUBSCRIBE has the flags 0010; anything else is malformed and ends the connection.
§ 3.8.3 Payload
MQTT311-3.8.3-1   both   must      Topic filters are UTF-8 strings.
MQTT311-3.8.3-2   server must      A server without wildcard support refuses filters with wildcards.
MQTT311-3.8.3-3   both   must      SUBSCRIBE has at least one filter with its QoS.
MQTT311-3.8.3-4   server must      A reserved bit set, or QoS 3, makes SUBSCRIBE malformed and ends the connection.
§ 3.8.4 Response
MQTT311-3.8.4-1   server must      SUBSCRIBE is answered with SUBACK.
MQTT311-3.8.4-2   server must      SUBACK has the packet identifier of its SUBSCRIBE.
MQTT311-3.8.4-3   server must      A filter the client already has replaces that subscription: retained messages come
  again, no other message is missed.
MQTT311-3.8.4-4   server must      Several filters are handled as if each had come alone, with one SUBACK.
MQTT311-3.8.4-5   server must      SUBACK has one return code per filter: the QoS granted, or failure.
MQTT311-3.8.4-6   server must      A message is delivered at the lower of its own QoS and the QoS granted.

# 3.9 SUBACK
§ 3.9.3 Payload
MQTT311-3.9.3-1   server must      Return codes stand in the order of the filters.
MQTT311-3.9.3-2   server must-not  No return code but 0x00, 0x01, 0x02 and 0x80 is used.

# 3.10 UNSUBSCRIBE
§ 3.10.1 Fixed header
MQTT311-3.10.1-1  both   must      UNSUBSCRIBE has the flags 0010; anything else is malformed and ends the connection.
§ 3.10.3 Payload
MQTT311-3.10.3-1  both   must      Topic filters are UTF-8 strings, one after the other.
MQTT311-3.10.3-2  both   must      UNSUBSCRIBE has at least one filter.
§ 3.10.4 Response
MQTT311-3.10.4-1  server must      A filter equal to a subscription's, character by character, deletes it; nothing else
  does.
MQTT311-3.10.4-2  server must      From then on no new message is added for the client because of that filter.
MQTT311-3.10.4-3  server must      QoS 1 and 2 messages already on their way to the client are completed.
MQTT311-3.10.4-4  server must      UNSUBSCRIBE is answered with an UNSUBACK that has its packet identifier.
MQTT311-3.10.4-5  server must      UNSUBACK comes even if nothing was deleted.
MQTT311-3.10.4-6  server must      Several filters are handled as if each had come alone, with one UNSUBACK.

# 3.12 PINGREQ
§ 3.12.4 Response
MQTT311-3.12.4-1  server must      PINGREQ is answered with PINGRESP.

# 3.14 DISCONNECT
§ 3.14.1 Fixed header
MQTT311-3.14.1-1  server must      Reserved bits are checked; if set, the client is disconnected.
§ 3.14.4 Response
MQTT311-3.14.4-1  both   must      A client closes after its DISCONNECT; the server does not wait for that.
MQTT311-3.14.4-2  both   must-not  Nothing follows a DISCONNECT; what does is not processed.
MQTT311-3.14.4-3  server must      DISCONNECT drops the will unpublished.

# 4.1 Session state
§ 4.1 Storing state
MQTT311-4.1.0-1   both   must      Session state is stored as long as the session lasts.
MQTT311-4.1.0-2   both   must      A session lasts at least as long as its connection.

# 4.3 Delivery protocols
§ 4.3.1 QoS 0: At most once delivery
MQTT311-4.3.1-1   both   must      QoS 0, sender: PUBLISH goes out with QoS 0 and DUP 0.
§ 4.3.2 QoS 1: At least once delivery
MQTT311-4.3.2-1   both   must      QoS 1, sender: an unused identifier and DUP 0 for a new message, unacknowledged until
  its PUBACK comes.
MQTT311-4.3.2-2   both   must      QoS 1, receiver: PUBACK with the same identifier, which is a new message from then
  on.
§ 4.3.3 QoS 2: Exactly once delivery
MQTT311-4.3.3-1   both   must      QoS 2, sender: an unused identifier and DUP 0 for a new message, PUBREL on PUBREC,
  unacknowledged until PUBREC and PUBCOMP come, and no PUBLISH again after PUBREL.
MQTT311-4.3.3-2   both   must      QoS 2, receiver: PUBREC for the message and each repetition, which is passed on only
  once; PUBCOMP on PUBREL, after which the identifier is a new message.

# 4.4 Message delivery retry
§ 4.4 Message delivery retry
MQTT311-4.4.0-1   both   must      A client back with CleanSession 0: both sides send their unacknowledged PUBLISH and
  PUBREL again, under the old identifiers.

# 4.5 Message receipt
§ 4.5 Message receipt
MQTT311-4.5.0-1   server must      A message taken over is added to the session of every client with a matching
  subscription.
MQTT311-4.5.0-2   client must      A client acknowledges every PUBLISH as its QoS asks, wanted or not.
  why: only the client can acknowledge; until it does, the server keeps the message (4.3.2-1, 4.3.3-1)

# 4.6 Message ordering
§ 4.6 Message ordering
MQTT311-4.6.0-1   both   must      PUBLISH packets sent again keep the order of the first time.
MQTT311-4.6.0-2   both   must      PUBACKs go out in the order the QoS 1 PUBLISHes came in.
MQTT311-4.6.0-3   both   must      PUBRECs go out in the order the QoS 2 PUBLISHes came in.
MQTT311-4.6.0-4   both   must      PUBRELs go out in the order the PUBRECs came in.
MQTT311-4.6.0-5   server must      Every topic is ordered unless an administrator says otherwise.
MQTT311-4.6.0-6   server must      On an ordered topic the server follows these rules, and sends one publisher's
  messages of a QoS in the order they were received.

# 4.7 Topic names and filters
§ 4.7.1 Topic wildcards
MQTT311-4.7.1-1   both   must-not  Wildcards are for filters; a topic name has none.
§ 4.7.1.2 Multi-level wildcard
MQTT311-4.7.1-2   both   must      '#' is a level of its own, and the last.
§ 4.7.1.3 Single level wildcard
MQTT311-4.7.1-3   both   must      '+' is a level of its own, anywhere in the filter.
§ 4.7.2 Topics beginning with $
MQTT311-4.7.2-1   server must-not  A filter that starts with a wildcard does not match names that start with '$'.
§ 4.7.3 Topic semantic and usage
MQTT311-4.7.3-1   both   must      Names and filters have at least one character.
MQTT311-4.7.3-2   both   must-not  Names and filters hold no U+0000.
MQTT311-4.7.3-3   both   must-not  Names and filters have at most 65,535 bytes.
MQTT311-4.7.3-4   server must-not  Matching neither normalises nor replaces any character.

# 4.8 Handling errors
§ 4.8 Handling errors
MQTT311-4.8.0-1   both   must      A protocol violation ends the connection it came on, unless a rule says otherwise.
MQTT311-4.8.0-2   both   must      A passing fault while a packet is handled ends the connection it came on.

# 6 WebSocket
§ 6 Using WebSocket as a network transport
MQTT311-6.0.0-1   both   must      MQTT travels in binary frames; any other data frame ends the connection.
MQTT311-6.0.0-2   both   must-not  Packets need not begin or end where frames do.
MQTT311-6.0.0-3   both   must      The client offers the sub-protocol "mqtt".
MQTT311-6.0.0-4   server must      The server chooses and returns "mqtt".

# 7 Conformance
§ 7 Conformance
MQTT311-7.0.0-1   client must      A server that also connects to other servers is a conforming client there.
  why: it binds the client half of a bridge, and this server opens no connection to another server
MQTT311-7.0.0-2   both   must-not  No extension is needed to work with another conforming implementation.
§ 7.1.1 MQTT Server
MQTT311-7.1.1-1   server must      A server supports at least one ordered, lossless byte stream transport.
§ 7.1.2 MQTT Client
MQTT311-7.1.2-1   client must      A client supports at least one ordered, lossless byte stream transport.
  why: it is the same demand as 7.1.1-1, made of the client
`,
)
