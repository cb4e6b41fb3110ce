#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Debian's exporters of figures make of a host with one guest that runs and one that does not: Prometheus, collectd,
Munin. Names, labels and shapes are held against what they made of libvirtd; values that change by themselves are masked.

    exporters.py [NAME...]      on our daemon, held against recorded/NAME.txt
    exporters.py --record       on libvirtd, to record them anew"""
import itertools
import os
import re
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'recorded')
PORT = 9177
MUNIN = '/usr/share/munin/plugins/libvirt-'
COUNTS = {'libvirt_domain_info_memory_usage_bytes', 'libvirt_domain_info_maximum_memory_bytes', 'libvirt_domain_info_virtual_cpus', 'libvirt_up',
          'libvirt_domain_info_vstate'}  # what does not change by itself


def document(name):
    disk = "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/><target dev='vda' bus='virtio'/></disk>"
    nic = "<interface type='bridge'><mac address='52:54:00:11:22:33'/><source bridge='%s'/><target dev='exported0'/><model type='virtio'/></interface>"
    return guests.minimal(name).replace('<serial', disk % guests.image(name + '.img') + nic % guests.bridge() + '<serial')


def prometheus(target):
    argv = ['prometheus-libvirt-exporter', '--web.listen-address=127.0.0.1:%d' % PORT, '--libvirt.uri=' + target.uri]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def page():
            try:
                return urllib.request.urlopen('http://127.0.0.1:%d/metrics' % PORT, timeout=20).read().decode()
            except OSError:
                return None
        text = server.wait_until(page, 20, 'the page of the exporter')
    finally:
        process.kill()
        process.wait()
    for line in sorted(line for line in text.splitlines() if line.startswith('libvirt_')):
        name, _, value = line.rpartition(' ')
        yield '%s %s' % (name, value if name.split('{')[0] in COUNTS else 'VALUE')


def munin(target):
    for plugin in ('cputime', 'mem', 'ifstat', 'blkstat'):
        for command in ('config', 'fetch'):
            done = subprocess.run([MUNIN + plugin] + ([command] if command == 'config' else []), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=60,
                                  env=dict(os.environ, uri=target.uri, address='', tmpfile=world.SCRATCH + '/munin-' + plugin))
            for line in done.stdout.splitlines():
                yield '%s %s: %s' % (plugin, command, re.sub(r'\.value [0-9.]+$', '.value VALUE', line))
            yield '%s %s: [exit %d]' % (plugin, command, done.returncode)


COLLECTD = """Hostname "host"
FQDNLookup false
Interval 1
BaseDir "{folder}"
PIDFile "{folder}/pid"
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File "{folder}/log"
</Plugin>
LoadPlugin csv
<Plugin csv>
  DataDir "{folder}/csv"
</Plugin>
LoadPlugin virt
<Plugin virt>
  Connection "{uri}"
  RefreshInterval 60
  HostnameFormat name
  PluginInstanceFormat name
  ExtraStats "cpu_util disk disk_err domain_state job_stats_background memory pcpu vcpu vcpupin"
</Plugin>
"""


def rounds(folder):
    """How often collectd has written of the guest."""
    for path, _, names in os.walk(folder):
        for name in names:
            if name.startswith('virt_cpu_total'):
                with open(os.path.join(path, name)) as f:
                    return len(f.readlines()) - 1
    return 0


def collectd(target):
    with tempfile.TemporaryDirectory(prefix='collectd-', dir='/tmp') as folder:  # it refuses folders with a dot
        with open(folder + '/conf', 'w') as f:
            f.write(COLLECTD.format(folder=folder, uri=target.uri))
        process = subprocess.Popen(['collectd', '-f', '-C', folder + '/conf'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        try:
            server.wait_until(lambda: rounds(folder + '/csv') >= 3, 60, 'the third round of collectd')
        finally:
            process.terminate()
            process.wait(30)
        for path, _, names in sorted(os.walk(folder + '/csv')):
            for name in sorted(names):
                series = re.sub(r'-\d{4}-\d\d-\d\d$', '', name)
                if not re.search(r'cpu_affinity.*-cpu_[1-9]', series):  # the host's other processors
                    with open(os.path.join(path, name)) as f:
                        yield '%s/%s %s' % (os.path.relpath(path, folder + '/csv'), series, f.readline().strip())


EXPORTERS = {'prometheus': prometheus, 'munin': munin, 'collectd': collectd}


def look(target, names):
    with target, target.connect() as conn:
        running = conn.defineXML(document('exported'))
        running.create()
        conn.defineXML(guests.tiny('asleep'))
        made = {name: ''.join(line + '\n' for line in EXPORTERS[name](target)) for name in names}
        running.destroy()
    return made


def main():
    world.enter()
    record = '--record' in sys.argv
    names = [name for name in sys.argv[1:] if not name.startswith('-')] or list(EXPORTERS)
    out = tap.Lines()
    for name, text in look(server.Libvirtd() if record else server.target(), names).items():
        path = os.path.join(RECORDED, name + '.txt')
        if record:
            with open(path, 'w') as f:
                f.write(text)
        with open(path) as f:
            expected = f.read()
        for number, (our, their) in enumerate(itertools.zip_longest(text.splitlines(), expected.splitlines()), 1):
            out.case('%s %d: %s' % (name, number, (their or our).split(' ')[0]), our == their, ['libvirtd: %s' % their, 'we:       %s' % our])
    sys.exit(out.end())


if __name__ == '__main__':
    main()
