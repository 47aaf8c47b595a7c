"""Acknowledges in every mode, refuses, and works in transactions; prints what was left each time as one line of JSON."""

import json
import os
import uuid

from peer import VERSION, Peer

NAME = os.environ["STOMP_DESTINATION"]
result = {}

for mode in ["client"] if VERSION == "1.0" else ["client", "client-individual"]:
    first = Peer()
    first.subscribe(f"{NAME}.{mode}", ack=mode)
    for text in ["a", "b", "c"]:
        first.send(f"{NAME}.{mode}", text)
    second_message = first.take(3)[1]
    if VERSION == "1.0":
        first.confirmed(
            lambda receipt: first.stomp.send_frame(
                "ACK", {"message-id": second_message.headers["message-id"], "receipt": receipt}
            )
        )
    else:
        first.ack(second_message)
    first.stomp.transport.disconnect_socket()
    first.until("end", lambda: first.is_lost)
    second = Peer()
    second.subscribe(f"{NAME}.{mode}")
    result[mode] = second.take_texts(1 if mode == "client" else 2)
    second.end()

peer = Peer()
if VERSION != "1.0":
    mark = str(uuid.uuid4())
    peer.subscribe(f"{NAME}.nack", ack="client-individual")
    peer.send(f"{NAME}.nack", "poison", mark=mark)
    peer.nack(peer.take(1)[0])
    peer.subscribe("/queue/DLQ", id="dead", selector=f"mark = '{mark}'")
    result["dead"] = peer.take_texts(1)

peer.subscribe(f"{NAME}.results", id="results")
for end in [peer.stomp.abort, peer.stomp.commit]:
    transaction = peer.stomp.begin()
    for text in ["one", "two"]:
        peer.send(f"{NAME}.results", f"{end.__name__} {text}", transaction=transaction)
    assert len(peer.messages) == peer.taken, "a transaction that is not over"
    end(transaction)
result["results"] = peer.take_texts(2)
peer.end()
print(json.dumps(result))
