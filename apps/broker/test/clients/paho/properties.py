"""Sends one message with every property MQTT 5 has for it, and prints what arrived as one line of JSON."""

import json
import os
import threading

from connection import WAIT_SECONDS_MAX, client, connect
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

TOPIC = os.environ["MQTT_TOPIC"]

arrived = []
has_subscribed = threading.Event()
has_message = threading.Event()


def on_connect(connected, userdata, flags, code, properties):
    assert code == 0, f"refused: {code}"
    identifier = Properties(PacketTypes.SUBSCRIBE)
    identifier.SubscriptionIdentifier = 42
    options = SubscribeOptions(qos=2, retainAsPublished=True)
    connected.subscribe(TOPIC, options=options, properties=identifier)


def on_message(connected, userdata, message):
    arrived.append(message)
    has_message.set()


both = client()
both.on_connect = on_connect
both.on_subscribe = lambda *_: has_subscribed.set()
both.on_message = on_message
connect(both)
both.loop_start()
assert has_subscribed.wait(WAIT_SECONDS_MAX), "no SUBACK"

properties = Properties(PacketTypes.PUBLISH)
properties.PayloadFormatIndicator = 1
properties.MessageExpiryInterval = 100
properties.ContentType = "text/plain"
properties.ResponseTopic = "answers"
properties.CorrelationData = b"\x00\xff"
properties.UserProperty = [("unit", "°C"), ("path", "first"), ("path", "second")]
both.publish(TOPIC, "20", qos=2, retain=True, properties=properties).wait_for_publish(WAIT_SECONDS_MAX)
assert has_message.wait(WAIT_SECONDS_MAX), "no message"
both.publish(TOPIC, None, qos=1, retain=True).wait_for_publish(WAIT_SECONDS_MAX)

both.disconnect()
both.loop_stop()
message = arrived[0]
print(json.dumps({"qos": message.qos, "retain": bool(message.retain), "properties": message.properties.json()}))
