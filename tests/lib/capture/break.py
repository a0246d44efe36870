#!/usr/bin/env python3
"""break.py HOW FILE: damages a bolt database in place, its meta pages being sound.

cycle    the root bucket's page says that it is a branch, and its own child
range    the root page's number is behind the end of the file
page     the root page's elements lie behind its end
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
from capture import boltfile  # noqa: E402 pylint: disable=wrong-import-position

how, path = sys.argv[1:]
with open(path, 'rb') as f:
    data = bytearray(f.read())
root = boltfile.Reader(bytes(data)).root
at = root * boltfile.PAGE
if how == 'range':
    for n in range(2):
        meta = n * boltfile.PAGE + 16
        struct.pack_into('<Q', data, meta + 16, len(data) // boltfile.PAGE + 7)
        struct.pack_into('<Q', data, meta + 56, boltfile.fnv64a(bytes(data[meta:meta + 56])))
elif how == 'cycle':
    boltfile.HEADER.pack_into(data, at, root, boltfile.BRANCH, 1, 0)
    boltfile.BRANCH_ELEM.pack_into(data, at + 16, 16, 0, root)
else:
    struct.pack_into('<I', data, at + 16 + 4, 0x7fffffff)
with open(path, 'wb') as f:
    f.write(data)
