#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""count.py BROKEN LOG...: adds up meson's testlog.json files, names what failed and what was skipped, and says the sum.

A program that speaks TAP counts by its cases, and once more if it ended badly though no case failed (killed, out of
time); any other program is one case. BROKEN is not 0 if something failed that no log tells of, as a build.
"""
import json
import re
import sys

CASE = re.compile(r'(?m)^(not )?ok\b *\d* *-? *([^#\n]*)(#\s*SKIP[^\n]*)?')
WELL = ('OK', 'EXPECTEDFAIL')


def verdicts(run):
    """(verdict, name of the case) of one program."""
    cases = [('skipped' if skip else 'failed' if bad else 'passed', name.strip()) for bad, name, skip in CASE.findall(run.get('stdout', ''))]
    if run['result'] == 'SKIP':
        return cases or [('skipped', '')]
    if run['result'] in WELL:
        return cases or [('passed', '')]
    if not any(verdict == 'failed' for verdict, _ in cases):
        cases.append(('failed', 'ended with %s' % run['result']))
    return cases


def main():
    count = {'passed': 0, 'failed': 0, 'skipped': 0}
    for path in sys.argv[2:]:
        with open(path) as log:
            for run in map(json.loads, log):
                for verdict, name in verdicts(run):
                    count[verdict] += 1
                    if verdict != 'passed':
                        print('%-8s %s  %s' % (verdict + ':', run['name'], name))
    if count['failed'] == 0 and (sys.argv[1] != '0' or count['passed'] == 0):
        count['failed'] = 1
    print('%(passed)d passed, %(failed)d failed, %(skipped)d skipped' % count)
    return 1 if count['failed'] else 0


sys.exit(main())
