# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test results as TAP: each case is one line, which meson and ./check count."""
import os
import sys
import time
import traceback
import unittest


class Lines:
    """Cases that are data."""

    def __init__(self):
        self.number = 0
        self.failed = 0
        print('TAP version 13', flush=True)

    def case(self, name, ok, why=()):
        self.number += 1
        print('%sok %d - %s' % ('' if ok else 'not ', self.number, name.replace('#', '')))
        if not ok:
            self.failed += 1
            for line in why:
                print('# ' + line)
        sys.stdout.flush()

    def end(self):
        """Says how many there were; the exit code."""
        print('1..%d' % self.number, flush=True)
        return 1 if self.failed or not self.number else 0


class Result(unittest.TestResult):
    """Cases that are methods. A test may claim what it proves: proved is {claim: test} of those that passed."""

    def __init__(self):
        super().__init__()
        self.lines = Lines()
        self.proved = {}
        self.partial = False
        self.began = time.monotonic()

    @property
    def failed(self):
        return self.lines.failed

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def verdict(self, name, ok, why=()):
        self.lines.case(name, ok, why)

    def named(self, test):
        return '%s (%.1f s)' % ('.'.join(test.id().split('.')[-2:]), time.monotonic() - self.began)

    def addSuccess(self, test):
        self.verdict(self.named(test), True)
        for claim in getattr(getattr(test, test._testMethodName), 'proves', ()):
            self.proved.setdefault(claim, '.'.join(test.id().split('.')[-2:]))

    def complain(self, test, error):
        text = ''.join(traceback.format_exception(*error))
        self.verdict(self.named(test), False, text.rstrip().split('\n'))

    addFailure = complain
    addError = complain

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.complain(test, error)

    def end(self):
        return self.lines.end()


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def run():
    """Runs the test classes of the calling program; arguments without a dash are parts of test names."""
    tests = list(flatten(unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])))
    wanted = [word for word in sys.argv[1:] if not word.startswith('-')]
    result = Result()
    if wanted:
        tests = [test for test in tests if any(word in test.id() for word in wanted)]
        result.partial = True
    unittest.TestSuite(tests).run(result)
    return result


def leave(code):
    """Ends a program whose threads still run libvirt's event loop: Python would take its interpreter away from under them."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
