"""Subscribes durably and in shares, goes away and comes back; prints what was collected as one line of JSON."""

import json
import uuid

from peer import NAME, connect
from proton import Message, symbol
from proton.reactor import DurableSubscription, ReceiverOption

result = {}
desk = f"desk-{uuid.uuid4()}"
publisher = connect()
sender = publisher.create_sender(NAME)


class Shared(ReceiverOption):
    def apply(self, receiver):
        receiver.source.capabilities.put_array(False, 21)
        receiver.source.capabilities.enter()
        for name in ("topic", "shared", "global"):
            receiver.source.capabilities.put_symbol(symbol(name))
        receiver.source.capabilities.exit()


subscriber = connect(desk)
news = subscriber.create_receiver(NAME, name="news", options=DurableSubscription())
sender.send(Message(body="one"))
result["live"] = news.receive().body
news.accept()
news.link.detach()
subscriber.close()
sender.send(Message(body="two", durable=True))
subscriber = connect(desk)
news = subscriber.create_receiver(NAME, name="news", options=DurableSubscription())
result["collected"] = news.receive().body
news.accept()
news.close()
subscriber.close()

crew = f"crew-{uuid.uuid4()}"
one, two = connect(), connect()
links = [
    one.create_receiver(NAME, name=f"{crew}|global1", credit=2, options=[DurableSubscription(), Shared()]),
    two.create_receiver(NAME, name=f"{crew}|global2", credit=2, options=[DurableSubscription(), Shared()]),
]
for number in range(4):
    sender.send(Message(body=number))
bodies = []
for link in links:
    for _ in range(2):
        bodies.append(link.receive().body)
        link.accept()
result["shared"] = sorted(bodies)
for connection in (publisher, one, two):
    connection.close()
print(json.dumps(result))
