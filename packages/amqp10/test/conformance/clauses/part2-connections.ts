/** What part 2 of AMQP 1.0 asks of a broker: version, frames, connections and sessions. How ids are made: part1.ts. */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const part2Connections: readonly Clause[] = readTable(
  'AMQP10',
  `
# 2.2 Version negotiation
§ 2.2 Version Negotiation
AMQP10-2.2-a     both   must      Each side starts with a protocol header: 'AMQP', id 0, and the version 1, 0, 0.
AMQP10-2.2-b     both   must      What follows the header is of the version it names.
AMQP10-2.2-c     server must      A version that is served is answered with the same header.
AMQP10-2.2-d     server must      A version that is not served is answered with a header of one that is, and the end.
AMQP10-2.2-e     server should    Of the versions served that are not above the one asked for, it is the highest; else the highest of all.
AMQP10-2.2-f     server must      What is no header is answered with a header that is served, and the end.
AMQP10-2.2-g     server must      A protocol id that is not accepted is answered with the header of one that is, and the end.
AMQP10-2.2-h     both   must      Sides whose headers do not agree close their outgoing stream.
AMQP10-2.2-i     client must      Who has opened the TCP connection sends its header at once.
  why: a server waits for the header as long as its handshake time-out, whenever it comes.

# 2.3 Framing
§ 2.3.1 Frame Layout
AMQP10-2.3.1-a   both   must      SIZE is the size of the whole frame, header and extended header included.
AMQP10-2.3.1-b   both   must-not  SIZE is not below 8.
AMQP10-2.3.1-c   both   must-not  DOFF is not below 2, nor behind the end of the frame.
AMQP10-2.3.1-d   both   must      The body starts at DOFF words of four octets; what lies before it is skipped.
AMQP10-2.3.1-e   both   must      TYPE is 0 for AMQP and 1 for SASL frames; there are no others.
§ 2.3.2 AMQP Frames
AMQP10-2.3.2-a   both   must      Octets 6 and 7 are the channel.
AMQP10-2.3.2-b   both   must      The body is one of the performatives, as a described type, and what follows it is payload.
AMQP10-2.3.2-c   both   must      A frame without body says nothing but that the peer is there.

# 2.4 Connections
§ 2.4 Connections
AMQP10-2.4-a     both   must      Channel numbers count in one direction only: the two of a session may differ.
§ 2.4.1 Opening A Connection
AMQP10-2.4.1-a   both   must      After the header, open is the first frame that either side sends.
AMQP10-2.4.1-b   both   must      Open is sent on channel 0.
AMQP10-2.4.1-c   both   must-not  Before open, no frame is larger than 512 octets, and no channel is above 0.
AMQP10-2.4.1-d   both   must      After both opens each side stays within what the other has said.
AMQP10-2.4.1-e   both   must-not  Open is not sent twice.
§ 2.4.2 Pipelined Open
AMQP10-2.4.2-a   server must      A peer may send on before it has seen header and open of its partner; it is served no differently.
§ 2.4.3 Closing A Connection
AMQP10-2.4.3-a   both   must      Before a connection is closed, each side writes close.
AMQP10-2.4.3-b   both   must-not  Nothing is written after close.
AMQP10-2.4.3-c   both   must      Close is taken on every channel up to channel-max.
AMQP10-2.4.3-d   server should    Close is sent on channel 0.
AMQP10-2.4.3-e   both   should    After its close a side reads on until that of its partner comes, for a reasonable time.
AMQP10-2.4.3-f   server must      Close is answered with close.
§ 2.4.4 Simultaneous Close
AMQP10-2.4.4-a   both   must      Two closes that cross end the connection as a close and its answer do.
§ 2.4.5 Idle Timeout Of A Connection
AMQP10-2.4.5-a   server should    A peer that sends no frame for longer than the time-out gets close with an error that says why.
AMQP10-2.4.5-b   server must      A connection is not silent for longer than its peer has asked for in idle-time-out.
AMQP10-2.4.5-c   server should    idle-time-out is half of the time after which a peer is given up.
AMQP10-2.4.5-d   server should    An idle-time-out that cannot be served is answered with close and an error that says why.
AMQP10-2.4.5-e   both   must      Empty frames are taken on every valid channel.
AMQP10-2.4.5-f   server should    Empty frames are sent on channel 0.
AMQP10-2.4.5-g   both   must-not  Empty frames are sent neither before open nor after close.
AMQP10-2.4.5-h   server must      A peer that does not answer close within a time is closed.
AMQP10-2.4.5-i   both   must      Every frame counts as a sign of life, and each side has a time-out of its own.
§ 2.4.6 Connection States
AMQP10-2.4.6-a   both   must      After a close that says an error, all that comes is dropped until the close of the peer.

# 2.5 Sessions
§ 2.5 Sessions
AMQP10-2.5-a     both   must-not  A link is attached to one session at a time.
§ 2.5.1 Establishing A Session
AMQP10-2.5.1-a   both   must-not  The begin of the side that starts a session has no remote-channel.
AMQP10-2.5.1-b   both   must      The begin that answers has the channel of the begin it answers as remote-channel.
AMQP10-2.5.1-c   server should    The lowest free channel is taken for a session.
AMQP10-2.5.1-d   both   must-not  Begin is not sent on a channel that has a session.
§ 2.5.2 Ending A Session
AMQP10-2.5.2-a   both   must      A session ends with its connection.
AMQP10-2.5.2-b   both   must      End is answered with end, and frees the channel.
§ 2.5.3 Simultaneous End
AMQP10-2.5.3-a   both   must      Two ends that cross end the session as an end and its answer do.
§ 2.5.4 Session Errors
AMQP10-2.5.4-a   server must      A session that cannot go on sends end with an error that says why.
AMQP10-2.5.4-b   server must      After it, all that comes for the session is dropped until the end of the peer.
§ 2.5.5 Session States
AMQP10-2.5.5-a   both   must-not  No frame of a session is sent before its begin or after its end.
§ 2.5.6 Session Flow Control
AMQP10-2.5.6-a   both   must      Each transfer frame has a transfer-id: next-outgoing-id, which then goes up by one.
AMQP10-2.5.6-b   both   must-not  No transfer is sent beyond the incoming-window of the peer.
AMQP10-2.5.6-c   both   must-not  The peer sends no transfer beyond our incoming-window.
AMQP10-2.5.6-d   both   must      A flow sets next-incoming-id to its next-outgoing-id, and the remote outgoing window to its outgoing-window.
AMQP10-2.5.6-e   both   must      The remote incoming window is next-incoming-id plus incoming-window of the flow, less what was sent.
AMQP10-2.5.6-f   both   must      Without a next-incoming-id, the first next-outgoing-id stands for it.
AMQP10-2.5.6-g   both   must      Transfer ids are serial numbers: after 2^32-1 comes 0.
AMQP10-2.5.6-h   server must      The window that is announced is opened again as transfers are handled.
`,
)
