/**
 * What STOMP 1.1 asks of a server: ids are the anchor of the section and a letter. "=" marks a rule that 1.2 has too, "≠" one that
 * 1.2 changed or dropped.
 */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const stomp11: readonly Clause[] = readTable(
  'STOMP11',
  `
# Frames
§ STOMP_Frames STOMP Frames
STOMP11-STOMP_Frames-a                both   must      ≠ A frame is a command line, header lines, an empty line, a body and NUL; lines
  end in LF.
STOMP11-STOMP_Frames-b                both   must      = A header line is a name, a colon and a value.
STOMP11-STOMP_Frames-c                both   must      = Commands and header names are case sensitive.
STOMP11-STOMP_Frames-d                both   must      = Line ends may follow the NUL of a frame.
§ Value_Encoding Value Encoding
STOMP11-Value_Encoding-a              both   must      = Commands and headers are UTF-8.
STOMP11-Value_Encoding-b              both   must-not  = Headers of CONNECT and CONNECTED have no escapes.
STOMP11-Value_Encoding-c              both   must      ≠ \\n, \\c and \\\\ are undone when headers are read, and made when they are
  written.
STOMP11-Value_Encoding-d              both   must      ≠ Every other escape, \\r among them, is a fatal error.
STOMP11-Value_Encoding-e              both   must-not  = Header names and values are neither trimmed nor padded.
§ Body Body
STOMP11-Body-a                        both   must-not  = Only SEND, MESSAGE and ERROR have a body.
§ Size_Limits Size Limits
STOMP11-Size_Limits-a                 server should    = A frame beyond a limit on headers, lines or body gets ERROR, and the
  connection is closed.
§ Repeated_Header_Entries Repeated Header Entries
STOMP11-Repeated_Header_Entries-a     both   should    = Of headers with one name the first counts.

# Connecting
§ Connecting Connecting
STOMP11-Connecting-a                  server must      = An accepted CONNECT is answered with CONNECTED.
STOMP11-Connecting-b                  server should    = A refused client gets ERROR with the reason, and the connection is closed.
STOMP11-Connecting-c                  server must      = Clients may connect and disconnect in quick succession.
§ CONNECT_or_STOMP_Frame CONNECT or STOMP Frame
STOMP11-CONNECT_or_STOMP_Frame-a      server should    ≠ STOMP is handled as CONNECT is (1.2: must).
§ CONNECTED_Frame CONNECTED Frame
STOMP11-CONNECTED_Frame-a             server must      = CONNECTED has the version of the session.
STOMP11-CONNECTED_Frame-b             server must      = A server header has a name, perhaps a version, and comments.
§ Protocol_Negotiation Protocol Negotiation
STOMP11-Protocol_Negotiation-a        server must      = A CONNECT without accept-version means 1.0.
STOMP11-Protocol_Negotiation-b        server must      = The session speaks the highest version that both have.
STOMP11-Protocol_Negotiation-c        server should    = Without one in common the client gets ERROR with the versions spoken.
§ Once_Connected Once Connected
STOMP11-Once_Connected-a              server should    = A frame with another command gets ERROR.

# Client frames
§ SEND SEND
STOMP11-SEND-a                        both   must      = SEND has a destination.
STOMP11-SEND-b                        server must      = SEND with transaction is part of it.
STOMP11-SEND-c                        server must      = User defined headers are passed on in MESSAGE.
STOMP11-SEND-d                        server must      = A SEND that fails gets ERROR, and the connection is closed.
§ SUBSCRIBE SUBSCRIBE
STOMP11-SUBSCRIBE-a                   both   must      = SUBSCRIBE has a destination.
STOMP11-SUBSCRIBE-b                   server must      = A SUBSCRIBE that fails gets ERROR, and the connection is closed.
§ SUBSCRIBE_id_Header SUBSCRIBE id Header
STOMP11-SUBSCRIBE_id_Header-a         both   must      = SUBSCRIBE has an id.
§ SUBSCRIBE_ack_Header SUBSCRIBE ack Header
STOMP11-SUBSCRIBE_ack_Header-a        server must      = ack is auto, client or client-individual; without it, auto.
STOMP11-SUBSCRIBE_ack_Header-b        server must      = auto: sent is acknowledged.
STOMP11-SUBSCRIBE_ack_Header-c        server must      = client: ACK covers all messages of the subscription before it.
STOMP11-SUBSCRIBE_ack_Header-d        server must-not  = client-individual: ACK and NACK never cover another message.
§ UNSUBSCRIBE UNSUBSCRIBE
STOMP11-UNSUBSCRIBE-a                 both   must      = UNSUBSCRIBE has the id of a subscription there is.
STOMP11-UNSUBSCRIBE-b                 server must      = After it no more messages come from the subscription.
§ ACK ACK
STOMP11-ACK-a                         both   must      ≠ ACK has the message-id of the MESSAGE.
STOMP11-ACK-b                         both   must      ≠ ACK has the subscription it came for.
STOMP11-ACK-c                         server should    = ACK with transaction is part of it.
§ NACK NACK
STOMP11-NACK-a                        server must      = NACK says that the client did not consume the message.
STOMP11-NACK-b                        both   must      ≠ NACK takes the headers of ACK.
§ BEGIN BEGIN
STOMP11-BEGIN-a                       both   must      = BEGIN has a transaction.
STOMP11-BEGIN-b                       server must      = What a transaction sends and acknowledges is done as a whole.
STOMP11-BEGIN-c                       server must      = DISCONNECT and a lost connection abort what is open.
§ COMMIT COMMIT
STOMP11-COMMIT-a                      both   must      = COMMIT has the transaction to commit.
§ ABORT ABORT
STOMP11-ABORT-a                       both   must      = ABORT has the transaction to roll back.
§ DISCONNECT DISCONNECT
STOMP11-DISCONNECT-a                  server must      = DISCONNECT with receipt is answered when all frames before it were received.
STOMP11-DISCONNECT-b                  both   must-not  = No frame follows DISCONNECT.

# Standard headers
§ Header_content-length Header content-length
STOMP11-Header_content-length-a       both   must      = content-length is the number of octets of the body.
STOMP11-Header_content-length-b       both   must      = So many octets are read, NUL or not, and a NUL ends the frame all the same.
STOMP11-Header_content-length-c       both   should    = Frames with a body have a content-length.
  deviates: text that came without it goes on without it, which tells JMS clients that it is text; it holds no NUL
STOMP11-Header_content-length-d       both   must      = A frame whose body has a NUL has a content-length.
§ Header_content-type Header content-type
STOMP11-Header_content-type-a         both   should    = Frames with a body have a content-type.
§ Header_receipt Header receipt
STOMP11-Header_receipt-a              server must      = A client frame with receipt, other than CONNECT, is answered with RECEIPT.

# Server frames
§ MESSAGE MESSAGE
STOMP11-MESSAGE-a                     server must      = MESSAGE has the destination the message was sent to.
STOMP11-MESSAGE-b                     server must      = MESSAGE has the subscription it is for.
STOMP11-MESSAGE-c                     server must      = MESSAGE has a message-id of its own.
STOMP11-MESSAGE-d                     server must      = MESSAGE has all user defined headers of the message.
§ RECEIPT RECEIPT
STOMP11-RECEIPT-a                     server must      = RECEIPT has the receipt as receipt-id, and no body.
STOMP11-RECEIPT-b                     server must      = RECEIPT comes once the frame was processed.
§ ERROR ERROR
STOMP11-ERROR-a                       server should    = ERROR has a message with a short description.
STOMP11-ERROR-b                       server should    = ERROR about a frame with receipt has it as receipt-id.
STOMP11-ERROR-c                       server must      = The connection is closed after ERROR.

# Heart-beating
§ Heart-beating Heart-beating
STOMP11-Heart-beating-a               both   must      = heart-beat has two whole numbers apart by a comma.
STOMP11-Heart-beating-b               both   must      = No heart-beat header means 0,0.
STOMP11-Heart-beating-c               both   must      = 0 on either side of a direction means no heart-beats in it.
STOMP11-Heart-beating-d               both   must      = Otherwise data is sent as often as the larger of the two numbers says.
STOMP11-Heart-beating-e               both   must      ≠ With no frame to send, LF is (1.2: a line end).
STOMP11-Heart-beating-f               both   should    = Whoever waits for heart-beats allows for late ones.

# Grammar
§ Augmented_BNF Augmented BNF
STOMP11-Augmented_BNF-a               both   must      = A header name has at least one octet; a value may be empty.
STOMP11-Augmented_BNF-b               both   must-not  ≠ LF and colon stand in names and values as escapes only; CR may stand there.
  deviates: a colon in a value is taken as it is, because many clients send it and it cannot be misread; what the broker sends has
  the escape
STOMP11-Augmented_BNF-c               both   must      = Any other octet may stand in a name or value.
  deviates: NUL in headers is refused, because most clients end the frame there: it would let one client write frames to another
`,
)
