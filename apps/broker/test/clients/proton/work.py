"""Releases, modifies, rejects, selects, browses, drains and asks over a temporary address; prints each as one line of JSON."""

import json
import uuid

from peer import NAME, connect
from proton import Delivery, Message, Terminus
from proton.reactor import Copy, Selector
from proton.utils import LinkDetached

result = {}
connection = connect()
sender = connection.create_sender(NAME)
mark = str(uuid.uuid4())
sender.send(Message(body="job", durable=True, properties={"mark": mark}))
receiver = connection.create_receiver(NAME, credit=1)
counts = []
for outcome in (Delivery.RELEASED, Delivery.MODIFIED, Delivery.REJECTED):
    message = receiver.receive()
    counts.append([message.delivery_count, message.first_acquirer])
    receiver.fetcher.unsettled[0].local.failed = outcome == Delivery.MODIFIED
    receiver.settle(outcome)
receiver.close()
result["counts"] = counts
dead = connection.create_receiver("queue://DLQ", options=Selector(f"mark = '{mark}'"))
result["dead"] = dead.receive().body
dead.accept()
dead.close()

for number in range(6):
    sender.send(Message(body=number, properties={"number": number, "kind": "even" if number % 2 == 0 else "odd"}))


def drained(receiver, credit):
    """All that comes for the credit until the broker says that there is no more."""
    receiver.link.drain(credit)
    connection.wait(lambda: receiver.link.credit == 0, msg="end of drain")
    receiver.link.drain_mode = False
    bodies = []
    while receiver.fetcher.has_message:
        message = receiver.receive(timeout=0)
        bodies.append(message.body)
        if receiver.fetcher.unsettled:
            receiver.accept()
    return bodies


browser = connection.create_receiver(NAME, credit=0, options=Copy())
result["browsed"] = drained(browser, 100)
browser.close()
selecting = connection.create_receiver(NAME, credit=0, options=Selector("kind = 'odd' AND number > 1"))
result["selected"] = drained(selecting, 100)
selecting.close()
rest = connection.create_receiver(NAME, credit=0)
result["drained"] = [drained(rest, 2), drained(rest, 100), drained(rest, 100)]
rest.close()

requests = connection.create_receiver(NAME)
replies = connection.create_receiver(None, dynamic=True)
assert replies.link.remote_source.type == Terminus.SOURCE
sender.send(Message(body="slithy", reply_to=replies.link.remote_source.address, correlation_id="1"))
request = requests.receive()
requests.accept()
relay = connection.create_sender(None)
relay.send(Message(address=request.reply_to, body=request.body.upper(), correlation_id=request.correlation_id))
reply = replies.receive()
replies.accept()
result["reply"] = [reply.body, reply.correlation_id]

try:
    connection.create_receiver(NAME, name="wrong", options=Selector("number ="))
except LinkDetached as error:
    result["refused"] = str(error)
connection.close()
print(json.dumps(result))
