"""Where the broker is, from the environment, and a paho client for it."""

import os

import paho.mqtt.client as mqtt

VERSIONS = {"3": mqtt.MQTTv31, "4": mqtt.MQTTv311, "5": mqtt.MQTTv5}
VERSION = VERSIONS[os.environ["MQTT_VERSION"]]
# Less than whoever runs this has patience for: he is told what is missing.
WAIT_SECONDS_MAX = 45


def client(client_id="", **options):
    made = mqtt.Client(client_id, protocol=VERSION, transport=os.environ["MQTT_TRANSPORT"], **options)
    if "MQTT_CA" in os.environ:
        made.tls_set(os.environ["MQTT_CA"])
    return made


def connect(made, **options):
    made.connect("localhost", int(os.environ["MQTT_PORT"]), **options)
