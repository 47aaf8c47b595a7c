"""Logs in by the mechanism in the environment, and prints the user that the broker knows, or what it said instead."""

import json
import os

from peer import NAME, connect
from proton import ConnectionException, Message

options = {"sasl_enabled": True, "allowed_mechs": os.environ["AMQP_MECHANISM"]}
for option, name in [("user", "AMQP_USER"), ("password", "AMQP_PASSWORD")]:
    if name in os.environ:
        options[option] = os.environ[name]
try:
    connection = connect(**options)
except ConnectionException as error:
    print(json.dumps({"refused": str(error)}))
else:
    # Nobody speaks for somebody else: only the own name goes through.
    sender, receiver = connection.create_sender(NAME), connection.create_receiver(NAME)
    sender.send(Message(body="in", user_id=os.environ.get("AMQP_EXPECTED", "").encode() or None))
    print(json.dumps({"received": receiver.receive().body}))
    receiver.accept()
    connection.close()
