/**
 * Rules for a server that MQTT 5.0 and 3.1.1 state without giving them a number: mostly "it is a protocol error to …".
 * The ids are ours: the section, and a letter. They come on top of the numbered lists and are counted apart.
 */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const mqtt5Unnumbered: readonly Clause[] = readTable(
  'MQTT5',
  `
# 2 Packet format
§ 2.1.4 Remaining Length
MQTT5-2.1.4-a         both   must      Remaining Length has at most four bytes.
§ 2.2.2.2 Property
MQTT5-2.2.2.2-a       both   must-not  A property that is unknown, of another packet type or of the wrong type is
  malformed.

# 3.1 CONNECT
§ 3.1.2.11.2 Session Expiry Interval
MQTT5-3.1.2.11.2-a    both   must-not  Session Expiry Interval is given once.
MQTT5-3.1.2.11.2-b    server must      Without one, or with 0, the session ends with the connection.
MQTT5-3.1.2.11.2-c    server must-not  With 0xFFFFFFFF the session never expires.
§ 3.1.2.11.3 Receive Maximum
MQTT5-3.1.2.11.3-a    both   must-not  Receive Maximum is given once, and is not 0.
§ 3.1.2.11.4 Maximum Packet Size
MQTT5-3.1.2.11.4-a    both   must-not  Maximum Packet Size is given once, and is not 0.
§ 3.1.2.11.5 Topic Alias Maximum
MQTT5-3.1.2.11.5-a    both   must-not  Topic Alias Maximum is given once.
§ 3.1.2.11.6 Request Response Information
MQTT5-3.1.2.11.6-a    both   must-not  Request Response Information is given once, and is 0 or 1.
§ 3.1.2.11.7 Request Problem Information
MQTT5-3.1.2.11.7-a    both   must-not  Request Problem Information is given once, and is 0 or 1.
§ 3.1.2.11.9 Authentication Method
MQTT5-3.1.2.11.9-a    both   must-not  Authentication Method is given once.
§ 3.1.2.11.10 Authentication Data
MQTT5-3.1.2.11.10-a   both   must-not  Authentication Data is given once, and not without a method.
§ 3.1.3.2 Will Properties
MQTT5-3.1.3.2-a       both   must-not  No will property but User Property is given twice.
MQTT5-3.1.3.2-b       server must      The will's properties are sent with it when it is published.
§ 3.1.3.2.2 Will Delay Interval
MQTT5-3.1.3.2.2-a     server must      A session that ends before its will delay publishes the will at once.
MQTT5-3.1.3.2.2-b     server must      A second connection with the same client identifier publishes the first one's
  will, unless it resumes the session and the will has a delay.
§ 3.1.3.2.4 Message Expiry Interval
MQTT5-3.1.3.2.4-a     server must      The will's message expiry starts when the will is published.
§ 3.1.4 CONNECT Actions
MQTT5-3.1.4-a         server should    A connection on which no CONNECT comes in reasonable time is closed.

# 3.2 CONNACK
§ 3.2.2.3 CONNACK Properties
MQTT5-3.2.2.3-a       server must-not  No CONNACK property but User Property is sent twice, or with a value its table
  does not have.
§ 3.2.2.3.2 Session Expiry Interval
MQTT5-3.2.2.3.2-a     server must      A session expiry other than the one asked for is announced.
§ 3.2.2.3.6 Maximum Packet Size
MQTT5-3.2.2.3.6-a     both   must-not  A packet above the server's maximum is answered with DISCONNECT 0x95.

# 3.3 PUBLISH
§ 3.3.1.3 RETAIN
MQTT5-3.3.1.3-a       server must      Retained messages sent for a new subscription have RETAIN 1.
MQTT5-3.3.1.3-b       server must      A retained message that expires is gone.
§ 3.3.2.1 Topic Name
MQTT5-3.3.2.1-a       both   must-not  An empty topic name without an alias is a protocol error.
§ 3.3.2.3.4 Topic Alias
MQTT5-3.3.2.3.4-a     both   must-not  Topic Alias is given once.
§ 3.3.2.3.5 Response Topic
MQTT5-3.3.2.3.5-a     both   must-not  Response Topic is given once.
§ 3.3.2.3.6 Correlation Data
MQTT5-3.3.2.3.6-a     both   must-not  Correlation Data is given once.
§ 3.3.2.3.9 Content Type
MQTT5-3.3.2.3.9-a     both   must-not  Content Type is given once.
§ 3.3.4 PUBLISH Actions
MQTT5-3.3.4-a         both   must      Alias 0, or one above the maximum, is answered with DISCONNECT 0x94.
MQTT5-3.3.4-b         both   must      A known alias with an empty name stands for its topic; with a name it is set
  anew.
MQTT5-3.3.4-c         both   must      An unknown alias with an empty name is answered with DISCONNECT 0x82.
MQTT5-3.3.4-d         server must      More unacknowledged messages than Receive Maximum are answered with DISCONNECT
  0x93.
MQTT5-3.3.4-e         server must-not  A copy carries no subscription identifier but its receiver's own.

# 3.4 PUBACK
§ 3.4.2.2.2 Reason String
MQTT5-3.4.2.2.2-a     both   must-not  PUBACK has one reason string.

# 3.5 PUBREC
§ 3.5.2.2.2 Reason String
MQTT5-3.5.2.2.2-a     both   must-not  PUBREC has one reason string.

# 3.6 PUBREL
§ 3.6.2.2.2 Reason String
MQTT5-3.6.2.2.2-a     both   must-not  PUBREL has one reason string.

# 3.7 PUBCOMP
§ 3.7.2.2.2 Reason String
MQTT5-3.7.2.2.2-a     both   must-not  PUBCOMP has one reason string.

# 3.8 SUBSCRIBE
§ 3.8.2.1.2 Subscription Identifier
MQTT5-3.8.2.1.2-a     both   must-not  Subscription Identifier is given once, and is not 0.
§ 3.8.3.1 Subscription Options
MQTT5-3.8.3.1-a       both   must-not  Maximum QoS 3 is a protocol error.
MQTT5-3.8.3.1-b       both   must-not  Retain Handling 3 is a protocol error.
§ 3.8.4 SUBSCRIBE Actions
MQTT5-3.8.4-a         server must      Subscribing to the same filter again replaces or removes its subscription
  identifier.

# 3.14 DISCONNECT
§ 3.14.2.1 Disconnect Reason Code
MQTT5-3.14.2.1-a      server must      DISCONNECT 0x04 publishes the will.
§ 3.14.2.2.2 Session Expiry Interval
MQTT5-3.14.2.2.2-a    both   must-not  Session Expiry Interval is given once.
MQTT5-3.14.2.2.2-b    both   must-not  It is not raised from 0: that is answered with DISCONNECT 0x82.
MQTT5-3.14.2.2.2-c    server must      Otherwise it replaces the value of CONNECT.
§ 3.14.2.2.3 Reason String
MQTT5-3.14.2.2.3-a    both   must-not  DISCONNECT has one reason string.
§ 3.14.4 DISCONNECT Actions
MQTT5-3.14.4-a        server should    The server closes after the client's DISCONNECT.

# 3.15 AUTH
§ 3.15 AUTH
MQTT5-3.15-a          both   must-not  AUTH with another method than the CONNECT's is a protocol error.
§ 3.15.2.2.2 Authentication Method
MQTT5-3.15.2.2.2-a    both   must      AUTH has the method, once.
§ 3.15.2.2.3 Authentication Data
MQTT5-3.15.2.2.3-a    both   must-not  Authentication Data is given once.
§ 3.15.2.2.4 Reason String
MQTT5-3.15.2.2.4-a    both   must-not  AUTH has one reason string.

# 4.1 Session state
§ 4.1 Session State
MQTT5-4.1-a           server must      Subscriptions, their identifiers, waiting and unfinished messages and the will
  are session state.
MQTT5-4.1-b           server must-not  Retained messages are not, and stay when a session ends.

# 4.7 Topic names and filters
§ 4.7.2 Topics beginning with $
MQTT5-4.7.2-a         server should    Clients cannot use names that start with '$' to reach one another.

# 4.8 Subscriptions
§ 4.8.2 Shared Subscriptions
MQTT5-4.8.2-a         server must      Of all members of a shared subscription one gets each message.
MQTT5-4.8.2-b         server must      Each shared subscription gets its own copy, besides those that are not shared.
MQTT5-4.8.2-c         server must-not  Subscribing to a shared filter sends no retained message.
MQTT5-4.8.2-d         server must      A member leaves by UNSUBSCRIBE with the whole filter, and when its session ends.
MQTT5-4.8.2-e         server must      When the last member leaves, undelivered messages of the shared subscription are
  deleted.
MQTT5-4.8.2-f         server should    A QoS 1 message its member did not acknowledge before its session ended goes to
  another.

# 4.9 Flow control
§ 4.9 Flow Control
MQTT5-4.9-a           both   must      PUBACK, PUBCOMP and a PUBREC of 0x80 or more give one back to the quota, never
  beyond its start.
MQTT5-4.9-b           both   must      A new connection starts with a full quota.

# 4.12 Enhanced authentication
§ 4.12.1 Re-authentication
MQTT5-4.12.1-a        server must      Other packets flow during re-authentication under the old identity.
MQTT5-4.12.1-b        server must      Re-authentication that succeeds is answered with AUTH 0x00.

# 4.13 Handling errors
§ 4.13.1 Malformed Packet and Protocol Errors
MQTT5-4.13.1-a        server should    DISCONNECT (or CONNACK, for CONNECT) names the error, by 0x81 or 0x82 if no code
  is closer.
MQTT5-4.13.1-b        server must-not  One client's error has no effect on other sessions.
§ 4.13.2 Other errors
MQTT5-4.13.2-a        server must-not  An acknowledgement of 0x80 or more has no effect on other packets of the session.
`,
)

export const mqtt311Unnumbered: readonly Clause[] = readTable(
  'MQTT311',
  `
# 2 Packet format
§ 2.2.3 Remaining Length
MQTT311-2.2.3-a       both   must      Remaining Length has at most four bytes.

# 3.1 CONNECT
§ 3.1.4 Response
MQTT311-3.1.4-a       server should    A connection on which no CONNECT comes in reasonable time is closed.
MQTT311-3.1.4-b       server must      A CONNECT that is formed well but not allowed is answered with a return code and
  the end.

# 3.2 CONNACK
§ 3.2.2.1 Connect Acknowledge Flags
MQTT311-3.2.2.1-a     server must      Bits 7 to 1 of the acknowledge flags are 0.

# 3.14 DISCONNECT
§ 3.14.4 Response
MQTT311-3.14.4-a      server should    The server closes after the client's DISCONNECT.

# 4.4 Message delivery retry
§ 4.4 Message delivery retry
MQTT311-4.4-a         server should    Messages are sent again on reconnecting only.

# 4.7 Topic names and filters
§ 4.7.2 Topics beginning with $
MQTT311-4.7.2-a       server should    Clients cannot use names that start with '$' to reach one another.

# 4.8 Handling errors
§ 4.8 Handling errors
MQTT311-4.8-a         server should    A passing fault with one client has no effect on others.
`,
)
