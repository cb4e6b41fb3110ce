#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents made to hurt whoever reads them: each is refused (or is none to be refused) soon, costs little memory, and delays nobody.

    bombs.py [PART OF A NAME ...]

DUOVIRT_TARGET=libvirtd shows what they do to libvirtd. What was measured is printed; what is asserted is generous."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402
from lib.server import libvirt  # noqa: E402

SIZE = 3900000  # of what is long: a string of the protocol has 4 MiB at most
SECONDS = 5.0   # for an answer: a tenth of one is what it takes, where nothing else is at work
DELAY = 2.0     # for somebody else's call meanwhile
MEMORY = 65536  # KiB more than before, once all is over
# Others may be harmless where they are: a comment is as long as it likes.
REFUSED = ('nesting', 'nesting without an end', 'laughs', 'quadratic', 'a file', 'parameters', 'a long element', 'elements', 'attributes',
           'namespaces', 'nested namespaces', 'two roots')
WHERE = ('domain', 'pool', 'secret', 'device', 'cpu', 'native')


def inside(root, text='', attributes=''):
    return '<%s%s>%s</%s>' % (root, attributes, text, root)


def bombs(root):
    laughs = ''.join("<!ENTITY l%d '%s'>" % (i, '&l%d;' % (i - 1) * 10 if i else 'lol') for i in range(10))
    yield 'nesting', inside(root, '<a>' * 100000 + '</a>' * 100000)
    yield 'nesting without an end', '<%s>' % root + '<a>' * 900000
    yield 'laughs', '<!DOCTYPE a [%s]>' % laughs + inside(root, '<name>&l9;</name>')
    yield 'quadratic', "<!DOCTYPE a [<!ENTITY b '%s'>]>" % ('b' * 100000) + inside(root, '<name>%s</name>' % ('&b;' * 10000))
    yield 'a file', "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///dev/zero'>]>" + inside(root, '<name>&b;</name>')
    yield 'parameters', "<!DOCTYPE a [<!ENTITY %% b SYSTEM 'file:///dev/zero'> %%b;]>%s" % inside(root)
    yield 'a long attribute', inside(root, '', " type='%s'" % ('x' * SIZE))
    yield 'a long name', inside(root, '<name>%s</name>' % ('x' * SIZE))
    yield 'a long element', inside(root, '<%s/>' % ('x' * SIZE))
    yield 'a long comment', inside(root, '<!--%s-->' % ('x' * SIZE))
    yield 'a long instruction', inside(root, '<?x %s?>' % ('x' * SIZE))
    yield 'a long section', inside(root, '<name><![CDATA[%s]]></name>' % ('x' * SIZE))
    yield 'elements', inside(root, '<x/>' * 900000)
    yield 'attributes', inside(root, '', ''.join(" a%d=''" % i for i in range(300000)))
    yield 'namespaces', inside(root, '', ''.join(" xmlns:a%d='u%d'" % (i, i) for i in range(150000)))
    yield 'nested namespaces', ''.join("<a xmlns:a%d='u'>" % i for i in range(150000))
    yield 'the same element', inside(root, '<memory>%s</memory>' % ('9' * 100) * 30000)
    yield 'a huge number', inside(root, '<memory>%s</memory>' % ('9' * SIZE))
    yield 'references', inside(root, '<name>%s</name>' % ('&#x41;' * 600000))
    yield 'inclusion', inside(root, "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/dev/zero' parse='text'/>")
    yield 'another encoding', "<?xml version='1.0' encoding='UTF-7'?>" + inside(root)
    yield 'two roots', inside(root) * 2


class Meanwhile(threading.Thread):
    """Somebody else's calls: how long the longest took."""

    def __init__(self, target):
        super().__init__()
        self.conn = target.connect()
        self.longest = 0.0
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.005):
            began = time.monotonic()
            self.conn.getLibVersion()
            self.longest = max(self.longest, time.monotonic() - began)

    def end(self):
        self.over.set()
        self.join()
        self.conn.close()
        return self.longest


def throw(conn, where, text):
    if where == 'domain':
        return conn.defineXML(text)
    if where == 'pool':
        return conn.storagePoolDefineXML(text)
    if where == 'secret':
        return conn.secretDefineXML(text).undefine()
    if where == 'device':
        return conn.lookupByName('bombed').attachDeviceFlags(text, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    if where == 'cpu':
        return conn.compareCPU(text)
    return conn.domainXMLToNative('qemu-argv', text)


def said(conn, where, text):
    try:
        throw(conn, where, text)
    except libvirt.libvirtError as error:
        return str(error)
    return None


def is_sanitized(target):
    """It keeps for a while what was freed."""
    with open('/proc/%d/maps' % target.process.pid) as f:
        return 'libasan' in f.read()


def main():
    world.enter()
    lines = tap.Lines()
    roots = {'domain': 'domain', 'native': 'domain', 'pool': 'pool', 'secret': 'secret', 'device': 'disk', 'cpu': 'cpu'}
    with server.target() as target:
        conn, kept = target.connect(), is_sanitized(target)
        conn.defineXML(guests.pc('bombed'))
        for where in WHERE:
            for name, text in bombs(roots[where]):
                full = '%s: %s' % (where, name)
                if sys.argv[1:] and not any(word in full for word in sys.argv[1:]):
                    continue
                other, before = Meanwhile(target), target.rss_anon()
                other.start()
                began = time.monotonic()
                answer = said(conn, where, text)
                took, delay = time.monotonic() - began, other.end()
                grown = target.rss_anon() - before
                good = (answer is not None or name not in REFUSED) and took < SECONDS and delay < DELAY and (kept or grown < MEMORY)
                print('# %-32s %6.0f ms, others %4.0f ms, %+6d KiB: %s' % (full, took * 1e3, delay * 1e3, grown, (answer or 'accepted')[:110].replace('\n', ' ')))
                lines.case(full, good, [(answer or 'accepted')[:300]])
        conn.lookupByName('bombed').undefine()
        conn.close()
    return lines.end()


if __name__ == '__main__':
    sys.exit(main())
