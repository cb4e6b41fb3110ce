#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints a short hash over the headers that the daemon and its driver modules share."""
import hashlib
import pathlib

root = pathlib.Path(__file__).resolve().parent.parent.parent
digest = hashlib.sha256()
for path in sorted([*root.glob('lib/**/*.h'), *root.glob('xml-schemas/**/*.x')]):
    digest.update(path.read_bytes())
print(digest.hexdigest()[:12])
