#!/usr/bin/env python3
"""As the real one, but without a broker: asks for a fresh one in case k and writes what it was told into its log."""

import argparse
import json
import subprocess

parser = argparse.ArgumentParser()
for name in ("--cases", "--log", "--target"):
    parser.add_argument(name)
parser.add_argument("--rounds", type=int)
parser.add_argument("--peer", action="append", default=[])
told = parser.parse_args()

name, rest = told.target.split("=", 1)
options = dict(option.split("=", 1) for option in rest.split(";")[1:])
pid = int(options["pid"])
with open(told.log, "w") as log:
    for number in range(told.rounds):
        if told.cases == "k":
            pid = json.loads(subprocess.check_output(options["restart"], shell=True, text=True))["pid"]
        for target in [name, *told.peer]:
            result = {"ok": True, "expected": 1, "received": 1, "receive_rate": pid}
            line = {"case": told.cases, "target": target, "round": number, "result": result}
            log.write(json.dumps(line) + "\n")
