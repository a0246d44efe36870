#!/usr/bin/env python3
"""dead-disk.py FIXTURE KIND...: in a copy of the fixture (below the current directory), puts something else in the place
of all state files of one name, for each name and KIND in turn, and runs cps --sysroot on it. It must end in time, with
status 0 or 2, without a word of what lies outside of the root, and without opening a device."""
import json
import os
import re
import shutil
import subprocess
import sys

ID = 'b417' * 16
RECORD = json.dumps({
    'ID': ID, 'id': ID, 'Id': ID, 'Name': '/b417', 'name': 'b417', 'Config': {'Image': 'b417', 'Labels': {'b417': 'b417'}},
    'config': {'rootfs': '/b417', 'labels': ['b417=b417'], 'hostname': 'b417'}, 'bundle': '/b417', 'rootfs': 'b417',
    'State': {'ExitCode': 17}, 'annotations': {'b417': 'b417'}, 'hostname': 'b417'})


def put(kind, path, outside):
    bait = os.path.join(outside, os.path.basename(path))
    if kind == 'link':
        os.symlink(bait, path)
    elif kind == 'dots':
        os.symlink('../' * (os.path.abspath(path).count('/') + 2) + bait.lstrip('/'), path)
    elif kind == 'fifo':
        os.mkfifo(path)
    elif kind == 'dir':
        os.mkdir(path)
    elif kind == 'device':
        os.mknod(path, 0o60644, os.makedev(240, 17))  # a block device of nobody's driver: to open it fails with ENXIO
    else:
        with open(path, 'wb') as f:
            f.truncate(1 << 40 if kind == 'huge' else 100000)


def take_away(path):
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    else:
        os.unlink(path)


def look(kind, name):
    try:
        p = subprocess.run(['cps', '-a', '--json', '--sysroot', 'host'], capture_output=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return f'{kind} {name}: cps hangs'
    if p.returncode not in (0, 2):
        return f'{kind} {name}: status {p.returncode}: {p.stderr[:1000]}'
    if b'b417' in p.stdout:
        return f'{kind} {name}: something from outside of the root is listed'
    if b'No such device' in p.stderr:
        return f'{kind} {name}: a device was opened: {p.stderr[:500]}'
    return None


def main(fixture, kinds):
    outside = os.path.abspath('outside')
    shutil.rmtree('host', ignore_errors=True)
    shutil.copytree(fixture, 'host', symlinks=True)
    os.makedirs(outside, exist_ok=True)
    by_name = {}
    for base, _, names in os.walk('host'):
        for n in names:
            path = os.path.join(base, n)
            # a blob, or a directory that a record of the same name has: all alike
            key = re.sub(r'[0-9a-f]{64}|^\d+$', 'ID', n)
            if n != '.gitkeep' and not os.path.islink(path):
                by_name.setdefault(key, []).append(path)
    runs, bad = 0, []
    for name, paths in sorted(by_name.items()):
        for path in paths:
            with open(os.path.join(outside, os.path.basename(path)), 'w', encoding='utf-8') as f:
                f.write(RECORD if re.search(r'json$|status$|state$', path) else 'b417\n')
            os.rename(path, path + '.aside')
        for kind in kinds:
            for path in paths:
                put(kind, path, outside)
            bad += filter(None, [look(kind, name)])
            runs += 1
            for path in paths:
                take_away(path)
        for path in paths:
            os.rename(path + '.aside', path)
    print(f'{len(by_name)} kinds of files, {runs} runs')
    print('\n'.join(bad))
    return 1 if bad or not runs else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2:]))
