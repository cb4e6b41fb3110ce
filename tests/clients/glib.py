#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest's life through libvirt-glib's objects, by introspection. Arguments: URI and the file of a domain document. One
line for each answer."""
import sys

import gi

gi.require_version('LibvirtGLib', '1.0')
gi.require_version('LibvirtGObject', '1.0')
gi.require_version('LibvirtGConfig', '1.0')
from gi.repository import GLib, LibvirtGConfig, LibvirtGLib, LibvirtGObject  # noqa: E402


def say(what, *values):
    print('%s: %s' % (what, ' '.join(str(value) for value in values)))


def refused(what, call, *argv):
    try:
        call(*argv)
        say(what, 'no error')
    except GLib.Error as error:
        say(what, error.message)


def main():
    LibvirtGLib.init(None)
    LibvirtGLib.event_register()
    uri, path = sys.argv[1:]
    with open(path) as f:
        xml = f.read()
    conn = LibvirtGObject.Connection.new(uri)
    conn.open(None)
    seen = []
    conn.connect('domain-added', lambda conn, domain: seen.append('added ' + domain.get_name()))
    conn.connect('domain-removed', lambda conn, domain: seen.append('removed ' + domain.get_name()))
    say('open', conn.is_open(), conn.is_read_only())
    say('hypervisor', conn.get_hypervisor_name(), conn.get_version() > 0)
    node = conn.get_node_info()
    say('node', node.cpus > 0, node.memory > 0)
    capabilities = conn.get_capabilities()
    say('capabilities', capabilities.get_host().get_cpu().get_arch())
    architectures = [guest.get_arch().get_name() for guest in capabilities.get_guests()]
    say('guests', [name for name in architectures if name in ('i686', 'x86_64')])  # others, where their emulators are installed
    conn.fetch_domains(None)
    say('domains', [domain.get_name() for domain in conn.get_domains()])
    refused('wrong document', conn.create_domain, LibvirtGConfig.Domain.new_from_xml('<domain/>'))

    domain = conn.create_domain(LibvirtGConfig.Domain.new_from_xml(xml))
    say('defined', domain.get_name(), domain.get_uuid(), domain.get_persistent(), domain.get_saved())
    started = []
    for signal in ('started', 'suspended', 'resumed', 'stopped'):
        domain.connect(signal, lambda domain, signal=signal: started.append(signal))
    config = domain.get_config(0)
    say('config', config.get_name(), config.get_memory(), config.get_vcpus(), config.get_virt_type().value_nick)
    say('devices', sorted({type(device).__name__ for device in config.get_devices()}))
    refused('not running', domain.suspend)
    domain.start(0)
    info = domain.get_info()
    say('info', info.state.value_nick, info.maxMem, info.memory, info.nrVirtCpu)
    domain.suspend()
    say('paused', domain.get_info().state.value_nick)
    domain.resume()
    say('running', domain.get_info().state.value_nick)
    say('devices of it', sorted(type(device).__name__ for device in domain.get_devices()))
    stream = conn.get_stream(0)
    domain.open_console(stream, None, 0)
    say('console', 'opened')
    domain.stop(0)
    say('off', domain.get_info().state.value_nick)
    domain.delete(0)
    context = GLib.MainContext.default()
    end = GLib.get_monotonic_time() + 20000000
    # the end of the run and the end of the definition each remove it, as both are heard of when there is none any more
    while sum(entry.startswith('removed') for entry in seen) < 2 and GLib.get_monotonic_time() < end:
        context.iteration(False)
        GLib.usleep(1000)
    say('events', seen, started)
    conn.fetch_domains(None)
    say('left', [domain.get_name() for domain in conn.get_domains()])
    conn.close()


if __name__ == '__main__':
    main()
