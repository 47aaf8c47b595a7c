/** What parts 4 and 5 of AMQP 1.0, transactions and security, ask of a broker. How ids are made: part1.ts. */
import { readTable } from '@ternmq/testkit/clauses'
import type { Clause } from '@ternmq/testkit/clauses'

export const part4: readonly Clause[] = readTable(
  'AMQP10',
  `
# 4 Transactions
§ 4.2 Declaring A Transaction
AMQP10-4.2-a     server must      declare is answered with the outcome declared, which has a new transaction id.
AMQP10-4.2-b     server must      A declare that fails is answered with rejected and the error.
AMQP10-4.2-c     server must      Where the source of the link has no rejected, the link is detached with the error instead.
§ 4.3 Discharging A Transaction
AMQP10-4.3-a     server must      discharge without fail commits, and is answered with accepted.
AMQP10-4.3-b     server must      discharge with fail rolls back, and is answered with accepted.
AMQP10-4.3-c     server must      A discharge that fails is answered with rejected and the error, or detaches as declare does.
AMQP10-4.3-d     server must      When the control link is closed, transactions it declared are rolled back.
AMQP10-4.3-e     server must      Work on a transaction that has ended fails.
§ 4.4.1 Transactional Posting
AMQP10-4.4.1-a   both   must      A transfer is part of a transaction when its state is transactional-state with its id.
AMQP10-4.4.1-b   both   must      All transfers of a delivery name the same transaction.
AMQP10-4.4.1-c   server must      A discharge while a delivery of it is unfinished ends the control link with transaction:rollback.
AMQP10-4.4.1-d   server must      What was posted is seen by nobody before the commit, and never after a rollback.
§ 4.4.2 Transactional Retirement
AMQP10-4.4.2-a   server must      A disposition with transactional-state takes effect with the commit.
AMQP10-4.4.2-b   server must      After a rollback, its deliveries are what they were: unsettled at the controller, or available again.
AMQP10-4.4.2-c   server must      On commit the broker settles what the controller has not.
§ 4.4.3 Transactional Acquisition
AMQP10-4.4.3-a   server must      A flow with txn-id makes what it brings part of the transaction.
  deviates: such a flow detaches its link with not-implemented; no client is known that sends one
§ 4.4.4 Interaction Of Settlement With Transactions
AMQP10-4.4.4-a   server must      An unsettled post gets its outcome, as transactional-state, before the discharge is answered.
AMQP10-4.4.4-b   server must      A settled post that fails makes the discharge fail.
§ 4.5.1 Coordinator
AMQP10-4.5.1-a   server must      The answer to a link to the coordinator says its capabilities.
§ 4.5.2 Declare
AMQP10-4.5.2-a   server must-not  No global-id is taken without distributed transactions.
§ 4.5.3 Discharge
AMQP10-4.5.3-a   both   must      discharge has a txn-id.
§ 4.5.4 Transaction ID
AMQP10-4.5.4-a   server must      A transaction id has at most 32 octets.
§ 4.5.7 Transaction Capability
AMQP10-4.5.7-a   server must      With multi-txns-per-ssn several transactions are open in a session at once.
AMQP10-4.5.7-b   server must      Without multi-ssns-per-txn, an id is known in its session only; with it, in all of the connection.
§ 4.5.8 Transaction Error
AMQP10-4.5.8-a   server must      An id that is not known is transaction:unknown-id.
`,
)

export const part5: readonly Clause[] = readTable(
  'AMQP10',
  `
# 5 Security
§ 5.1 Security Layers
AMQP10-5.1-a     server must      After a security layer, headers are exchanged again, for the next layer or for AMQP.
AMQP10-5.1-b     server must      Where a layer is required, a header of plain AMQP is answered with that of the layer, and the end.
§ 5.2 TLS
AMQP10-5.2-a     server must      A header of the TLS layer (id 2) that is not served is answered with one that is, and the end.
§ 5.3 SASL
AMQP10-5.3-a     server must      A header of the SASL layer ('AMQP', id 3, 1.0.0) is answered with the same.
§ 5.3.1 SASL Frames
AMQP10-5.3.1-a   both   must      SASL frames have type 1; octets 6 and 7 and the extended header are ignored, and sent as 0 and not at all.
AMQP10-5.3.1-b   both   must-not  No SASL frame is larger than 512 octets.
AMQP10-5.3.1-c   both   must      A SASL frame has one of the SASL performatives, and nothing behind it.
AMQP10-5.3.1-d   both   must-not  An empty frame in the SASL layer ends the connection.
§ 5.3.2 SASL Negotiation
AMQP10-5.3.2-a   server must      The server starts with sasl-mechanisms.
AMQP10-5.3.2-b   both   must      The client chooses one of them with sasl-init; challenges and responses follow as the mechanism says.
AMQP10-5.3.2-c   server must      The exchange ends with sasl-outcome.
AMQP10-5.3.2-d   both   must      The TCP client is the SASL client: it sends no mechanisms, challenge or outcome.
AMQP10-5.3.2-e   server must-not  Without a successful outcome nothing of AMQP is served on the connection.
§ 5.3.3.1 SASL Mechanisms
AMQP10-5.3.3.1-a server must-not  The list of mechanisms is not empty.
AMQP10-5.3.3.1-b server should    Mechanisms are in the order in which the server prefers them.
AMQP10-5.3.3.1-c server should    A server that asks for no login offers ANONYMOUS.
§ 5.3.3.2 SASL Init
AMQP10-5.3.3.2-a server must      A mechanism that was not offered is answered with outcome auth, and the end.
AMQP10-5.3.3.2-b client must      A peer takes the best mechanism of those that it can.
  why: a server cannot know what its peer could have done.
§ 5.3.3.5 SASL Outcome
AMQP10-5.3.3.5-a server must-not  additional-data is set where the login succeeded only.
§ 5.3.3.6 SASL Code
AMQP10-5.3.3.6-a server must      ok is 0, credentials that do not fit are 1; errors of the system are 2, 3 and 4.
`,
)
