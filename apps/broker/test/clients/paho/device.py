"""
A device: a session that stays, several topics in one SUBSCRIBE, keep-alive 3 seconds, reconnecting by itself, and a will.
Prints what happens to it, line by line, until it is ended.
"""

import os
import threading

from connection import client, connect

NAME = os.environ["MQTT_CLIENT_ID"]
PARTS = ["cpu", "monitor", "keyboard", "gpu", "ram"]


def say(text):
    print(text, flush=True)


def on_connect(connected, userdata, flags, code):
    say(f"connected, session present: {flags['session present']}")
    connected.subscribe([(f"/{NAME}/part/{part}", 1) for part in PARTS])


device = client(NAME, clean_session=False)
device.username_pw_set(os.environ["MQTT_USERNAME"], os.environ["MQTT_PASSWORD"])
device.will_set(f"/{NAME}/status", "lost", qos=1)
device.reconnect_delay_set(1, 1)
device.on_connect = on_connect
device.on_subscribe = lambda connected, userdata, mid, granted: say(f"subscribed {granted}")
device.on_message = lambda connected, userdata, message: say(f"message arrived {message.payload.decode()}")
device.on_log = lambda connected, userdata, level, text: say(text) if text == "Received PINGRESP" else None
connect(device, keepalive=3)
device.loop_start()
threading.Event().wait()
