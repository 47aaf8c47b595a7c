"""Runs tests of one unittest script of an outside suite and writes one line of JSON for each.

    python3 run-unittest.py '{"script": ..., "arguments": [...], "results": ..., "only": [...], "skip": [...], "seconds": ...}'

The script runs as it would from a command line with these arguments, but for what its own call of unittest.main() does: of
its tests those in "only" (all when that is empty) and not in "skip" are run, a test that returns False has failed (the
suite's older tests say so by print and return), a test that takes longer than "seconds" has failed, and the results go to
the file "results".
"""

import contextlib
import io
import json
import os
import runpy
import signal
import sys
import time
import unittest


class TooLong(BaseException):
    """Not an Exception: the suites' tests catch those and go on."""


class Result(unittest.TestResult):
    def __init__(self, results, seconds):
        super().__init__()
        self.results = results
        self.seconds = seconds

    def startTest(self, test):
        super().startTest(test)
        self.outcome, self.problem = "passed", ""
        self.output = io.StringIO()
        self.redirection = contextlib.ExitStack()
        self.redirection.enter_context(contextlib.redirect_stdout(self.output))
        self.redirection.enter_context(contextlib.redirect_stderr(self.output))
        self.started = time.monotonic()
        signal.alarm(self.seconds)

    def stopTest(self, test):
        signal.alarm(0)
        self.redirection.close()
        super().stopTest(test)
        self.write(test.id().split(".")[-1], time.monotonic() - self.started)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.outcome, self.problem = "failed", describe(err)

    def addError(self, test, err):
        super().addError(test, err)
        self.outcome, self.problem = "failed", describe(err)
        if isinstance(test, unittest.suite._ErrorHolder):  # setUpClass: no test was started
            self.output = io.StringIO()
            self.write(test.description, 0)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcome, self.problem = "skipped", reason

    def write(self, name, seconds):
        # A test that caught its own exception has printed it; what fails afterwards says less.
        printed = [line for line in self.output.getvalue().splitlines() if is_exception(line)]
        problem = printed[-1] if printed and self.outcome == "failed" else self.problem
        line = {"name": name, "outcome": self.outcome, "seconds": round(seconds, 1), "problem": problem}
        self.results.write(json.dumps(line) + "\n")
        self.results.flush()


def is_exception(line):
    name = line.split(":")[0]
    return name.isidentifier() and name.endswith(("Error", "Exception"))


def describe(err):
    kind, value, _ = err
    return "%s: %s" % (kind.__name__, str(value).strip().splitlines()[0] if str(value).strip() else "")


def strict_call(test, method):
    if method() is False:
        raise AssertionError("the test returned False")


def on_alarm(signum, frame):
    raise TooLong("the test took too long")


def main():
    options = json.loads(sys.argv[1])
    only, skip = options["only"], options["skip"]
    script = os.path.abspath(options["script"])
    folder = os.path.dirname(script)
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = [os.path.basename(script), *options["arguments"]]
    signal.signal(signal.SIGALRM, on_alarm)
    unittest.TestCase._callTestMethod = strict_call
    loader = unittest.TestLoader()
    loader.getTestCaseNames = lambda case: [
        name
        for name in unittest.TestLoader.getTestCaseNames(loader, case)
        if (not only or name in only) and name not in skip
    ]
    with open(options["results"], "w") as lines:

        def run(*_, **__):
            loader.loadTestsFromModule(sys.modules["__main__"]).run(Result(lines, options["seconds"]))

        unittest.main = run
        runpy.run_path(script, run_name="__main__")


main()
