/**
 * The 251 numbered requirements of MQTT 5.0 (OASIS Standard, 7 March 2019, Appendix B), in our own words.
 * The number 2.2.1-1 was never given. The body misprints 4.2.0-1 as 4.2-1 and the end of 3.2.2-8. Appendix B turns the
 * condition of 3.3.1-10 around; the body, which rules, is followed here.
 */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const mqtt5Numbered: readonly Clause[] = readTable(
  'MQTT5',
  `
# 1 Data representation
§ 1.5.4 UTF-8 Encoded String
MQTT5-1.5.4-1   both   must      Strings are well-formed UTF-8 and hold no surrogate (U+D800 to U+DFFF).
MQTT5-1.5.4-2   both   must-not  A string holds no U+0000.
MQTT5-1.5.4-3   both   must-not  A byte order mark inside a string is kept: the bytes EF BB BF are not dropped.
§ 1.5.5 Variable Byte Integer
MQTT5-1.5.5-1   both   must      A variable byte integer is written in as few bytes as its value allows.
§ 1.5.7 UTF-8 String Pair
MQTT5-1.5.7-1   both   must      Name and value of a string pair each obey the rules for strings.

# 2 Packet format
§ 2.1.3 Flags
MQTT5-2.1.3-1   both   must      Reserved header flags have the value the flag table gives for the packet type.
§ 2.2.1 Packet Identifier
MQTT5-2.2.1-2   both   must-not  A QoS 0 PUBLISH has no packet identifier.
MQTT5-2.2.1-3   both   must      A client's new SUBSCRIBE, UNSUBSCRIBE or QoS 1/2 PUBLISH has a free, non-zero
  identifier.
MQTT5-2.2.1-4   server must      A server's new QoS 1/2 PUBLISH has a free, non-zero identifier.
MQTT5-2.2.1-5   both   must      PUBACK, PUBREC, PUBREL and PUBCOMP repeat the identifier of the PUBLISH.
MQTT5-2.2.1-6   server must      SUBACK and UNSUBACK repeat the identifier of the request they answer.
§ 2.2.2.1 Property Length
MQTT5-2.2.2-1   both   must      A packet without properties says so with a property length of zero.

# 3.1 CONNECT
§ 3.1 CONNECT
MQTT5-3.1.0-1   both   must      The first packet on a connection is CONNECT.
MQTT5-3.1.0-2   server must      A second CONNECT is a protocol error and ends the connection.
§ 3.1.2.1 Protocol Name
MQTT5-3.1.2-1   both   must      The protocol name is "MQTT"; a server that refuses another one closes, CONNACK 0x84 or
  not.
§ 3.1.2.2 Protocol Version
MQTT5-3.1.2-2   server must      A version the server does not take ends the connection, after CONNACK 0x84 if it likes.
§ 3.1.2.3 Connect Flags
MQTT5-3.1.2-3   server must      The reserved connect flag is checked to be 0.
§ 3.1.2.4 Clean Start
MQTT5-3.1.2-4   both   must      Clean Start 1 throws the old session away and begins a new one.
MQTT5-3.1.2-5   server must      Clean Start 0 goes on with the session the client identifier has.
MQTT5-3.1.2-6   server must      Clean Start 0 without a stored session makes a new one.
§ 3.1.2.5 Will Flag
MQTT5-3.1.2-7   server must      With the Will Flag the will is kept with the session.
MQTT5-3.1.2-8   server must      The will goes out after the connection ends and its delay or the session is over,
  unless a normal DISCONNECT deleted it or the client came back within the delay.
MQTT5-3.1.2-9   both   must      With the Will Flag the payload has will properties, topic and payload, and its QoS and
  retain bits count.
MQTT5-3.1.2-10  server must      The will leaves the session once published, or on DISCONNECT 0x00.
§ 3.1.2.6 Will QoS
MQTT5-3.1.2-11  both   must      Without the Will Flag, Will QoS is 0.
MQTT5-3.1.2-12  both   must      With the Will Flag, Will QoS is 0, 1 or 2.
§ 3.1.2.7 Will Retain
MQTT5-3.1.2-13  both   must      Without the Will Flag, Will Retain is 0.
MQTT5-3.1.2-14  server must      Will Retain 0: the will is published as an ordinary message.
MQTT5-3.1.2-15  server must      Will Retain 1: the will is published as a retained message.
§ 3.1.2.8 User Name Flag
MQTT5-3.1.2-16  both   must-not  User Name Flag 0: the payload has no user name.
MQTT5-3.1.2-17  both   must      User Name Flag 1: the payload has a user name.
§ 3.1.2.9 Password Flag
MQTT5-3.1.2-18  both   must-not  Password Flag 0: the payload has no password.
MQTT5-3.1.2-19  both   must      Password Flag 1: the payload has a password.
§ 3.1.2.10 Keep Alive
MQTT5-3.1.2-20  client must      A client with a keep alive and nothing else to send sends PINGREQ.
  why: how a client fills its silence is its own affair; the server's part, closing a silent connection, is 3.1.2-22
MQTT5-3.1.2-21  both   must      A Server Keep Alive in CONNACK replaces the client's value, on both sides.
MQTT5-3.1.2-22  server must      Silence for one and a half keep alive periods ends the connection as a network failure
  does.
§ 3.1.2.11.2 Session Expiry Interval
MQTT5-3.1.2-23  both   must      Session state outlives the connection when the session expiry interval is above 0.
§ 3.1.2.11.4 Maximum Packet Size
MQTT5-3.1.2-24  server must-not  No packet longer than the client's Maximum Packet Size is sent to it.
MQTT5-3.1.2-25  server must      A message too long for the client is dropped and counts as sent.
§ 3.1.2.11.5 Topic Alias Maximum
MQTT5-3.1.2-26  server must-not  No topic alias above the client's Topic Alias Maximum is sent.
MQTT5-3.1.2-27  server must-not  A client without Topic Alias Maximum, or with 0, gets no alias at all.
§ 3.1.2.11.6 Request Response Information
MQTT5-3.1.2-28  server must-not  Request Response Information 0: CONNACK has no Response Information.
§ 3.1.2.11.7 Request Problem Information
MQTT5-3.1.2-29  server must-not  Request Problem Information 0: reason strings and user properties stay out of
  everything but PUBLISH, CONNACK and DISCONNECT.
§ 3.1.2.11.9 Authentication Method
MQTT5-3.1.2-30  both   must-not  A client that named a method sends only AUTH and DISCONNECT until CONNACK.
§ 3.1.3 CONNECT Payload
MQTT5-3.1.3-1   both   must      The payload's fields come in their fixed order: client identifier, will, user name,
  password.
§ 3.1.3.1 Client Identifier
MQTT5-3.1.3-2   both   must      Session state is found by the client identifier.
MQTT5-3.1.3-3   both   must      The client identifier is there, and first in the payload.
MQTT5-3.1.3-4   both   must      The client identifier is a UTF-8 string.
MQTT5-3.1.3-5   server must      Identifiers of 1 to 23 bytes from 0-9, a-z and A-Z are accepted.
MQTT5-3.1.3-6   server must      A client that is let in with an empty identifier is given a unique one.
MQTT5-3.1.3-7   server must      The given identifier is used as if the client had sent it, and returned in CONNACK.
MQTT5-3.1.3-8   server must      A refused identifier ends the connection, after CONNACK 0x85 if the server likes.
§ 3.1.3.2.2 Will Delay Interval
MQTT5-3.1.3-9   server must-not  A client that is back before its will delay has passed has no will published.
§ 3.1.3.2.8 Will User Property
MQTT5-3.1.3-10  server must      User properties of the will keep their order when it is published.
§ 3.1.3.3 Will Topic
MQTT5-3.1.3-11  both   must      The will topic is a UTF-8 string.
§ 3.1.3.5 User Name
MQTT5-3.1.3-12  both   must      The user name is a UTF-8 string.
§ 3.1.4 CONNECT Actions
MQTT5-3.1.4-1   server must      A CONNECT that is not formed as section 3.1 says ends the connection.
MQTT5-3.1.4-2   server must      A CONNECT that fails any further check of the server ends the connection.
MQTT5-3.1.4-3   server must      A client identifier in use: the older connection gets DISCONNECT 0x8E and is closed.
MQTT5-3.1.4-4   server must      An accepted CONNECT has its Clean Start carried out.
MQTT5-3.1.4-5   server must      An accepted CONNECT is answered with CONNACK 0x00.
MQTT5-3.1.4-6   server must-not  After a refused CONNECT nothing but AUTH from that client is processed.

# 3.2 CONNACK
§ 3.2 CONNACK
MQTT5-3.2.0-1   server must      CONNACK 0x00 goes out before any other packet except AUTH.
MQTT5-3.2.0-2   server must-not  A connection gets no more than one CONNACK.
§ 3.2.2.1 Connect Acknowledge Flags
MQTT5-3.2.2-1   server must      Bits 7 to 1 of the acknowledge flags are 0.
§ 3.2.2.1.1 Session Present
MQTT5-3.2.2-2   server must      Clean Start 1 is accepted with Session Present 0.
MQTT5-3.2.2-3   server must      Clean Start 0 is accepted with Session Present 1 if there was a session, otherwise with
  0.
MQTT5-3.2.2-4   client must      A client without a session that is told of one closes the connection.
  why: what a client does with Session Present happens in the client; the server's part is 3.2.2-2 and 3.2.2-3
MQTT5-3.2.2-5   client must      A client with a session that is told there is none drops its own if it goes on.
  why: the state is the client's, and a server cannot see whether it was dropped
MQTT5-3.2.2-6   server must      A CONNACK with a non-zero reason code has Session Present 0.
§ 3.2.2.2 Connect Reason Code
MQTT5-3.2.2-7   server must      A CONNACK with 0x80 or more is followed by the end of the connection.
MQTT5-3.2.2-8   server must      CONNACK carries a reason code from its own table.
§ 3.2.2.3.4 Maximum QoS
MQTT5-3.2.2-9   server must      A server without QoS 1 or 2 announces its Maximum QoS.
MQTT5-3.2.2-10  server must      Such a server still takes subscriptions that ask for QoS 0, 1 or 2.
MQTT5-3.2.2-11  both   must-not  Nobody publishes to the server above the Maximum QoS it announced.
MQTT5-3.2.2-12  server must      A Will QoS the server cannot do is refused, with 0x9B if it says why.
§ 3.2.2.3.5 Retain Available
MQTT5-3.2.2-13  server must      A retained will is refused by a server without retained messages, with 0x9A if it says
  why.
MQTT5-3.2.2-14  both   must-not  After Retain Available 0 no retained PUBLISH is sent to the server.
§ 3.2.2.3.6 Maximum Packet Size
MQTT5-3.2.2-15  both   must-not  No packet above the server's Maximum Packet Size is sent to it.
§ 3.2.2.3.7 Assigned Client Identifier
MQTT5-3.2.2-16  server must      CONNACK returns an assigned identifier, and no other session has it.
§ 3.2.2.3.8 Topic Alias Maximum
MQTT5-3.2.2-17  both   must-not  No alias above the server's Topic Alias Maximum is sent to it.
MQTT5-3.2.2-18  both   must-not  A server that announced no Topic Alias Maximum is sent no alias.
§ 3.2.2.3.9 Reason String
MQTT5-3.2.2-19  server must-not  A reason string that would make CONNACK too long for the client is left out.
§ 3.2.2.3.10 User Property
MQTT5-3.2.2-20  server must-not  User properties that would make CONNACK too long for the client are left out.
§ 3.2.2.3.14 Server Keep Alive
MQTT5-3.2.2-21  both   must      Once CONNACK has a Server Keep Alive, that value holds instead of the client's.
MQTT5-3.2.2-22  server must      Without a Server Keep Alive the server uses the client's value.

# 3.3 PUBLISH
§ 3.3.1.1 DUP
MQTT5-3.3.1-1   both   must      A PUBLISH that is delivered again has DUP 1.
MQTT5-3.3.1-2   both   must      A QoS 0 PUBLISH has DUP 0.
MQTT5-3.3.1-3   server must      DUP on the way out says only whether this packet is a repetition, not what came in.
§ 3.3.1.2 QoS
MQTT5-3.3.1-4   both   must-not  The two QoS bits are never both 1.
§ 3.3.1.3 RETAIN
MQTT5-3.3.1-5   server must      RETAIN 1 stores the message as the topic's retained one, in place of an older one.
MQTT5-3.3.1-6   server must      RETAIN 1 with an empty payload is delivered and removes the topic's retained message.
MQTT5-3.3.1-7   server must-not  An empty message is never kept as a retained one.
MQTT5-3.3.1-8   server must-not  RETAIN 0 neither stores the message nor touches the topic's retained one.
MQTT5-3.3.1-9   server must      Retain Handling 0: the matching retained messages are sent on subscribing.
MQTT5-3.3.1-10  server must      Retain Handling 1: retained messages are sent for a new subscription, not for a
  repeated one.
MQTT5-3.3.1-11  server must-not  Retain Handling 2: no retained message is sent on subscribing.
MQTT5-3.3.1-12  server must      Retain As Published 0: forwarded copies have RETAIN 0, whatever came in.
MQTT5-3.3.1-13  server must      Retain As Published 1: forwarded copies have the RETAIN that came in.
§ 3.3.2.1 Topic Name
MQTT5-3.3.2-1   both   must      The topic name is the first field of PUBLISH and a UTF-8 string.
MQTT5-3.3.2-2   both   must-not  A topic name has no wildcards.
MQTT5-3.3.2-3   server must      The topic name sent to a subscriber matches its filter.
§ 3.3.2.3.2 Payload Format Indicator
MQTT5-3.3.2-4   server must      The payload format indicator reaches all subscribers unchanged.
§ 3.3.2.3.3 Message Expiry Interval
MQTT5-3.3.2-5   server must      A copy whose expiry passes before its delivery began is deleted.
MQTT5-3.3.2-6   server must      The expiry sent on is the one received less the time the message waited here.
§ 3.3.2.3.4 Topic Alias
MQTT5-3.3.2-7   both   must-not  Aliases end with the connection and mean nothing on the next one.
MQTT5-3.3.2-8   both   must-not  Alias 0 is never sent.
MQTT5-3.3.2-9   both   must-not  A client sends no alias above the maximum in CONNACK.
MQTT5-3.3.2-10  client must      A client takes every alias from 1 to the maximum it announced.
  why: the client is the receiver here; what the server may send is 3.3.2-11
MQTT5-3.3.2-11  server must-not  A server sends no alias above the maximum in CONNECT.
MQTT5-3.3.2-12  server must      Every alias from 1 to the maximum the server announced is taken.
§ 3.3.2.3.5 Response Topic
MQTT5-3.3.2-13  both   must      The response topic is a UTF-8 string.
MQTT5-3.3.2-14  both   must-not  The response topic has no wildcards.
MQTT5-3.3.2-15  server must      The response topic reaches all subscribers unchanged.
§ 3.3.2.3.6 Correlation Data
MQTT5-3.3.2-16  server must      Correlation data reaches all subscribers unchanged.
§ 3.3.2.3.7 User Property
MQTT5-3.3.2-17  server must      All user properties of a message are forwarded unchanged.
MQTT5-3.3.2-18  server must      They keep their order.
§ 3.3.2.3.9 Content Type
MQTT5-3.3.2-19  both   must      The content type is a UTF-8 string.
MQTT5-3.3.2-20  server must      The content type reaches all subscribers unchanged.
§ 3.3.4 PUBLISH Actions
MQTT5-3.3.4-1   both   must      A PUBLISH is answered as its QoS asks: not at all, by PUBACK, or by PUBREC.
MQTT5-3.3.4-2   server must      Overlapping subscriptions of one client: the highest QoS among them is respected.
MQTT5-3.3.4-3   server must      Subscription identifiers of the overlapping subscriptions are sent with the message.
MQTT5-3.3.4-4   server must      One copy for several subscriptions carries the identifiers of all that have one.
MQTT5-3.3.4-5   server must      Several copies each carry the identifier of their own subscription.
MQTT5-3.3.4-6   both   must-not  A PUBLISH to the server has no subscription identifier.
MQTT5-3.3.4-7   both   must-not  A client leaves no more than the server's Receive Maximum unacknowledged.
MQTT5-3.3.4-8   client must-not  A client at that limit holds back nothing but PUBLISH.
  why: a server cannot tell a packet held back from one never meant; its own side of the rule is 3.3.4-10
MQTT5-3.3.4-9   server must-not  A server leaves no more than the client's Receive Maximum unacknowledged.
MQTT5-3.3.4-10  server must-not  A server at that limit holds back nothing but PUBLISH.

# 3.4 PUBACK
§ 3.4.2.1 PUBACK Reason Code
MQTT5-3.4.2-1   both   must      PUBACK carries a reason code from its own table.
§ 3.4.2.2.2 Reason String
MQTT5-3.4.2-2   both   must-not  A reason string that would make PUBACK too long for the receiver is left out.
§ 3.4.2.2.3 User Property
MQTT5-3.4.2-3   both   must-not  User properties that would make PUBACK too long for the receiver are left out.

# 3.5 PUBREC
§ 3.5.2.1 PUBREC Reason Code
MQTT5-3.5.2-1   both   must      PUBREC carries a reason code from its own table.
§ 3.5.2.2.2 Reason String
MQTT5-3.5.2-2   both   must-not  A reason string that would make PUBREC too long for the receiver is left out.
§ 3.5.2.2.3 User Property
MQTT5-3.5.2-3   both   must-not  User properties that would make PUBREC too long for the receiver are left out.

# 3.6 PUBREL
§ 3.6.1 PUBREL Fixed Header
MQTT5-3.6.1-1   both   must      PUBREL has the flags 0010; anything else is malformed and ends the connection.
§ 3.6.2.1 PUBREL Reason Code
MQTT5-3.6.2-1   both   must      PUBREL carries a reason code from its own table.
§ 3.6.2.2.2 Reason String
MQTT5-3.6.2-2   both   must-not  A reason string that would make PUBREL too long for the receiver is left out.
§ 3.6.2.2.3 User Property
MQTT5-3.6.2-3   both   must-not  User properties that would make PUBREL too long for the receiver are left out.

# 3.7 PUBCOMP
§ 3.7.2.1 PUBCOMP Reason Code
MQTT5-3.7.2-1   both   must      PUBCOMP carries a reason code from its own table.
§ 3.7.2.2.2 Reason String
MQTT5-3.7.2-2   both   must-not  A reason string that would make PUBCOMP too long for the receiver is left out.
§ 3.7.2.2.3 User Property
MQTT5-3.7.2-3   both   must-not  User properties that would make PUBCOMP too long for the receiver are left out.

# 3.8 SUBSCRIBE
§ 3.8.1 SUBSCRIBE Fixed Header
MQTT5-3.8.1-1   both   must      SUBSCRIBE has the flags 0010; anything else is malformed and ends the connection.
§ 3.8.3 SUBSCRIBE Payload
MQTT5-3.8.3-1   both   must      Topic filters are UTF-8 strings.
MQTT5-3.8.3-2   both   must      SUBSCRIBE has at least one filter with its options.
§ 3.8.3.1 Subscription Options
MQTT5-3.8.3-3   server must-not  No Local: what a client publishes is not sent back to it through this subscription.
MQTT5-3.8.3-4   both   must-not  No Local on a shared subscription is a protocol error.
MQTT5-3.8.3-5   server must      A reserved bit set in the options makes SUBSCRIBE malformed.
§ 3.8.4 SUBSCRIBE Actions
MQTT5-3.8.4-1   server must      SUBSCRIBE is answered with SUBACK.
MQTT5-3.8.4-2   server must      SUBACK has the packet identifier of its SUBSCRIBE.
MQTT5-3.8.4-3   server must      A filter the session already has replaces that subscription.
MQTT5-3.8.4-4   server must      Replacing with Retain Handling 0 sends the retained messages again, and loses no
  message.
MQTT5-3.8.4-5   server must      Several filters are handled as if each had come in a SUBSCRIBE of its own, with one
  SUBACK.
MQTT5-3.8.4-6   server must      SUBACK has one reason code per filter.
MQTT5-3.8.4-7   server must      Each code names the QoS granted, or says that the subscription failed.
MQTT5-3.8.4-8   server must      A message is delivered at the lower of its own QoS and the QoS granted.

# 3.9 SUBACK
§ 3.9.2.1.2 Reason String
MQTT5-3.9.2-1   server must-not  A reason string that would make SUBACK too long for the client is left out.
§ 3.9.2.1.3 User Property
MQTT5-3.9.2-2   server must-not  User properties that would make SUBACK too long for the client are left out.
§ 3.9.3 SUBACK Payload
MQTT5-3.9.3-1   server must      Reason codes stand in the order of the filters.
MQTT5-3.9.3-2   server must      Each is a code from SUBACK's own table.

# 3.10 UNSUBSCRIBE
§ 3.10.1 UNSUBSCRIBE Fixed Header
MQTT5-3.10.1-1  both   must      UNSUBSCRIBE has the flags 0010; anything else is malformed and ends the connection.
§ 3.10.3 UNSUBSCRIBE Payload
MQTT5-3.10.3-1  both   must      Topic filters are UTF-8 strings.
MQTT5-3.10.3-2  both   must      UNSUBSCRIBE has at least one filter.
§ 3.10.4 UNSUBSCRIBE Actions
MQTT5-3.10.4-1  server must      A filter equal to a subscription's, character by character, deletes it; wildcards do
  not widen it.
MQTT5-3.10.4-2  server must      From then on no new message is added for the client because of that filter.
MQTT5-3.10.4-3  server must      QoS 1 and 2 messages already on their way to the client are completed.
MQTT5-3.10.4-4  server must      UNSUBSCRIBE is answered with UNSUBACK.
MQTT5-3.10.4-5  server must      UNSUBACK repeats the packet identifier, and comes even if nothing was deleted.
MQTT5-3.10.4-6  server must      Several filters are handled as if each had come alone, with one UNSUBACK.

# 3.11 UNSUBACK
§ 3.11.2.1.2 Reason String
MQTT5-3.11.2-1  server must-not  A reason string that would make UNSUBACK too long for the client is left out.
§ 3.11.2.1.3 User Property
MQTT5-3.11.2-2  server must-not  User properties that would make UNSUBACK too long for the client are left out.
§ 3.11.3 UNSUBACK Payload
MQTT5-3.11.3-1  server must      Reason codes stand in the order of the filters.
MQTT5-3.11.3-2  server must      Each is a code from UNSUBACK's own table.

# 3.12 PINGREQ
§ 3.12.4 PINGREQ Actions
MQTT5-3.12.4-1  server must      PINGREQ is answered with PINGRESP.

# 3.14 DISCONNECT
§ 3.14 DISCONNECT
MQTT5-3.14.0-1  server must-not  A server sends DISCONNECT only after a CONNACK below 0x80.
§ 3.14.1 DISCONNECT Fixed Header
MQTT5-3.14.1-1  both   must      Reserved bits are checked; if set, DISCONNECT 0x81 answers.
§ 3.14.2.1 Disconnect Reason Code
MQTT5-3.14.2-1  both   must      DISCONNECT carries a reason code from its own table.
§ 3.14.2.2.2 Session Expiry Interval
MQTT5-3.14.2-2  server must-not  A server's DISCONNECT has no session expiry interval.
§ 3.14.2.2.3 Reason String
MQTT5-3.14.2-3  both   must-not  A reason string that would make DISCONNECT too long for the receiver is left out.
§ 3.14.2.2.4 User Property
MQTT5-3.14.2-4  both   must-not  User properties that would make DISCONNECT too long for the receiver are left out.
§ 3.14.4 DISCONNECT Actions
MQTT5-3.14.4-1  both   must-not  Nothing follows a DISCONNECT on its connection.
MQTT5-3.14.4-2  both   must      The sender of DISCONNECT closes the connection.
MQTT5-3.14.4-3  server must      DISCONNECT 0x00 drops the will unpublished.

# 3.15 AUTH
§ 3.15.1 AUTH Fixed Header
MQTT5-3.15.1-1  both   must      AUTH has the flags 0000; anything else is malformed and ends the connection.
§ 3.15.2.1 Authenticate Reason Code
MQTT5-3.15.2-1  both   must      AUTH carries a reason code from its own table.
§ 3.15.2.2.4 Reason String
MQTT5-3.15.2-2  both   must-not  A reason string that would make AUTH too long for the receiver is left out.
§ 3.15.2.2.5 User Property
MQTT5-3.15.2-3  both   must-not  User properties that would make AUTH too long for the receiver are left out.

# 4.1 Session state
§ 4.1.1 Storing Session State
MQTT5-4.1.0-1   both   must-not  Session state is not dropped while the connection is open.
MQTT5-4.1.0-2   server must      Session state is dropped once the connection is closed and the expiry interval has
  passed.

# 4.2 Network connections
§ 4.2 Network Connections
MQTT5-4.2.0-1   both   must      At least one ordered, lossless byte stream transport is supported.

# 4.3 Delivery protocols
§ 4.3.1 QoS 0: At most once delivery
MQTT5-4.3.1-1   both   must      QoS 0, sender: PUBLISH goes out with QoS 0 and DUP 0.
§ 4.3.2 QoS 1: At least once delivery
MQTT5-4.3.2-1   both   must      QoS 1, sender: each new message gets an unused packet identifier.
MQTT5-4.3.2-2   both   must      QoS 1, sender: the first PUBLISH has that identifier, QoS 1 and DUP 0.
MQTT5-4.3.2-3   both   must      QoS 1, sender: the message stays unacknowledged until its PUBACK comes.
MQTT5-4.3.2-4   both   must      QoS 1, receiver: having taken the message it answers PUBACK with the same identifier.
MQTT5-4.3.2-5   both   must      QoS 1, receiver: after PUBACK the same identifier is a new message, whatever DUP says.
§ 4.3.3 QoS 2: Exactly once delivery
MQTT5-4.3.3-1   both   must      QoS 2, sender: each new message gets an unused packet identifier.
MQTT5-4.3.3-2   both   must      QoS 2, sender: the first PUBLISH has that identifier, QoS 2 and DUP 0.
MQTT5-4.3.3-3   both   must      QoS 2, sender: the message stays unacknowledged until its PUBREC comes.
MQTT5-4.3.3-4   both   must      QoS 2, sender: PUBREC below 0x80 is answered by PUBREL with the same identifier.
MQTT5-4.3.3-5   both   must      QoS 2, sender: PUBREL stays unacknowledged until PUBCOMP comes.
MQTT5-4.3.3-6   both   must-not  QoS 2, sender: once PUBREL went out, the PUBLISH is not sent again.
MQTT5-4.3.3-7   both   must-not  QoS 2, sender: a message whose PUBLISH went out does not expire any more.
MQTT5-4.3.3-8   both   must      QoS 2, receiver: having taken the message it answers PUBREC with the same identifier.
MQTT5-4.3.3-9   both   must      QoS 2, receiver: after PUBREC 0x80 or more the identifier is a new message.
MQTT5-4.3.3-10  both   must      QoS 2, receiver: until PUBREL, a repeated PUBLISH is answered by PUBREC and not passed
  on again.
MQTT5-4.3.3-11  both   must      QoS 2, receiver: PUBREL is answered by PUBCOMP with the same identifier.
MQTT5-4.3.3-12  both   must      QoS 2, receiver: after PUBCOMP the identifier is a new message.
MQTT5-4.3.3-13  both   must      QoS 2, receiver: the exchange is finished even if the message has expired here.

# 4.4 Message delivery retry
§ 4.4 Message delivery retry
MQTT5-4.4.0-1   both   must      A resumed session, and nothing else, makes both sides send their unacknowledged PUBLISH
  and PUBREL again, under the old identifiers.
MQTT5-4.4.0-2   both   must-not  PUBACK or PUBREC with 0x80 or more acknowledges: the PUBLISH is not sent again.

# 4.5 Message receipt
§ 4.5 Message receipt
MQTT5-4.5.0-1   server must      A message taken over is added to the session of every client with a matching
  subscription.
MQTT5-4.5.0-2   client must      A client acknowledges every PUBLISH as its QoS asks, wanted or not.
  why: only the client can acknowledge; until it does, the server keeps the message (4.3.2-3, 4.3.3-3)

# 4.6 Message ordering
§ 4.6 Message ordering
MQTT5-4.6.0-1   both   must      PUBLISH packets sent again keep the order of the first time.
MQTT5-4.6.0-2   both   must      PUBACKs go out in the order the QoS 1 PUBLISHes came in.
MQTT5-4.6.0-3   both   must      PUBRECs go out in the order the QoS 2 PUBLISHes came in.
MQTT5-4.6.0-4   both   must      PUBRELs go out in the order the PUBRECs came in.
MQTT5-4.6.0-5   server must      Per topic and QoS, consumers get one publisher's messages in the order they were
  received.
MQTT5-4.6.0-6   server must      Every topic is ordered for subscriptions that are not shared.

# 4.7 Topic names and filters
§ 4.7.1 Topic wildcards
MQTT5-4.7.0-1   both   must-not  Wildcards are for filters; a topic name has none.
§ 4.7.1.2 Multi-level wildcard
MQTT5-4.7.1-1   both   must      '#' is a level of its own, and the last.
§ 4.7.1.3 Single-level wildcard
MQTT5-4.7.1-2   both   must      '+' is a level of its own, anywhere in the filter.
§ 4.7.2 Topics beginning with $
MQTT5-4.7.2-1   server must-not  A filter that starts with a wildcard does not match names that start with '$'.
§ 4.7.3 Topic semantic and usage
MQTT5-4.7.3-1   both   must      Names and filters have at least one character.
MQTT5-4.7.3-2   both   must-not  Names and filters hold no U+0000.
MQTT5-4.7.3-3   both   must-not  Names and filters have at most 65,535 bytes.
MQTT5-4.7.3-4   server must-not  Matching neither normalises nor replaces any character.

# 4.8 Subscriptions
§ 4.8.2 Shared Subscriptions
MQTT5-4.8.2-1   both   must      A shared filter starts with $share/ and a share name of at least one character.
MQTT5-4.8.2-2   both   must      The share name has no '/', '+' or '#', and is followed by '/' and a filter.
MQTT5-4.8.2-3   server must      Each member gets messages at the QoS granted to it.
MQTT5-4.8.2-4   server must      A QoS 2 delivery cut off by a lost connection is completed with the same member on
  return.
MQTT5-4.8.2-5   server must-not  If that member's session ends first, the message goes to no other member.
MQTT5-4.8.2-6   server must      A member that answers 0x80 or more ends the message: no other member gets it.

# 4.9 Flow control
§ 4.9 Flow Control
MQTT5-4.9.0-1   both   must      The send quota starts above zero and at most at the Receive Maximum.
MQTT5-4.9.0-2   both   must-not  Each QoS 1/2 PUBLISH takes one from the quota; at zero none is sent.
MQTT5-4.9.0-3   both   must      All other packets are handled while the quota is zero.

# 4.12 Enhanced authentication
§ 4.12 Enhanced authentication
MQTT5-4.12.0-1  server must      An unknown method ends the connection, after CONNACK 0x8C or 0x87 if the server likes.
MQTT5-4.12.0-2  server must      A server that needs more data asks with AUTH 0x18.
MQTT5-4.12.0-3  both   must      The client's answer is AUTH 0x18.
MQTT5-4.12.0-4  server must      A refusal in the middle ends the connection, after a CONNACK of 0x80 or more if it
  likes.
MQTT5-4.12.0-5  both   must      Every AUTH and the successful CONNACK repeat the method of the CONNECT.
MQTT5-4.12.0-6  server must-not  A client that named no method gets no AUTH and no method in CONNACK.
MQTT5-4.12.0-7  both   must-not  A client that named no method sends no AUTH.
§ 4.12.1 Re-authentication
MQTT5-4.12.1-1  both   must      Re-authentication is AUTH 0x19 from the client, with the method it began with.
MQTT5-4.12.1-2  both   must      Failed re-authentication ends the connection, with DISCONNECT if possible.

# 4.13 Handling errors
§ 4.13.1 Malformed Packet and Protocol Errors
MQTT5-4.13.1-1  server must      A malformed packet or protocol error that has a reason code ends the connection.
§ 4.13.2 Other errors
MQTT5-4.13.2-1  both   must      A reason code of 0x80 or more in CONNACK or DISCONNECT ends the connection, sent or
  not.

# 6 WebSocket
§ 6 Using WebSocket as a network transport
MQTT5-6.0.0-1   both   must      MQTT travels in binary frames; any other data frame ends the connection.
MQTT5-6.0.0-2   both   must-not  Packets need not begin or end where frames do.
MQTT5-6.0.0-3   both   must      The client offers the sub-protocol "mqtt".
MQTT5-6.0.0-4   server must      The server chooses and returns "mqtt".
`,
)
