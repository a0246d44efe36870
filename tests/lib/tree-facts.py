#!/usr/bin/env python3
"""tree-facts.py DIR [--times] [--holes] [--ids=PID] [--without=PATH]...: one line for each file below DIR, for two trees to be compared by diff.

Type, mode, owner, size, what data, link or device it has, attributes, the first of its names where it has several; with
--times the modification time in nanoseconds, with --holes whether there are any, with --ids as the process's user
namespace counts owners. Sockets are left out, and every PATH (from DIR on) with what is below it; the time of the directory
that it is in, too.
"""
import hashlib
import os
import stat
import sys


def quoted(raw):
    return ''.join(chr(b) if 33 <= b < 127 and b != 92 else f'\\{b:03o}' for b in raw)


def digest(path):
    h = hashlib.sha256()
    with open(path, 'rb') as f:
        for block in iter(lambda: f.read(1 << 20), b''):
            h.update(block)
    return h.hexdigest()[:16]


def attributes(path):
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return ','.join(f'{n}={quoted(os.getxattr(path, n, follow_symlinks=False))}' for n in names) or '-'


def what(path, st):
    if stat.S_ISREG(st.st_mode):
        return f'file size={st.st_size} sha256={digest(path)}'
    if stat.S_ISLNK(st.st_mode):
        return f'link to={quoted(os.readlink(path))}'
    if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
        kind = 'char' if stat.S_ISCHR(st.st_mode) else 'block'
        return f'{kind} rdev={os.major(st.st_rdev)}:{os.minor(st.st_rdev)}'
    return 'directory' if stat.S_ISDIR(st.st_mode) else 'fifo'


def inside(kind):
    """A function from the host's ids to those of --ids."""
    pid = next((a.split('=', 1)[1] for a in sys.argv if a.startswith('--ids=')), None)
    if not pid:
        return lambda i: i
    with open(f'/proc/{pid}/{kind}_map', encoding='ascii') as f:
        ranges = [tuple(map(int, line.split())) for line in f]
    return lambda i: next((first + i - out for first, out, n in ranges if out <= i < out + n), 65534)


def walk(top, without):
    """Every path below top, by bytes."""
    for name in sorted(os.listdir(top)):
        path = top + b'/' + name
        if path in without:
            continue
        yield path
        if stat.S_ISDIR(os.lstat(path).st_mode):
            yield from walk(path, without)


def main():
    top, first = os.fsencode(sys.argv[1]), {}
    uid, gid = inside('uid'), inside('gid')
    without = {top + os.fsencode(a.split('=', 1)[1]) for a in sys.argv if a.startswith('--without=')}
    around = {os.path.dirname(path) for path in without}
    for path in walk(top, without):
        st = os.lstat(path)
        if stat.S_ISSOCK(st.st_mode):
            continue
        words = [quoted(path[len(top):]), what(path, st), f'mode={st.st_mode & 0o7777:04o}', f'owner={uid(st.st_uid)}:{gid(st.st_gid)}',
                 f'xattrs={attributes(path)}']
        if st.st_nlink > 1 and not stat.S_ISDIR(st.st_mode):
            words.append(f'same-as={quoted(first.setdefault((st.st_dev, st.st_ino), path)[len(top):])}')
        if '--times' in sys.argv and path not in around:
            words.append(f'mtime={st.st_mtime_ns}')
        if '--holes' in sys.argv and stat.S_ISREG(st.st_mode):
            words.append(f'holes={st.st_blocks * 512 < st.st_size}')
        print(' '.join(words))


main()
