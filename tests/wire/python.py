#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""python3-libvirt over every procedure we offer: it succeeds, and its effect is there.

    python.py [PART OF A TEST'S NAME ...] [--record]

DUOVIRT_TARGET=libvirtd runs the same cases on Debian's libvirtd, which proves the cases. --record writes what passed into
proven.txt; an ordinary run holds proven.txt against what it saw. The cases are in calls/, by topic.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib.case import main  # noqa: E402
from wire.calls.host import Host  # noqa: E402,F401
from wire.calls.listing import Listing  # noqa: E402,F401
from wire.calls.definition import Definition  # noqa: E402,F401
from wire.calls.credentials import Credentials  # noqa: E402,F401
from wire.calls.dirtying import Dirtying  # noqa: E402,F401
from wire.calls.description import Description  # noqa: E402,F401
from wire.calls.life import Life, Transient  # noqa: E402,F401
from wire.calls.lifecycle import Lifecycle  # noqa: E402,F401
from wire.calls.bandwidth import Bandwidth  # noqa: E402,F401
from wire.calls.encrypted import Encrypted  # noqa: E402,F401
from wire.calls.encrypted_volumes import EncryptedVolumes  # noqa: E402,F401
from wire.calls.events import Events  # noqa: E402,F401
from wire.calls.fd_groups import FdGroups  # noqa: E402,F401
from wire.calls.figures import Figures  # noqa: E402,F401
from wire.calls.saving import Saving  # noqa: E402,F401
from wire.calls.replacing import Replacing  # noqa: E402,F401
from wire.calls.documents import Documents  # noqa: E402,F401
from wire.calls.places import Places  # noqa: E402,F401
from wire.calls.console import Consoles  # noqa: E402,F401
from wire.calls.display import Displays  # noqa: E402,F401
from wire.calls.updating import Updating  # noqa: E402,F401
from wire.calls.volume_disks import VolumeDisks  # noqa: E402,F401
from wire.calls.vtpm import Vtpm  # noqa: E402,F401
from wire.calls.core_races import Callbacks, KilledSave, TooLarge, TwoAtOnce  # noqa: E402,F401
from wire.calls.blocks import Blocks  # noqa: E402,F401
from wire.calls.labels import Labels  # noqa: E402,F401
from wire.calls.limits import Limits  # noqa: E402,F401
from wire.calls.log_lines import LogLines  # noqa: E402,F401
from wire.calls.monitor import Monitor  # noqa: E402,F401
from wire.calls.native import Native  # noqa: E402,F401
from wire.calls.overrides import Overrides  # noqa: E402,F401
from wire.calls.owners import Owners  # noqa: E402,F401
from wire.calls.peeking import Peeking  # noqa: E402,F401
from wire.calls.rights import OnBehalf, Rights  # noqa: E402,F401
from wire.calls.secrets import Secrets  # noqa: E402,F401
from wire.calls.sources import Sources  # noqa: E402,F401
from wire.calls.taps import Taps  # noqa: E402,F401
from wire.calls.tuning import Tuning  # noqa: E402,F401

if __name__ == '__main__':
    main('wire/python')
