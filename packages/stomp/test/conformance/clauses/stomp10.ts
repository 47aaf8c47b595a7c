/**
 * What STOMP 1.0 asks of a server. It was written without MUST and SHOULD: its plain "does" and "required" are "must" here, its
 * "should" and "recommended" are "should". Ids are the anchor of the section and a letter. "=" marks a rule that 1.2 has too, "≠"
 * one that later versions changed or dropped.
 */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const stomp10: readonly Clause[] = readTable(
  'STOMP10',
  `
# Frames
§ Frame Frames
STOMP10-Frame-a           both   must      = A frame is a command line, header lines, an empty line, a body and NUL.
§ Connecting Connecting
STOMP10-Connecting-a      server must      = CONNECT with login and passcode is answered with CONNECTED.
STOMP10-Connecting-b      server must      ≠ CONNECTED has a session of its own (later: may).

# Client commands
§ SEND SEND
STOMP10-SEND-a            both   must      = SEND has a destination.
STOMP10-SEND-b            server must      = SEND with transaction is part of it.
STOMP10-SEND-c            both   should    = content-length is the number of octets of the body: so many are read, NUL or not.
STOMP10-SEND-d            both   must      = A NUL ends the frame with or without content-length; without it, the first one.
§ SUBSCRIBE SUBSCRIBE
STOMP10-SUBSCRIBE-a       both   must      = SUBSCRIBE has a destination.
STOMP10-SUBSCRIBE-b       server should    ≠ The examples have a space after the colon: it is not part of the value.
STOMP10-SUBSCRIBE-c       server must      ≠ ack is auto or client; without it, auto (later: client-individual, too).
STOMP10-SUBSCRIBE-d       server must      ≠ A body of SUBSCRIBE is ignored (later: there is none).
STOMP10-SUBSCRIBE-e       server should    ≠ With an id, MESSAGE has it as subscription (later: must).
§ UNSUBSCRIBE UNSUBSCRIBE
STOMP10-UNSUBSCRIBE-a     both   must      ≠ UNSUBSCRIBE has a destination, or the id that SUBSCRIBE had.
§ BEGIN BEGIN
STOMP10-BEGIN-a           both   must      = BEGIN has a transaction.
STOMP10-BEGIN-b           server must      = What a transaction sends and acknowledges is done as a whole.
§ COMMIT COMMIT
STOMP10-COMMIT-a          both   must      = COMMIT has the transaction to commit.
§ ACK ACK
STOMP10-ACK-a             both   must      ≠ ACK has the message-id of the MESSAGE.
STOMP10-ACK-b             server must      = ACK with transaction is part of it.
§ ABORT ABORT
STOMP10-ABORT-a           both   must      = ABORT has the transaction to roll back.
§ DISCONNECT DISCONNECT
STOMP10-DISCONNECT-a      server must      = DISCONNECT ends the connection.

# Standard headers
§ Receipt Receipt
STOMP10-Receipt-a         server must      = A client frame with receipt, other than CONNECT, is answered with RECEIPT.

# Server frames
§ MESSAGE MESSAGE
STOMP10-MESSAGE-a         server must      = MESSAGE has the destination the message was delivered to.
STOMP10-MESSAGE-b         server must      = MESSAGE has a message-id of its own.
STOMP10-MESSAGE-c         server should    = MESSAGE has a content-length.
§ RECEIPT RECEIPT
STOMP10-RECEIPT-a         server must      = RECEIPT has the receipt as receipt-id, and no body.
§ ERROR ERROR
STOMP10-ERROR-a           server should    = ERROR has a message with a short description.
STOMP10-ERROR-b           server should    = ERROR has a content-length.

# Grammar
§ Augmented_BNF Augmented BNF
STOMP10-Augmented_BNF-a   both   must      = Command, headers and the empty line end in LF; line ends may follow the NUL.
STOMP10-Augmented_BNF-b   both   must      ≠ A header is a name without colon, a colon and a value; both may hold any ASCII but LF,
  and there are no escapes.
  deviates: NUL in headers is refused, because most clients end the frame there: it would let one client write frames to another
STOMP10-Augmented_BNF-c   both   must      = There are no commands but those of the grammar.
`,
)
