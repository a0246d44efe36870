#!/usr/bin/env python3
"""A host's engine state as a small tree. tests/fixtures/capture.sh says what it takes; rules.py what is copied."""
import argparse
import fnmatch
import os
import stat
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
from capture import redact, rules  # noqa: E402 pylint: disable=wrong-import-position

FILE_MAX = 64 * 1024 * 1024
KEEP = '.gitkeep'  # git stores no empty directory


class Host:
    """A host's root, and directories elsewhere that are read as if they were in it. Paths have no leading slash."""

    def __init__(self, root, places):
        self.root = root
        self.places = sorted(places, key=lambda p: -len(p[0]))  # (place, real directory)

    def real(self, path):
        for place, real in self.places:
            if path == place or path.startswith(place + '/'):
                return real + path[len(place):]
        return os.path.join(self.root, path)

    def names(self, path):
        found = {p[0][len(path) + 1 if path else 0:].split('/')[0] for p in self.places
                 if p[0].startswith(path + '/' if path else '') and p[0] != path}
        try:
            found.update(os.listdir(self.real(path)))
        except OSError:
            pass
        return sorted(found)

    def mode(self, path):
        """None: nothing there. What only leads to a place is a directory."""
        try:
            return os.lstat(self.real(path)).st_mode
        except OSError:
            return stat.S_IFDIR if any(p[0].startswith(path + '/') for p in self.places) else None

    def resolve(self, path, depth=0):
        """path without links, below the root as the host itself would see it; None: no way."""
        done = ''
        for n, part in enumerate(parts := [p for p in path.split('/') if p not in ('', '.')]):
            if part == '..':
                done = os.path.dirname(done)
                continue
            done = os.path.join(done, part)
            mode = self.mode(done)
            if mode is None:
                return None
            if stat.S_ISLNK(mode):
                if depth > 16:
                    return None
                target = os.readlink(self.real(done))
                base = '' if target.startswith('/') else os.path.dirname(done) + '/'
                return self.resolve('/'.join([base + target.lstrip('/'), *parts[n + 1:]]), depth + 1)
        return done

    def read(self, path):
        """Of a regular file only: not through a link, nor from what would not end."""
        fd = os.open(self.real(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, 'rb') as f:
            st = os.fstat(fd)
            if not stat.S_ISREG(st.st_mode) or st.st_size > FILE_MAX:
                raise OSError(f'not a regular file of at most {FILE_MAX >> 20} MiB')
            return f.read(FILE_MAX)


class Capture:
    def __init__(self, host, out, replacements):
        self.host, self.out = host, out
        self.replacements = sorted(replacements, key=lambda r: -len(r[0]))
        self.problems = 0
        self.homes = set()

    def replace(self, data):
        return redact.within_base64(data, self.replace_words)

    def replace_words(self, data):
        for old, new in self.replacements:
            data = data.replace(old.encode(), new.encode())
            data = data.replace(old.replace('/', '\\/').encode(), new.replace('/', '\\/').encode())
        return data

    def target(self, path):
        full = os.path.join(self.out, self.replace(path.encode()).decode())
        os.makedirs(os.path.dirname(full), exist_ok=True)
        return full

    def emit(self, path, data):
        with open(self.target(path), 'wb') as f:
            f.write(data)

    def emit_link(self, path, target):
        full = self.target(path)
        if not os.path.lexists(full):
            os.symlink(self.replace(os.fsencode(target)), full)

    def emit_dir(self, path):
        os.makedirs(self.target(path), exist_ok=True)

    def emit_sqlite(self, path, tables):
        """With the log beside it, when there is one: what was committed last may only be there."""
        with tempfile.TemporaryDirectory() as d:
            for suffix in ('', '-wal'):
                if self.host.mode(path + suffix) is not None:
                    with open(f'{d}/db{suffix}', 'wb') as f:
                        f.write(self.host.read(path + suffix))
            target = self.target(path)
            if os.path.exists(target):
                os.unlink(target)
            redact.sqlite_copy(f'{d}/db', target, self.replace, tables)

    def take(self, path, mode, kind):
        if kind == rules.LINK:
            if stat.S_ISLNK(mode):
                self.emit_link(path, os.readlink(self.host.real(path)))
        elif kind == rules.DIR:
            if stat.S_ISDIR(mode):
                self.emit_dir(path)
        elif kind == rules.EMPTY:
            if not stat.S_ISDIR(mode) and not stat.S_ISLNK(mode):
                self.emit(path, b'')
        elif not stat.S_ISREG(mode):
            return
        elif isinstance(kind, tuple):
            self.emit_sqlite(path, kind[1])
        elif kind == rules.TEXT:
            self.emit(path, self.replace(self.host.read(path)))
        elif kind in (rules.BOLT, rules.CONTAINERD_BOLT):
            self.emit(path, kind(self.host.read(path), self.replace))
        else:
            self.emit(path, kind(self.replace(self.host.read(path))))

    def match(self, path, parts, kind, private):
        """Everything below path that the rest of a pattern matches. In a user's directory no link is followed."""
        mode = self.host.mode(path) if path else stat.S_IFDIR
        if mode is None:
            return
        if not parts:
            try:
                self.take(path, mode, kind)
            except (OSError, ValueError, redact.sqlite3.Error) as e:
                self.problems += 1
                print(f'capture: {path}: left out: {e}', file=sys.stderr)
            return
        if stat.S_ISLNK(mode):
            to = None if private else self.host.resolve(path)
            if to:
                self.emit_link(path, os.readlink(self.host.real(path)))
                self.match(to, parts, kind, private)
            return
        if not stat.S_ISDIR(mode):
            return
        names = self.host.names(path) if any(c in parts[0] for c in '*[?') else [parts[0]]
        for name in names:
            if name == parts[0] or (fnmatch.fnmatchcase(name, parts[0]) and name != KEEP and
                                    (name[0] != '.' or parts[0][0] == '.')):
                self.match(os.path.join(path, name), parts[1:], kind, private)

    def users(self):
        """(line of passwd without secrets, home) of those with a home of their own."""
        try:
            lines = self.host.read('etc/passwd').decode('utf-8', 'replace').split('\n')
        except OSError:
            return
        for line in lines:
            f = line.split(':')
            if len(f) == 7 and f[5].strip('/'):
                yield ':'.join([f[0], 'x', f[2], f[3], '', f[5], f[6]]), f[5].strip('/')

    def run(self):
        users = list(self.users())
        for pattern, kind in rules.RULES:
            first, *rest = pattern.split('/')
            if first != 'home':
                self.match('', [first, *rest], kind, False)
                continue
            for _, home in users:
                self.match(home, rest, kind, True)
        self.emit_users(users)
        for base, dirs, names in os.walk(self.out):
            if not dirs and not names:
                with open(os.path.join(base, KEEP), 'wb'):
                    pass

    def emit_users(self, users):
        """Only those of whom something was taken."""
        have = [(line, home) for line, home in users if os.path.isdir(os.path.join(self.out, self.replace(home.encode()).decode()))]
        if not have:
            return
        self.emit('etc/passwd', self.replace(''.join(line + '\n' for line, _ in have).encode()))
        names = [line.split(':')[0] for line, _ in have]
        try:
            subuid = self.host.read('etc/subuid').decode('utf-8', 'replace').split('\n')
        except OSError:
            return
        self.emit('etc/subuid', self.replace(''.join(s + '\n' for s in subuid if s.split(':')[0] in names).encode()))


def pair(text):
    old, _, new = text.partition('=')
    if not old:
        raise argparse.ArgumentTypeError('not OLD=NEW')
    return old, new


def main():
    parser = argparse.ArgumentParser(prog='capture.sh', description='The state of a host\'s engines as a small tree, without secrets.')
    parser.add_argument('out', metavar='OUTDIR')
    parser.add_argument('--root', default='/', metavar='DIR')
    parser.add_argument('--from', dest='places', action='append', default=[], type=pair, metavar='DIR=PLACE')
    parser.add_argument('--replace', action='append', default=[], type=pair, metavar='OLD=NEW')
    a = parser.parse_args()
    if os.path.exists(a.out) and os.listdir(a.out):
        parser.error(f'{a.out} is not empty')
    os.makedirs(a.out, exist_ok=True)
    places = [(os.path.realpath(d), place) for d, place in a.places]
    host = Host(os.path.realpath(a.root), [(place.strip('/'), d) for d, place in places])
    capture = Capture(host, os.path.realpath(a.out), places + a.replace)
    capture.run()
    return 2 if capture.problems else 0


if __name__ == '__main__':
    sys.exit(main())
