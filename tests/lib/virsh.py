# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's own virsh, as a person uses it: commands, their text and exit code, and the console on a terminal."""
import os
import subprocess

import pexpect

ENVIRONMENT = dict(os.environ, LC_ALL='C', TZ='UTC', TERM='dumb', VIRSH_DEFAULT_CONNECT_URI='')
ESCAPE = '\x1d'  # ^]


def virsh(uri, *argv, seconds=60, text=None):
    """(text, exit code) of one command; what it says as an error is part of the text."""
    done = subprocess.run(['virsh', '-c', uri, *argv], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', env=ENVIRONMENT, timeout=seconds)
    return done.stdout, done.returncode


class Events:
    """`virsh event --all --loop`, listening from the moment this returns."""

    def __init__(self, uri):
        self.process = pexpect.spawn('virsh', ['-c', uri, 'event', '--all', '--loop'], env=ENVIRONMENT, encoding='utf8', timeout=20,
                                     dimensions=(50, 500))
        # Nothing says that the callbacks are registered: virsh asks for each in turn and then waits.
        self.text = ''

    def stop(self):
        self.process.sendintr()
        self.process.expect(pexpect.EOF)
        self.text = self.process.before.replace('\r\n', '\n')
        self.process.close()
        return self.text


class Console:
    """`virsh console` on a terminal of its own."""

    def __init__(self, uri, domain, *flags, seconds=60):
        self.process = pexpect.spawn('virsh', ['-c', uri, 'console', domain, *flags], env=ENVIRONMENT, encoding='utf8',
                                     codec_errors='replace', timeout=seconds, dimensions=(50, 200))
        self.process.delaybeforesend = None

    def expect(self, pattern, seconds=-1):
        """The match object of PATTERN in what arrives."""
        self.process.expect(pattern, timeout=seconds)
        return self.process.match

    def attached(self):
        self.expect('Escape character is \\^\\] .*\n')
        return self

    def type(self, line):
        """LINE and return. Slowly: a serial port without flow control drops what comes too fast."""
        for piece in [line[i:i + 8] for i in range(0, len(line), 8)] + ['\r']:
            self.process.send(piece)

    def ask(self, command, pattern, seconds=30):
        """Types COMMAND into the guest's shell; the match of PATTERN in its answer."""
        self.type(command)
        self.process.expect_exact('\n', timeout=seconds)  # the echo of what was typed
        return self.expect(pattern, seconds)

    def close(self):
        """Leaves by the escape character; virsh's exit code."""
        if self.process.isalive():
            self.process.send(ESCAPE)
            self.process.expect(pexpect.EOF)
        self.process.close()
        return self.process.exitstatus
