"""Sends messages of every QoS from one client to another, and prints what arrived as one line of JSON."""

import json
import os
import threading

import paho.mqtt.client as mqtt
from connection import VERSION, WAIT_SECONDS_MAX, client, connect

TOPIC = os.environ["MQTT_TOPIC"]
COUNT = int(os.environ["MQTT_COUNT"])

granted = []
received = []
has_subscribed = threading.Event()
has_all = threading.Event()


def on_connect(subscriber, userdata, flags, code, properties=None):
    assert code == 0, f"refused: {code}"
    subscriber.subscribe([(f"{TOPIC}/0", 0), (f"{TOPIC}/1", 1), (f"{TOPIC}/2", 2)])


def on_subscribe(subscriber, userdata, mid, codes, properties=None):
    granted.extend(code.value if VERSION == mqtt.MQTTv5 else code for code in codes)
    has_subscribed.set()


def on_message(subscriber, userdata, message):
    assert message.topic == f"{TOPIC}/{message.qos}", message.topic
    received.append([message.qos, message.payload.decode()])
    if len(received) == 3 * COUNT:
        has_all.set()


clean = {} if VERSION == mqtt.MQTTv5 else {"clean_session": True}
subscriber = client(**clean)
subscriber.on_connect = on_connect
subscriber.on_subscribe = on_subscribe
subscriber.on_message = on_message
connect(subscriber)
subscriber.loop_start()
assert has_subscribed.wait(WAIT_SECONDS_MAX), "no SUBACK"

publisher = client(**clean)
connect(publisher)
publisher.loop_start()
sent = [publisher.publish(f"{TOPIC}/{qos}", str(n), qos) for n in range(COUNT) for qos in (0, 1, 2)]
for message in sent:
    message.wait_for_publish(WAIT_SECONDS_MAX)
    assert message.is_published(), f"message {message.mid} is not acknowledged"
assert has_all.wait(WAIT_SECONDS_MAX), f"only {len(received)} messages"

for each in (publisher, subscriber):
    each.disconnect()
    each.loop_stop()
print(json.dumps({"granted": granted, "received": received}))
