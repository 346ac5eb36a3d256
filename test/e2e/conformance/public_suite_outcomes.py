"""
A pytest plugin that writes what came of each test, one JSON object a line, to the file that OUTCOMES_FILE names.

It also keeps tests from each other. The suite empties all buckets of its prefix before each test, so one that cannot be
deleted, because an object in it is locked, would fail all tests that follow: here each test has a prefix of its own. And a
test that hangs is ended.
"""

import importlib
import json
import os
import signal

import pytest

LONGEST_TEST_SECONDS = 300

_outcomes = {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    def give_up(_signal, _frame):
        raise TimeoutError(f"the test took more than {LONGEST_TEST_SECONDS} seconds")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LONGEST_TEST_SECONDS)
    yield
    signal.alarm(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    suite = importlib.import_module(item.module.__package__)
    if suite.prefix is not None:  # the first test sets it when it reads the configuration
        suite.prefix = suite.choose_bucket_prefix(template="suite-{random}-")


def pytest_runtest_logreport(report):
    """A test has three phases. It passed if each of them did."""
    seen = _outcomes.setdefault(report.nodeid, {"outcome": "passed", "message": ""})
    if report.outcome != "passed" and seen["outcome"] != "failed":
        seen["outcome"] = report.outcome
        seen["message"] = f"{report.when}: {_first_line(report)}"
    if report.when != "teardown":
        return
    outcome = {
        "name": report.nodeid.split("::", 1)[1],
        "encryption": "encryption" in report.keywords or "sse_s3" in report.keywords,
        **_outcomes.pop(report.nodeid),
    }
    with open(os.environ["OUTCOMES_FILE"], "a", encoding="utf-8") as out:
        out.write(json.dumps(outcome) + "\n")


def _first_line(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return text.strip().replace("\n", " ")[:300]
