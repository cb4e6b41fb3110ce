#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""As python.py, what of storage volumes takes long.

    volume_formats.py [PART OF A TEST'S NAME ...]
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib.case import main  # noqa: E402
from wire.calls.encrypted_volumes import EncryptedVolumeFormats  # noqa: E402,F401

if __name__ == '__main__':
    main('wire/volume-formats')
