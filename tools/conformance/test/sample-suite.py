"""A script as those of paho.mqtt.testing are: reads its arguments itself, then calls unittest.main()."""

import getopt
import sys
import time
import traceback
import unittest


class Test(unittest.TestCase):
    def test_passes(self):
        self.assertEqual((host, port), ("127.0.0.1", 1234))

    def test_returns_true(self):
        return True

    def test_fails(self):
        self.assertEqual(1, 2)

    def test_returns_false(self):
        try:
            raise ValueError("the cause")
        except Exception:
            traceback.print_exc()
        return False

    def test_hangs(self):
        try:
            time.sleep(60)
        except Exception:
            pass

    def test_left_out(self):
        raise AssertionError("not to be run")


if __name__ == "__main__":
    options = dict(getopt.gnu_getopt(sys.argv[1:], "", ["hostname=", "port="])[0])
    host, port = options["--hostname"], int(options["--port"])
    unittest.main()
