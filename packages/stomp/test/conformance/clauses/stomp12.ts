/**
 * What STOMP 1.2 asks of a server. That text numbers nothing: these ids are the anchor of the section and a letter. Its MUST and its
 * plain "does" are "must" here. What it only allows (MAY) is left out.
 */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const stomp12: readonly Clause[] = readTable(
  'STOMP12',
  `
# Frames
§ STOMP_Frames STOMP Frames
STOMP12-STOMP_Frames-a                both   must      A frame is a command line, header lines, an empty line, a body and NUL; lines
  end in LF with or without a CR before it.
STOMP12-STOMP_Frames-b                both   must      A header line is a name, a colon and a value.
STOMP12-STOMP_Frames-c                both   must      Commands and header names are case sensitive.
STOMP12-STOMP_Frames-d                both   must      Line ends may follow the NUL of a frame.
§ Value_Encoding Value Encoding
STOMP12-Value_Encoding-a              both   must      Commands and headers are UTF-8.
STOMP12-Value_Encoding-b              both   must-not  Headers of CONNECT and CONNECTED have no escapes.
STOMP12-Value_Encoding-c              both   must      \\r, \\n, \\c and \\\\ are undone when headers are read, and made when they are
  written.
STOMP12-Value_Encoding-d              both   must      Every other escape is a fatal error.
STOMP12-Value_Encoding-e              both   must-not  Header names and values are neither trimmed nor padded.
§ Body Body
STOMP12-Body-a                        both   must-not  Only SEND, MESSAGE and ERROR have a body.
§ Header_content-length Header content-length
STOMP12-Header_content-length-a       both   must      content-length is the number of octets of the body; every frame may have it.
STOMP12-Header_content-length-b       both   must      So many octets are read, NUL or not, and a NUL ends the frame all the same.
STOMP12-Header_content-length-c       both   should    Frames with a body have a content-length.
  deviates: text that came without it goes on without it, which tells JMS clients that it is text; it holds no NUL
STOMP12-Header_content-length-d       both   must      A frame whose body has a NUL has a content-length.
§ Header_content-type Header content-type
STOMP12-Header_content-type-a         both   should    Frames with a body have a content-type.
STOMP12-Header_content-type-b         both   must      A content-type is a MIME type.
§ Header_receipt Header receipt
STOMP12-Header_receipt-a              server must      A client frame with receipt, other than CONNECT, is answered with RECEIPT.
§ Repeated_Header_Entries Repeated Header Entries
STOMP12-Repeated_Header_Entries-a     both   should    Of headers with one name the first counts.
§ Size_Limits Size Limits
STOMP12-Size_Limits-a                 server should    A frame beyond a limit on headers, lines or body gets ERROR, and the
  connection is closed.
§ Connection_Lingering Connection Lingering
STOMP12-Connection_Lingering-a        server must      Clients may connect and disconnect in quick succession.

# Connecting
§ Connecting Connecting
STOMP12-Connecting-a                  server must      An accepted CONNECT is answered with CONNECTED.
STOMP12-Connecting-b                  server should    A refused client gets ERROR with the reason, and the connection is closed.
§ CONNECT_or_STOMP_Frame CONNECT or STOMP Frame
STOMP12-CONNECT_or_STOMP_Frame-a      server must      STOMP is handled as CONNECT is.
STOMP12-CONNECT_or_STOMP_Frame-b      client must      CONNECT has accept-version and host.
  why: a server cannot ask a client that does not say its version for the host, and has one virtual host to offer.
§ CONNECTED_Frame CONNECTED Frame
STOMP12-CONNECTED_Frame-a             server must      CONNECTED has the version of the session.
STOMP12-CONNECTED_Frame-b             server must      A server header has a name, perhaps a version, and comments apart by spaces.
§ Protocol_Negotiation Protocol Negotiation
STOMP12-Protocol_Negotiation-a        server must      A CONNECT without accept-version means 1.0.
STOMP12-Protocol_Negotiation-b        server must      The session speaks the highest version that both have.
STOMP12-Protocol_Negotiation-c        server must      Without one in common the client gets ERROR, and the connection is closed.
STOMP12-Protocol_Negotiation-d        server should    That ERROR names the versions spoken in version and in its text.
§ Heart-beating Heart-beating
STOMP12-Heart-beating-a               both   must      heart-beat has two whole numbers apart by a comma.
STOMP12-Heart-beating-b               both   must      No heart-beat header means 0,0.
STOMP12-Heart-beating-c               both   must      0 on either side of a direction means no heart-beats in it.
STOMP12-Heart-beating-d               both   must      Otherwise they come at least as often as the larger of the two numbers says.
STOMP12-Heart-beating-e               both   must      New data is sent at least once in that time.
STOMP12-Heart-beating-f               both   must      With no frame to send, a line end is.
STOMP12-Heart-beating-g               both   should    Whoever waits for heart-beats allows for late ones.
STOMP12-Heart-beating-h               both   must      Any data that comes counts as a sign of life.

# Client frames
§ Client_Frames Client Frames
STOMP12-Client_Frames-a               server should    A frame with another command gets ERROR, and the connection is closed.
§ SEND SEND
STOMP12-SEND-a                        both   must      SEND has a destination.
STOMP12-SEND-b                        server must      SEND with transaction is part of it.
STOMP12-SEND-c                        server must      User defined headers are passed on in MESSAGE.
STOMP12-SEND-d                        server must      A SEND that fails gets ERROR, and the connection is closed.
§ SUBSCRIBE SUBSCRIBE
STOMP12-SUBSCRIBE-a                   both   must      SUBSCRIBE has a destination.
STOMP12-SUBSCRIBE-b                   server must      Messages that come to the destination are delivered as MESSAGE.
STOMP12-SUBSCRIBE-c                   server must      A SUBSCRIBE that fails gets ERROR, and the connection is closed.
§ SUBSCRIBE_id_Header SUBSCRIBE id Header
STOMP12-SUBSCRIBE_id_Header-a         both   must      SUBSCRIBE has an id.
STOMP12-SUBSCRIBE_id_Header-b         both   must      Subscriptions of one connection have different ids.
§ SUBSCRIBE_ack_Header SUBSCRIBE ack Header
STOMP12-SUBSCRIBE_ack_Header-a        server must      ack is auto, client or client-individual; without it, auto.
STOMP12-SUBSCRIBE_ack_Header-b        server must      auto: sent is acknowledged.
STOMP12-SUBSCRIBE_ack_Header-c        server must      client: a message without ACK was not processed, and ACK covers all before it.
STOMP12-SUBSCRIBE_ack_Header-d        server must-not  client-individual: ACK and NACK never cover another message.
§ UNSUBSCRIBE UNSUBSCRIBE
STOMP12-UNSUBSCRIBE-a                 server must      After it the connection gets no more messages from the subscription.
STOMP12-UNSUBSCRIBE-b                 both   must      UNSUBSCRIBE has the id of a subscription there is.
§ ACK ACK
STOMP12-ACK-a                         both   must      ACK has an id: the ack header of the MESSAGE.
STOMP12-ACK-b                         server should    ACK with transaction is part of it.
STOMP12-ACK-c                         server must      Until its ACK a message of client or client-individual is not consumed.
§ NACK NACK
STOMP12-NACK-a                        server must      NACK says that the client did not consume the message.
STOMP12-NACK-b                        both   must      NACK takes the headers of ACK.
STOMP12-NACK-c                        server must      NACK is about one message, or in mode client about all before it, too.
§ BEGIN BEGIN
STOMP12-BEGIN-a                       both   must      BEGIN has a transaction.
STOMP12-BEGIN-b                       server must      What a transaction sends and acknowledges is done as a whole.
STOMP12-BEGIN-c                       both   must      Transactions of one connection have different names.
STOMP12-BEGIN-d                       server must      DISCONNECT and a lost connection abort what is open.
§ COMMIT COMMIT
STOMP12-COMMIT-a                      both   must      COMMIT has the transaction to commit.
§ ABORT ABORT
STOMP12-ABORT-a                       both   must      ABORT has the transaction to roll back.
§ DISCONNECT DISCONNECT
STOMP12-DISCONNECT-a                  server must      DISCONNECT with receipt is answered when all frames before it were received.
STOMP12-DISCONNECT-b                  both   must-not  No frame follows DISCONNECT.

# Server frames
§ MESSAGE MESSAGE
STOMP12-MESSAGE-a                     server must      MESSAGE has the destination the message was sent to, as the SEND had it.
STOMP12-MESSAGE-b                     server must      MESSAGE has the subscription it is for.
STOMP12-MESSAGE-c                     server must      MESSAGE has a message-id of its own.
STOMP12-MESSAGE-d                     server must      MESSAGE has an ack header where the subscription acknowledges.
STOMP12-MESSAGE-e                     server must      MESSAGE has all user defined headers of the message.
§ RECEIPT RECEIPT
STOMP12-RECEIPT-a                     server must      RECEIPT has the receipt as receipt-id.
STOMP12-RECEIPT-b                     server must      RECEIPT comes once the frame was processed, and all before it were received.
STOMP12-RECEIPT-c                     server should    Frames of a client that is gone are processed still.
§ ERROR ERROR
STOMP12-ERROR-a                       server must      The connection is closed after ERROR.
STOMP12-ERROR-b                       server should    ERROR has a message with a short description.
STOMP12-ERROR-c                       server should    ERROR about a frame with receipt has it as receipt-id.

# Grammar
§ Augmented_BNF Augmented BNF
STOMP12-Augmented_BNF-a               both   must      A header name has at least one octet; a value may be empty.
STOMP12-Augmented_BNF-b               both   must-not  CR, LF and colon stand in names and values as escapes only.
  deviates: a colon in a value is taken as it is, because many clients send it and it cannot be misread; what the broker sends has
  the escape
STOMP12-Augmented_BNF-c               both   must      Any other octet may stand in a name or value.
  deviates: NUL in headers is refused, because most clients end the frame there: it would let one client write frames to another
`,
)
