"""Sends texts and bytes to a topic that it reads itself, waits for heart-beats, and prints what arrived as one line of JSON."""

import json
import os

from peer import VERSION, Peer

DESTINATION = os.environ["STOMP_DESTINATION"]

peer = Peer(heartbeats=(1000, 1000))
peer.subscribe(DESTINATION)
peer.send(DESTINATION, "grüße", unit="°C", path="a:b\\c" if VERSION != "1.0" else "a")
content = bytes(range(256)) * 400
peer.send(DESTINATION, content, **{"content-length": str(len(content))})
text, binary = peer.take(2)
if VERSION != "1.0":
    peer.until("heart-beats", lambda: peer.heartbeats >= 3)
result = {
    "version": VERSION,
    "text": text.body.decode(),
    "headers": {name: text.headers[name] for name in ("destination", "unit", "path")},
    "bytesArrived": binary.body == content,
}
peer.end()
print(json.dumps(result))
