#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""typed.py URI DOMAIN: attaches stock `virsh console` to a paused guest, lets it go on, and types a random sum into its
shell. Shows what a person would see; exit code 1 if the answer does not come."""
import random
import subprocess
import sys

import pexpect

BOOT = 240  # seconds; six on an idle machine
uri, domain = sys.argv[1:3]

print('$ virsh console %s' % domain)
console = pexpect.spawn('virsh', ['-c', uri, 'console', domain], timeout=BOOT, encoding='utf-8', codec_errors='replace')
console.logfile_read = sys.stdout
try:
    console.expect('Escape character is')
    subprocess.run(['virsh', '-q', '-c', uri, 'resume', domain], check=True, timeout=60)
    console.expect('GUEST-READY')
    console.expect('guest# ')
    a, b = random.randint(1000, 999999), random.randint(1000, 999999)
    console.sendline('echo sum is $((%d + %d)).' % (a, b))
    console.expect(r'sum is %d\.' % (a + b), timeout=60)
    console.send('\x1d')
    console.expect(pexpect.EOF, timeout=30)
except (pexpect.ExceptionPexpect, subprocess.SubprocessError) as error:
    print('\nno answer: %s' % type(error).__name__)
    sys.exit(1)
print()
