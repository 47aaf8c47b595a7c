"""A connection of stomp.py to the broker named in the environment, with what it received in a row and every frame confirmed."""

import os
import select
import ssl
import threading
import uuid

import stomp

# Less than whoever runs this has patience for: he is told what is missing.
WAIT_SECONDS_MAX = 45
CONNECTIONS = {"1.0": stomp.Connection10, "1.1": stomp.Connection11, "1.2": stomp.Connection12}
VERSION = os.environ["STOMP_VERSION"]


class OneAtATime:
    """
    A TLS socket for stomp.py, which reads in one thread and writes in another: OpenSSL allows one at a time, and without this a
    connection in fifty breaks or hangs, with any server.
    """

    def __init__(self, inner):
        self.inner, self.lock = inner, threading.Lock()

    def recv(self, size):
        while True:
            try:
                if not self.inner.pending():
                    select.select([self.inner], [], [])
            except (ValueError, OSError):  # closed meanwhile
                return b""
            with self.lock:
                try:
                    self.inner.settimeout(0)
                    return self.inner.recv(size)
                except ssl.SSLWantReadError:  # a record of TLS itself
                    pass
                finally:
                    self.inner.settimeout(None)

    def sendall(self, data):
        with self.lock:
            self.inner.sendall(data)

    def __getattr__(self, name):
        return getattr(self.inner, name)


class Peer(stomp.ConnectionListener):
    def __init__(self, heartbeats=(0, 0), **headers):
        self.changed = threading.Condition()
        self.messages, self.taken = [], 0
        self.receipts, self.errors = set(), []
        self.heartbeats, self.is_lost = 0, False
        place = [("localhost", int(os.environ["STOMP_PORT"]))]
        # By itself stomp.py gives up a server that is half a second late, as one on a busy machine may be.
        more = {"heartbeats": heartbeats, "heart_beat_receive_scale": 30, "auto_content_length": False}
        more = {} if VERSION == "1.0" else more
        self.stomp = CONNECTIONS[VERSION](place, auto_decode=False, **more)
        if "STOMP_CA" in os.environ:
            self.stomp.set_ssl(place, ca_certs=os.environ["STOMP_CA"])
            self._guard(self.stomp.transport)
        self.stomp.set_listener("peer", self)
        self.stomp.connect(wait=True, headers=headers)

    @staticmethod
    def _guard(transport):
        connect = transport.attempt_connection

        def attempt_connection():
            connect()
            transport.socket = OneAtATime(transport.socket)

        transport.attempt_connection = attempt_connection

    def on_message(self, frame):
        self._note(lambda: self.messages.append(frame))

    def on_receipt(self, frame):
        self._note(lambda: self.receipts.add(frame.headers["receipt-id"]))

    def on_error(self, frame):
        self._note(lambda: self.errors.append(frame.headers["message"]))

    def on_heartbeat(self):
        self.heartbeats += 1
        self._note(lambda: None)

    def on_disconnected(self):
        def lose():
            self.is_lost = True

        self._note(lose)

    def _note(self, change):
        with self.changed:
            change()
            self.changed.notify_all()

    def until(self, what, is_so):
        with self.changed:
            assert self.changed.wait_for(is_so, WAIT_SECONDS_MAX), f"no {what}: {self.messages} {self.errors}"

    def confirmed(self, act):
        """Calls act with a receipt, and returns when that is there."""
        receipt = str(uuid.uuid4())
        act(receipt)
        self.until("receipt", lambda: receipt in self.receipts or self.errors)
        assert not self.errors, self.errors

    def subscribe(self, destination, id="0", ack="auto", **headers):
        headers = {"receipt": None, **{name.replace("_", "-"): value for name, value in headers.items()}}

        def act(receipt):
            headers["receipt"] = receipt
            self.stomp.subscribe(destination, id=id, ack=ack, headers=headers)

        self.confirmed(act)

    def send(self, destination, body, **headers):
        self.confirmed(lambda receipt: self.stomp.send(destination, body, headers={**headers, "receipt": receipt}))

    def ack(self, frame, **more):
        self.confirmed(lambda receipt: self.stomp.ack(*self._id(frame), receipt=receipt, **more))

    def nack(self, frame, **more):
        self.confirmed(lambda receipt: self.stomp.nack(*self._id(frame), receipt=receipt, **more))

    @staticmethod
    def _id(frame):
        if VERSION == "1.2":
            return (frame.headers["ack"],)
        return (frame.headers["message-id"], frame.headers["subscription"])

    def take(self, count):
        """The next messages. Fails when there are more of them already."""
        start = self.taken
        self.until(f"{count} messages", lambda: len(self.messages) >= start + count)
        self.taken = len(self.messages)
        return self.messages[start:]

    def take_texts(self, count):
        return [frame.body.decode() for frame in self.take(count)]

    def end(self):
        self.stomp.disconnect(receipt=str(uuid.uuid4()))
        self.until("end", lambda: self.is_lost)
