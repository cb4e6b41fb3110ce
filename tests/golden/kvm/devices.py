#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each kind of device in a real QEMU: what the driver says on the command line is found again by QMP, where the
definition says it is.

usage: devices.py ARGV_TOOL [NAME...]

start/NAME.xml is completed and turned into a command line; QEMU starts it paused. Every device of the live definition that
has an alias must then be in /machine/peripheral, of the type that the command line named, with the PCI or USB address of
the definition, and with its back end behind it. @DIR@ in a document stands for a folder with disk images."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).parent
DEADLINE = 20
# What the machine has by itself, under names of its own.
BUILTIN = {'pci.0', 'pcie.0', 'ide'}


class Monitor:
    def __init__(self, path: str, process: subprocess.Popen):
        end = time.monotonic() + DEADLINE
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE)
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self.file = self.socket.makefile('rw')
        self.file.readline()
        self.call('qmp_capabilities')

    def call(self, command: str, arguments: dict | None = None):
        self.file.write(json.dumps({'execute': command, **({'arguments': arguments} if arguments else {})}) + '\n')
        self.file.flush()
        while True:
            answer = json.loads(self.file.readline())
            if 'error' in answer:
                raise LookupError(f'{command} {arguments}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']

    def get(self, path: str, name: str):
        return self.call('qom-get', {'path': path, 'property': name})


def options(argv: list[str], option: str) -> list:
    """The values of OPTION, as objects where they are JSON."""
    values = [value for name, value in zip(argv, argv[1:]) if name == option]
    return [json.loads(value) if value.startswith('{') else value for value in values]


def check_devices(monitor: Monitor, argv: list[str]) -> int:
    """Everything that -device made, by its id, with the properties it was given."""
    found = {entry['name'] for entry in monitor.call('qom-list', {'path': '/machine/peripheral'})}
    count = 0
    for device in options(argv, '-device'):
        if 'id' not in device:
            continue
        path = '/machine/peripheral/' + device['id']
        assert device['id'] in found, f'{device["id"]} is not there'
        kind = monitor.get(path, 'type')
        assert kind.split('-')[0].lower() in device['driver'].lower() or device['driver'].split('-')[0].lower() in kind.lower(), \
            f'{device["id"]} is a {kind}, not a {device["driver"]}'
        for name in ('mac', 'serial', 'netdev', 'drive', 'chardev', 'audiodev', 'filter', 'bootindex', 'ram_size', 'vgamem_mb', 'max_outputs'):
            if name in device and not (name == 'drive' and kind == 'usb-storage'):  # which hands it to a disk behind it
                value = monitor.get(path, name)
                assert str(value).startswith(str(device[name])), f'{device["id"]}: {name} is {value}, not {device[name]}'
        count += 1
    return count


def check_addresses(monitor: Monitor, domain: ElementTree.Element) -> int:
    """Each PCI address of the live definition, on the bus that its controller provides. (query-pci shows nothing behind
    a bridge before firmware has run.)"""
    count = 0
    for device in domain.find('devices'):
        alias, address = device.find('alias'), device.find('address')
        if alias is None or address is None or alias.get('name') in BUILTIN or address.get('type') != 'pci':
            continue
        if device.tag == 'controller' and device.find('master') is not None:  # a companion has no name of its own
            continue
        path = '/machine/peripheral/' + alias.get('name')
        place = monitor.get(path, 'addr')
        expected = int(address.get('slot'), 16) << 3 | int(address.get('function'), 16)
        assert place == expected, f'{path} is at {place:#x}, not {expected:#x}'
        bus = int(address.get('bus'), 16)
        parent = monitor.get(path, 'parent_bus')
        wanted = (f'pci.{bus}',) if bus else ('pci.0', 'pcie.0')
        assert parent.split('/')[-1] in wanted, f'{path} is on {parent}, not {wanted}'
        count += 1
    return count


def check_usb(monitor: Monitor, domain: ElementTree.Element) -> int:
    count = 0
    for device in domain.find('devices'):
        alias, address = device.find('alias'), device.find('address')
        if alias is not None and address is not None and address.get('type') == 'usb':
            port = monitor.get('/machine/peripheral/' + alias.get('name'), 'port')
            assert port == address.get('port'), f'{alias.get("name")} is at USB port {port}'
            count += 1
    return count


def check_backends(monitor: Monitor, argv: list[str]) -> int:
    nodes = {node['node-name']: node for node in monitor.call('query-named-block-nodes')}
    labels = {chardev['label'] for chardev in monitor.call('query-chardev')}
    objects = {entry['name'] for entry in monitor.call('qom-list', {'path': '/objects'})}
    for node in options(argv, '-blockdev'):
        assert node['node-name'] in nodes, f'no block node {node["node-name"]}'
        if 'read-only' in node:
            assert nodes[node['node-name']]['ro'] == node['read-only'], f'{node["node-name"]}: read-only is wrong'
    for chardev in options(argv, '-chardev'):
        label = [part[3:] for part in chardev.split(',') if part.startswith('id=')][0]
        assert label in labels, f'no character device {label}'
    for thing in options(argv, '-object'):
        assert thing['id'] in objects, f'no object {thing["id"]}'
    return len(nodes) + len(labels) + len(objects)


def check_machine(monitor: Monitor, domain: ElementTree.Element) -> None:
    vcpu = domain.find('vcpu')
    assert len(monitor.call('query-cpus-fast')) == int(vcpu.get('current') or vcpu.text)
    memory = monitor.call('query-memory-size-summary')['base-memory']
    assert 0 <= memory - int(domain.findtext('memory')) * 1024 < 4 << 20
    assert monitor.call('query-name')['name'] == domain.findtext('name')
    assert monitor.call('query-uuid')['UUID'] == domain.findtext('uuid')
    assert monitor.call('query-status')['running'] is False
    for graphics in domain.findall('devices/graphics'):
        if graphics.get('type') == 'vnc':
            vnc = monitor.call('query-vnc')
            assert vnc['enabled'] and (graphics.get('socket') or vnc['service'] == graphics.get('port')), f'VNC is {vnc}'
            if graphics.get('passwd'):
                assert vnc['auth'] == 'vnc'
        elif graphics.get('type') == 'spice':
            spice = monitor.call('query-spice')
            assert spice['enabled'] and spice.get('port', 0) == int(graphics.get('port', 0)), f'SPICE is {spice}'
            assert (spice['auth'] == 'none') == (not graphics.get('passwd')), f'SPICE asks for {spice["auth"]}'
            mouse = graphics.find('mouse')
            assert mouse is None or spice['mouse-mode'] in ('client', 'server')


def run(tool: str, name: str, folder: pathlib.Path) -> str:
    private = folder / 'run' / name
    private.mkdir(parents=True)
    document = private / 'domain.xml'
    document.write_text((HERE / 'start' / f'{name}.xml').read_text().replace('@DIR@', str(folder)))
    answer = subprocess.run([tool, '--argv', '--live', '--no-key', '--private', str(private)], input=f'{document}\n',
                            capture_output=True, text=True, timeout=60, check=True)
    made = json.loads(answer.stdout)
    assert 'error' not in made, made['error']
    argv, domain = made['argv'], ElementTree.fromstring(made['live'])
    log = open(private / 'log', 'w+')
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                               env={**os.environ, **dict(pair.split('=', 1) for pair in made['environment'])})
    try:
        monitor = Monitor(str(private / 'monitor.sock'), process)
        for command in made['commands']:
            monitor.call(command['execute'], command.get('arguments'))
        counts = (check_devices(monitor, argv), check_addresses(monitor, domain), check_usb(monitor, domain),
                  check_backends(monitor, argv))
        check_machine(monitor, domain)
        return '%d devices, %d PCI and %d USB addresses, %d back ends' % counts
    except (OSError, ConnectionError) as fault:
        process.kill()
        process.wait()
        log.seek(0)
        raise AssertionError(f'{fault}: {log.read().strip()}') from fault
    finally:
        process.kill()
        process.wait()


def make_kernel() -> bytes:
    """The header of an x86 kernel, which is all that QEMU looks at."""
    kernel = bytearray(1 << 16)
    kernel[0x1f1] = 1
    kernel[0x1fe:0x200] = b'\x55\xaa'
    kernel[0x202:0x208] = b'HdrS\x0c\x02'
    kernel[0x211] = 1
    kernel[0x22c:0x230] = b'\xff\xff\xff\x7f'
    return bytes(kernel)


def make_images(folder: pathlib.Path) -> None:
    (folder / 'kernel').write_bytes(make_kernel())
    for name in ('a.img', 'b.img', 'd.img', 'cd.iso', 'floppy.img', 'initrd'):
        (folder / name).write_bytes(bytes(1 << 20))
    for name, base, kind in (('mid.qcow2', 'd.img', 'raw'), ('top.qcow2', 'mid.qcow2', 'qcow2'), ('e.qcow2', None, None)):
        backing = ['-b', base, '-F', kind] if base else ['1M']
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', *(backing if base else []), str(folder / name),
                        *([] if base else ['1M'])], check=True, cwd=folder)


def main() -> int:
    tool, names = sys.argv[1], sys.argv[2:]
    if not shutil.which('qemu-system-x86_64') or not shutil.which('qemu-img'):
        print('1..0 # SKIP qemu-system-x86_64 or qemu-img is not installed')
        return 0
    names = names or sorted(path.stem for path in (HERE / 'start').glob('*.xml'))
    failed = 0
    print(f'1..{len(names)}')
    with tempfile.TemporaryDirectory(prefix='devices-') as root:
        folder = pathlib.Path(root)
        make_images(folder)
        for number, name in enumerate(names, 1):
            try:
                print(f'ok {number} {name} # {run(tool, name, folder)}', flush=True)
            except (AssertionError, LookupError, subprocess.SubprocessError) as fault:
                failed += 1
                print(f'not ok {number} {name}\n# {fault}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
