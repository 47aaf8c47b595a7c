/*
 * Sends COUNT durable messages of many sizes to ADDRESS, receives them over the same connection, and asks with drain whether that is all:
 *
 *     exchange HOST PORT ADDRESS COUNT
 *
 * Prints "accepted N", "received N" and "drained", in the order in which these come about; ends with 1 for whatever is not as it was sent.
 */
#include <proton/connection.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/message.h>
#include <proton/proactor.h>
#include <proton/session.h>
#include <proton/transport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Above the broker's largest frame: such a message comes and goes in several. */
#define LARGE_BYTES 400000
#define LARGE_EVERY 10

static const char *address;
static int count, sent, accepted, received, draining;
static char *incoming;
static size_t incoming_size;

static void fail(const char *what, const char *detail) {
  fprintf(stderr, "%s: %s\n", what, detail ? detail : "");
  exit(1);
}

static size_t size_of(int number) { return number % LARGE_EVERY == 0 ? LARGE_BYTES : (size_t)(number * 7); }

static char byte_at(int number, size_t at) { return (char)(number + at * 31); }

static void send_next(pn_link_t *sender) {
  size_t size = size_of(sent), encoded_size = LARGE_BYTES + 1024;
  char *body = malloc(size + 1), *encoded = malloc(encoded_size);
  pn_message_t *message = pn_message();
  for (size_t at = 0; at < size; at++) body[at] = byte_at(sent, at);
  pn_message_set_durable(message, true);
  pn_message_set_inferred(message, true);
  pn_data_put_ulong(pn_message_id(message), (uint64_t)sent);
  pn_data_put_binary(pn_message_body(message), pn_bytes(size, body));
  if (pn_message_encode(message, encoded, &encoded_size)) fail("encode", NULL);
  pn_delivery(sender, pn_dtag((const char *)&sent, sizeof(sent)));
  pn_link_send(sender, encoded, encoded_size);
  pn_link_advance(sender);
  pn_message_free(message);
  free(body);
  free(encoded);
  sent++;
}

static void check(const char *encoded, size_t encoded_size) {
  pn_message_t *message = pn_message();
  if (pn_message_decode(message, encoded, encoded_size)) fail("decode", pn_error_text(pn_message_error(message)));
  pn_data_t *id = pn_message_id(message), *body = pn_message_body(message);
  pn_data_next(id);
  pn_data_next(body);
  if (pn_data_get_ulong(id) != (uint64_t)received) fail("order", "another message was due");
  pn_bytes_t bytes = pn_data_get_binary(body);
  if (bytes.size != size_of(received)) fail("size", "not as it was sent");
  for (size_t at = 0; at < bytes.size; at++) {
    if (bytes.start[at] != byte_at(received, at)) fail("body", "not as it was sent");
  }
  if (!pn_message_is_durable(message)) fail("durable", "not as it was sent");
  pn_message_free(message);
}

static void on_received(pn_link_t *receiver, pn_delivery_t *delivery) {
  size_t pending = pn_delivery_pending(delivery);
  incoming = realloc(incoming, incoming_size + pending + 1);
  ssize_t got = pn_link_recv(receiver, incoming + incoming_size, pending);
  if (got > 0) incoming_size += (size_t)got;
  if (pn_delivery_partial(delivery)) return;
  check(incoming, incoming_size);
  incoming_size = 0;
  pn_delivery_update(delivery, PN_ACCEPTED);
  pn_delivery_settle(delivery);
  if (++received == count) {
    printf("received %d\n", received);
    draining = 1;
    pn_link_drain(receiver, 10);
  }
}

static void on_delivery(pn_delivery_t *delivery) {
  pn_link_t *link = pn_delivery_link(delivery);
  if (pn_link_is_receiver(link)) {
    if (pn_delivery_readable(delivery)) on_received(link, delivery);
    return;
  }
  if (!pn_delivery_updated(delivery)) return;
  if (pn_delivery_remote_state(delivery) != PN_ACCEPTED) fail("outcome", "not accepted");
  pn_delivery_settle(delivery);
  if (++accepted == count) printf("accepted %d\n", accepted);
}

static void on_connection(pn_connection_t *connection) {
  pn_connection_set_container(connection, "proton-c");
  pn_connection_open(connection);
  pn_session_t *session = pn_session(connection);
  pn_session_open(session);
  pn_link_t *sender = pn_sender(session, "out"), *receiver = pn_receiver(session, "in");
  pn_terminus_set_address(pn_link_target(sender), address);
  pn_terminus_set_address(pn_link_source(receiver), address);
  pn_link_open(sender);
  pn_link_open(receiver);
  pn_link_flow(receiver, count);
}

/* False when all is over. */
static int handle(pn_event_t *event) {
  pn_condition_t *condition = pn_event_condition(event);
  if (condition && pn_condition_is_set(condition)) fail(pn_event_type_name(pn_event_type(event)), pn_condition_get_description(condition));
  switch (pn_event_type(event)) {
    case PN_CONNECTION_INIT:
      on_connection(pn_event_connection(event));
      break;
    case PN_LINK_FLOW: {
      pn_link_t *link = pn_event_link(event);
      while (pn_link_is_sender(link) && pn_link_credit(link) > 0 && sent < count) send_next(link);
      if (draining && pn_link_is_receiver(link) && !pn_link_draining(link)) {
        printf("drained\n");
        pn_connection_close(pn_event_connection(event));
      }
      break;
    }
    case PN_DELIVERY:
      on_delivery(pn_event_delivery(event));
      break;
    case PN_PROACTOR_INACTIVE:
      return 0;
    default:
      break;
  }
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 5) fail("usage", "exchange HOST PORT ADDRESS COUNT");
  char place[PN_MAX_ADDR];
  pn_proactor_addr(place, sizeof(place), argv[1], argv[2]);
  address = argv[3];
  count = atoi(argv[4]);
  pn_proactor_t *proactor = pn_proactor();
  pn_proactor_connect2(proactor, NULL, NULL, place);
  for (int is_running = 1; is_running;) {
    pn_event_batch_t *batch = pn_proactor_wait(proactor);
    for (pn_event_t *event; is_running && (event = pn_event_batch_next(batch));) is_running = handle(event);
    pn_proactor_done(proactor, batch);
  }
  pn_proactor_free(proactor);
  free(incoming);
  return received == count && accepted == count ? 0 : 1;
}
