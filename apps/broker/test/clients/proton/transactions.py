"""Sends and accepts in transactions that end either way; prints what counted in the end as one line of JSON."""

import json

from peer import NAME, URL, connect, ssl_domain
from proton import Message
from proton.handlers import MessagingHandler, TransactionHandler
from proton.reactor import Container

INPUT, OUTPUT = f"{NAME}.in", f"{NAME}.out"


class Mover(MessagingHandler, TransactionHandler):
    """Moves three messages from one queue to another, in transactions that commit when `commits` says so."""

    def __init__(self, commits):
        super().__init__(prefetch=0, auto_accept=False)
        self.commits, self.seen = list(commits), []
        self.transaction = None

    def on_start(self, event):
        self.container = event.container
        self.connection = self.container.connect(URL, ssl_domain=ssl_domain(), sasl_enabled=False, reconnect=False)
        self.receiver = self.container.create_receiver(self.connection, INPUT)
        self.sender = self.container.create_sender(self.connection, OUTPUT)
        self.begin()

    def begin(self):
        self.count = 0
        self.container.declare_transaction(self.connection, handler=self)

    def on_transaction_declared(self, event):
        self.transaction = event.transaction
        self.receiver.flow(3)

    def on_message(self, event):
        self.seen.append([event.message.body, event.message.delivery_count])
        self.transaction.accept(event.delivery)
        self.transaction.send(self.sender, Message(body=event.message.body, durable=True))
        self.count += 1
        if self.count == 3:
            self.transaction.commit() if self.commits.pop(0) else self.transaction.abort()

    def on_transaction_aborted(self, event):
        self.seen.append("aborted")
        self.begin()

    def on_transaction_committed(self, event):
        self.seen.append("committed")
        self.connection.close()

    def on_transaction_declare_failed(self, event):
        self.seen.append("declare failed")
        self.connection.close()

    def on_transaction_commit_failed(self, event):
        self.seen.append("commit failed")
        self.connection.close()


def left_in(connection, address):
    receiver = connection.create_receiver(address, credit=0)
    receiver.link.drain(100)
    connection.wait(lambda: receiver.link.credit == 0, msg="end of drain")
    bodies = []
    while receiver.fetcher.has_message:
        bodies.append(receiver.receive(timeout=0).body)
    receiver.close()
    return bodies


before = connect()
sender = before.create_sender(INPUT)
for body in ["a", "b", "c"]:
    sender.send(Message(body=body, durable=True))
mover = Mover([False, True])
Container(mover).run()
result = {"seen": mover.seen, "in": left_in(before, INPUT), "out": left_in(before, OUTPUT)}
before.close()
print(json.dumps(result))
