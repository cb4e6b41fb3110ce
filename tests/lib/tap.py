# SPDX-License-Identifier: LGPL-2.1-or-later
"""unittest, spoken as TAP: each test method is one line that meson and ./check count."""
import sys
import time
import traceback
import unittest


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0
        self.failed = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def line(self, ok, test, note=''):
        self.number += 1
        name = '.'.join(test.id().split('.')[-2:])
        print('%sok %d - %s (%.1f s)%s' % ('' if ok else 'not ', self.number, name, time.monotonic() - self.began, note), flush=True)

    def addSuccess(self, test):
        self.line(True, test)

    def complain(self, test, error):
        self.failed += 1
        if not hasattr(self, 'began'):
            self.began = time.monotonic()
        self.line(False, test)
        for text in traceback.format_exception(*error):
            for line in text.rstrip().split('\n'):
                print('# ' + line, flush=True)

    addFailure = complain
    addError = complain

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.complain(subtest, error)

    def addSkip(self, test, reason):
        self.line(True, test, ' # SKIP ' + reason)


def main():
    """Runs the test classes of the calling program; arguments are parts of test names; exits."""
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromModule(sys.modules['__main__'])
    tests = []

    def flatten(part):
        for item in part:
            if isinstance(item, unittest.TestSuite):
                flatten(item)
            else:
                tests.append(item)
    flatten(suite)
    wanted = [word for word in sys.argv[1:] if not word.startswith('-')]
    if wanted:
        tests = [test for test in tests if any(word in test.id() for word in wanted)]
    print('TAP version 13', flush=True)
    result = Result()
    unittest.TestSuite(tests).run(result)
    print('1..%d' % result.number, flush=True)
    if result.number == 0:
        print('Bail out! no test of that name')
        result.failed = 1
    sys.exit(1 if result.failed else 0)


class Lines:
    """TAP for programs whose cases are data, not methods."""

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
        print('1..%d' % self.number, flush=True)
        sys.exit(1 if self.failed or not self.number else 0)
