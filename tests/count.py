#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""count.py BROKEN FILE...: adds up meson's JUnit files, names what failed and what was skipped, and says the sum.

BROKEN is not 0 if something failed that no file tells of (a build): that counts as one failure.
"""
import sys
import xml.etree.ElementTree


def main():
    passed = failed = skipped = 0
    for path in sys.argv[2:]:
        for case in xml.etree.ElementTree.parse(path).iter('testcase'):
            name = '%s: %s' % (case.get('classname', '?'), case.get('name'))
            if case.find('failure') is not None or case.find('error') is not None:
                failed += 1
                print('failed:  ' + name)
            elif case.find('skipped') is not None:
                skipped += 1
                print('skipped: ' + name)
            else:
                passed += 1
    if failed == 0 and (sys.argv[1] != '0' or passed == 0):
        failed = 1
    print('%d passed, %d failed, %d skipped' % (passed, failed, skipped))
    return 1 if failed else 0


sys.exit(main())
