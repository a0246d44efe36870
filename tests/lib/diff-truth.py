#!/usr/bin/env python3
"""The truth about a container's changes, told by nobody under test, and what another engine says beside it.

diff-truth.py walk AFTER BEFORE [own] [links]
                                         docker's lines, each ended by a NUL, of two mounted trees, walked whole; own:
                                         without what engines put into every container's changes; links: `? PATH` for files
                                         of several links, which fuse-overlayfs mixes up
diff-truth.py same TRUTH OURS            two files of such lines hold the same set, but for `?`
diff-truth.py docker OURS THEIRS         OURS as above, THEIRS what `docker diff` printed: the same lines, apart from
diff-truth.py podman OURS THEIRS         the differences that docs/formats/diff.md explains; a count of each is printed
diff-truth.py naive OURS THEIRS VERIFIED podman's other way to compare, of vfs; VERIFIED: the lines of cdiff --verify
"""
import os
import stat
import sys

# libpod/diff.go; the test's containers change none of them themselves
OWN = {b'/dev', b'/etc/hostname', b'/etc/hosts', b'/etc/mtab', b'/etc/resolv.conf', b'/proc', b'/run', b'/run/.containerenv',
       b'/run/notify', b'/run/podman-init', b'/run/secrets', b'/sys'}


def capability(path):
    try:
        return os.getxattr(path, 'security.capability', follow_symlinks=False)
    except OSError:
        return b''


def dump(top, path=b'', found=None):
    """All files below top, each with what docker compares. One tree at a time: some FUSE file systems mix names up that
    are looked for and not there."""
    found = {} if found is None else found
    for name in os.listdir(top + path):
        inner = path + b'/' + name
        st = os.lstat(top + inner)
        found[inner] = (st, capability(top + inner))
        if stat.S_ISDIR(st.st_mode):
            dump(top, inner, found)
    return found


def same_time(a, b):
    (a_s, a_n), (b_s, b_n) = divmod(a.st_mtime_ns, 10**9), divmod(b.st_mtime_ns, 10**9)
    return a_s == b_s and (a_n == b_n or 0 in (a_n, b_n))


def differs(file_a, file_b):
    (a, a_cap), (b, b_cap) = file_a, file_b
    if (a.st_mode, a.st_uid, a.st_gid, a.st_rdev, a_cap) != (b.st_mode, b.st_uid, b.st_gid, b.st_rdev, b_cap):
        return True
    # docker's mask takes block devices and sockets for directories here
    return a.st_mode & stat.S_IFDIR != stat.S_IFDIR and (a.st_size != b.st_size or not same_time(a, b))


def walk(after, before, options):
    """{path: letter}"""
    a, b = dump(after), dump(before)
    lines = {path: b'A' for path in a if path not in b}
    lines |= {path: b'C' for path in a if path in b and differs(a[path], b[path])}
    # of what was deleted the topmost, unless something else is there now
    lines |= {path: b'D' for path in b if path not in a and
              (os.path.dirname(path) == b'/' or os.path.dirname(path) in a and stat.S_ISDIR(a[os.path.dirname(path)][0].st_mode))}
    if 'own' in options:
        for path in sorted(OWN, reverse=True):
            if lines.get(path) == b'A' and not any(p.startswith(path + b'/') for p in lines):
                del lines[path]
    for path in list(lines):
        while (path := os.path.dirname(path)) != b'/':
            lines.setdefault(path, b'C')
    if 'links' in options:
        lines |= dict.fromkeys(linked(a) | linked(b), b'?')
    return lines


def read(path, end):
    with open(path, 'rb') as f:
        return f.read().split(end)[:-1]


def lines_of(path):
    found = [(line[:1], line[2:]) for line in read(path, b'\0')]
    if len(set(found)) != len(found):
        sys.exit('a line is there twice')
    return found


def show(title, lines):
    for line in sorted(lines)[:20]:
        print(title, line)
    return len(lines)


def linked(tree):
    """Files that have, or share, an inode with several names."""
    count = {}
    for st, _ in tree.values():
        count[st.st_ino] = count.get(st.st_ino, 0) + 1
    return {path for path, (st, _) in tree.items() if not stat.S_ISDIR(st.st_mode) and (st.st_nlink > 1 or count[st.st_ino] > 1)}


def same(truth, ours):
    a, b = set(lines_of(truth)), set(lines_of(ours))
    vague = {path for kind, path in a if kind == b'?'}
    vague |= {os.path.dirname(path) for path in vague}
    # what the container has made of an engine's own path is a change
    vague |= {path for kind, path in b if kind == b'A' and path in OWN}
    a, b = ({line for line in lines if line[1] not in vague} for lines in (a, b))
    return show('missing:', a - b) + show('too much:', b - a)


def as_printed(line):
    """As a program prints it that keeps text as UTF-8 (Go's encoding/json)."""
    return (line[0] + b' ' + line[1]).decode('utf-8', 'surrogateescape').encode('utf-8', 'surrogateescape') \
        .decode('utf-8', 'replace')


def printed_lines(text):
    """What an engine printed; a name may have a newline in it."""
    found = []
    for line in text.split('\n'):
        if line[:2] in ('A ', 'C ', 'D ') and line[2:3] == '/':
            found.append(line)
        elif line and found:
            found[-1] += '\n' + line
    return found


def sides(ours, theirs):
    with open(theirs, 'rb') as f:
        text = f.read().decode('utf-8', 'replace')
    if text.startswith('Error'):
        sys.exit(text)
    ours, theirs = {as_printed(line) for line in lines_of(ours)}, printed_lines(text)
    if len(set(theirs)) != len(theirs):
        print('they say a line twice')
    return ours, set(theirs)


def explain(ours, theirs, rules):
    """Each line that only one of them has must come under a rule: (name, function of the line)."""
    counts, unexplained = {}, 0
    for who, lines in (('ours', ours - theirs), ('theirs', theirs - ours)):
        for line in sorted(lines):
            name = next((n for side, n, rule in rules if side == who and rule(line)), None)
            if name:
                counts[name] = counts.get(name, 0) + 1
            else:
                unexplained += 1
                print(f'only {who}: {line!r}')
    for name, count in sorted(counts.items()):
        print(f'# {name}: {count}')
    print(f'# the same: {len(ours & theirs)}')
    return unexplained


def parents(path):
    while path.count('/') > 1:
        path = path.rsplit('/', 1)[0]
        yield path


def docker(ours_path, theirs_path):
    ours, theirs = sides(ours_path, theirs_path)
    now_other = {line[2:] for line in ours if line[0] == 'C'}
    # what is a socket or a block device now is a directory to docker, whose files are deleted one by one
    return explain(ours, theirs, [
        ('theirs', 'below a directory that is a socket or block device now',
         lambda line: line[0] == 'D' and any(p in now_other for p in parents(line[2:])))])


def is_new_socket(line):
    """In the uppermost layer, which the caller names in the environment."""
    path = os.environ.get('DIFF_UPPER', '') + line[2:]
    return line[0] == 'A' and os.path.lexists(path) and stat.S_ISSOCK(os.lstat(path).st_mode)


def podman(ours_path, theirs_path):
    ours, theirs = sides(ours_path, theirs_path)
    with_change = {p for line in ours for p in parents(line[2:])}
    return explain(ours, theirs, [
        ('ours', 'a path that podman leaves out whatever is done to it', lambda line: os.fsencode(line[2:]) in OWN),
        ('ours', 'a socket, on fuse-overlayfs', is_new_socket),
        ('theirs', 'copied up, and as it was', lambda line: line[0] == 'C' and line not in ours),
        ('ours', 'a directory with a change in it', lambda line: line[0] == 'C' and line[2:] in with_change),
        ('ours', 'another owner or capability of a directory, which podman does not compare', lambda line: line[0] == 'C'),
    ])


def naive(ours_path, theirs_path, verified_path):
    ours, theirs = sides(ours_path, theirs_path)
    verified = {as_printed(line) for line in lines_of(verified_path)}
    return explain(ours, theirs, [
        ('ours', 'a path that podman leaves out whatever is done to it', lambda line: os.fsencode(line[2:]) in OWN),
        ('theirs', 'another extended attribute', lambda line: line[0] == 'C' and line in verified - ours),
    ])


def main():
    what, *args = sys.argv[1:]
    if what == 'walk':
        out = walk(os.fsencode(args[0]), os.fsencode(args[1]), args[2:])
        sys.stdout.buffer.write(b''.join(kind + b' ' + path + b'\0' for path, kind in sorted(out.items())))
        return 0
    return 1 if {'same': same, 'docker': docker, 'podman': podman, 'naive': naive}[what](*args) else 0


if __name__ == '__main__':
    sys.setrecursionlimit(10000)
    sys.exit(main())
