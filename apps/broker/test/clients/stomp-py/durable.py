"""Collects messages in a durable subscription while away, and makes a mistake; prints what came of it as one line of JSON."""

import json
import os
import uuid

from peer import Peer

TOPIC = os.environ["STOMP_DESTINATION"]
CLIENT_ID = {"client-id": f"desk-{uuid.uuid4()}"}


def subscriber():
    peer = Peer(**CLIENT_ID)
    peer.subscribe(TOPIC, **{"activemq.subscriptionName": "news"})
    return peer


subscriber().end()
sender = Peer()
for text in ["one", "two"]:
    sender.send(TOPIC, text, persistent="true")
back = subscriber()
collected = back.take_texts(2)
back.end()

sender.stomp.commit("no-such")
sender.until("error", lambda: sender.errors)
sender.until("end", lambda: sender.is_lost)
print(json.dumps({"collected": collected, "errors": sender.errors}))
