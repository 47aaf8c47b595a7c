"""
A publisher and a consumer with sessions that stay. Publishes what standard input asks for, a line each: `ID SIZE`.
Says `subscribed`, `acknowledged ID`, `got ID QOS`.
"""

import os
import queue
import sys
import threading

import paho.mqtt.client as mqtt

PORT = int(os.environ["MQTT_PORT"])
TOPIC = os.environ["PUBLISHER_TOPIC"]
QOS = int(os.environ["PUBLISHER_QOS"])

output = threading.Lock()
sending = threading.Lock()
ids = {}
acknowledged = queue.Queue()


def say(text):
    with output:
        print(text, flush=True)


def tell_acknowledged():
    # Not in the callback: paho holds a lock there that publish() waits for, and only publish() knows the number.
    while True:
        mid = acknowledged.get()
        with sending:
            name = ids.pop(mid)
        say(f"acknowledged {name}")


def on_message(consumer, userdata, message):
    say(f"got {message.payload.split(chr(10).encode())[0].decode()} {message.qos}")


def client(name):
    made = mqtt.Client(name, clean_session=False, protocol=mqtt.MQTTv311)
    made.reconnect_delay_set(1, 1)
    made.max_queued_messages_set(0)
    return made


def on_connect(connected, userdata, flags, code):
    if not flags["session present"]:
        connected.subscribe(os.environ["CONSUMER_FILTER"], int(os.environ["CONSUMER_QOS"]))


consumer = client(os.environ["CONSUMER_ID"])
consumer.on_connect = on_connect
consumer.on_subscribe = lambda *_: say("subscribed")
consumer.on_message = on_message
consumer.connect("127.0.0.1", PORT)
consumer.loop_start()
publisher = client(os.environ["PUBLISHER_ID"])
publisher.on_publish = lambda _, userdata, mid: acknowledged.put(mid)
threading.Thread(target=tell_acknowledged, daemon=True).start()
publisher.connect("127.0.0.1", PORT)
publisher.loop_start()
for line in sys.stdin:
    name, size = line.split()
    body = (name + "\n").ljust(int(size), ".")
    with sending:
        ids[publisher.publish(TOPIC, body, QOS).mid] = name
