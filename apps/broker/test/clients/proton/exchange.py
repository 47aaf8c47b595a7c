"""Sends values of every type there and back, in both kinds of durability; prints what differs, which is nothing, as JSON."""

import json
import uuid

from peer import NAME, connect
from proton import Array, Data, Message, byte, char, float32, int32, short, symbol, timestamp, ubyte, uint, ulong, ushort

BYTES = bytes(index % 256 for index in range(300_000))
VALUES = {
    "none": None,
    "text": "grüße",
    "long text": "ß" * 100_000,
    "bytes": BYTES,
    "small": b"\x00",
    "true": True,
    "ubyte": ubyte(200),
    "ushort": ushort(60_000),
    "uint": uint(4_000_000_000),
    "ulong": ulong(2**63 + 1),
    "byte": byte(-100),
    "short": short(-30_000),
    "int": int32(-2_000_000_000),
    "long": -(2**62),
    "float": float32(1.5),
    "double": 0.1,
    "char": char("€"),
    "timestamp": timestamp(1_700_000_000_123),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "symbol": symbol("a.symbol"),
    "list": [1, "two", [3, None], {"four": 4}],
    "map": {"a": 1, 2: "b", symbol("c"): [True]},
    "array": Array(None, Data.INT, 1, 2, 3),
}


def said(**more):
    message = Message(**more)
    message.id = uuid.UUID("12345678-1234-5678-1234-567812345678")
    message.correlation_id = ulong(7)
    message.subject, message.reply_to = "weather", "queue://answers"
    message.content_type, message.content_encoding = symbol("text/plain"), symbol("identity")
    message.group_id, message.group_sequence, message.reply_to_group_id = "g", 3, "h"
    message.creation_time, message.expiry_time = 1_700_000_000.0, 4_000_000_000.0
    message.properties = {"unit": "°C", "level": int32(7), "hot": True, "at": timestamp(1), "none": None}
    message.annotations = {symbol("x-opt-own"): [1, 2]}
    message.priority, message.ttl = 7, 3_600
    return message


def differences(sent, got):
    names = "body id correlation_id subject reply_to content_type content_encoding group_id group_sequence reply_to_group_id"
    names += " creation_time expiry_time properties annotations priority durable inferred"
    for name in names.split():
        before, after = getattr(sent, name), getattr(got, name)
        if type(before) is not type(after) or before != after:
            yield f"{name}: {before!r:.80} became {after!r:.80}"
    if not 0 < got.ttl <= sent.ttl:
        yield f"ttl: {got.ttl}"


connection = connect()
sender, receiver = connection.create_sender(NAME), connection.create_receiver(NAME, credit=10)
result = {}
for name, value in VALUES.items():
    for durable in (False, True):
        message = said(body=value, durable=durable, inferred=isinstance(value, bytes))
        sender.send(message)
        got = receiver.receive()
        receiver.accept()
        found = list(differences(message, got))
        if found:
            result[f"{name}{' durable' if durable else ''}"] = found
connection.close()
print(json.dumps(result))
