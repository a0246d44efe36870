#!/usr/bin/env python3
"""ctop-recording.py FILE [CONTAINERS]: a recording as `ctop --record` makes it, always the same: a minute of a host in trouble.

Written from docs/formats/ctop-recording.md, not with the library: what both read alike is what the page says.
"""
import struct
import sys

FIELDS = ['cpu', 'periods', 'throttled', 'cpu_limit', 'mem', 'mem_limit', 'anon', 'file', 'shmem', 'swap', 'oom', 'rx', 'tx', 'read',
          'write', 'reads', 'writes', 'pids', 'pids_limit', 'psi_cpu', 'psi_mem', 'psi_io', 'fds']
START = 1763800000 * 10**9
MIB = 1 << 20
NO_LIMIT = (1 << 64) - 1


def number(v):
    out = b''
    while True:
        out += bytes([v & 0x7f | (0x80 if v > 0x7f else 0)])
        v >>= 7
        if not v:
            return out


def signed(v):
    v = (v + (1 << 63)) % (1 << 64) - (1 << 63)
    return number(((v << 1) ^ (v >> 63)) % (1 << 64))


def string(s):
    return number(0) if s is None else number(len(s) + 1) + s


def checksum(data):
    h = 2166136261
    for b in data:
        h = (h ^ b) * 16777619 % (1 << 32)
    return h


class Container:
    def __init__(self, engine, name, group=None, age=3600, known=None, **rates):
        self.engine, self.name, self.group, self.rates, self.known = engine, name, group, rates, known
        self.id = (b'%02x' % (sum(name) % 256)) * 32
        self.started = START - age * 10**9
        self.number, self.last, self.last_at = None, {}, 0

    def identity(self):
        return (string(self.engine) + string(self.id) + string(self.name) + string(b'shop/' + self.engine + b':1') + string(None) +
                string(self.group) + signed(0) + signed(1000 + len(self.name)) + signed(self.started) + signed(-1))

    def sample(self, n):
        """Rates are a second, values with a 'g_' before them are gauges."""
        values = {}
        for f in FIELDS:
            if 'g_' + f in self.rates:
                values[f] = self.rates['g_' + f]
            elif f in self.rates:
                values[f] = self.rates[f] * n
        at = n * 10**9 + 10**9
        out = signed(at - self.last_at) + number(sum(1 << i for i, f in enumerate(FIELDS) if f in values))
        for f in FIELDS:
            if f in values:
                out += signed(values[f] - self.last.get(f, 0))
                self.last[f] = values[f]
        self.last_at = at
        return out


def cast(count):
    def usual(**more):
        return dict(dict(cpu=10**7, g_mem=30 * MIB, g_mem_limit=NO_LIMIT, periods=0, throttled=0, rx=2000, tx=1000, read=0, write=4096,
                         g_pids=5, g_pids_limit=NO_LIMIT, psi_cpu=1000, psi_mem=0, psi_io=0, oom=0), **more)
    cs = [Container(b'docker', b'web', b'shop', **usual(cpu=5 * 10**8, periods=10, throttled=6, rx=5 * 10**6)),
          Container(b'docker', b'db', b'shop', **usual(g_mem=500 * MIB, g_mem_limit=512 * MIB, psi_mem=150000, write=10**7)),
          Container(b'podman', b'batch', None, **usual(cpu=19 * 10**8, psi_cpu=620000)),
          Container(b'lxc', b'build', None, age=200000, **usual(g_pids=96, g_pids_limit=100)),
          Container(b'podman', 'w\u00e4chter \u4e2d\u6587'.encode(), b'pod-a', **usual()),
          Container(b'docker', b'evil\x1b]0;owned\x07\xff\xe2\x80\xae', None, **usual()),
          Container(b'bare', b'sh-4711', None, cpu=2 * 10**8, g_mem=2 * MIB, g_pids=1)]
    return cs + [Container(b'docker', b'worker-%02d' % i, b'farm', **usual(cpu=(i + 1) * 10**6)) for i in range(count)]


def frame(n, cs, ended):
    out = number(1 if n == 0 else 0) + signed(START + n * 10**9)
    for v in (100, 75, 50, 1200, 300, 0):
        out += signed(v)
    for v in (8 << 30, 3 << 30, 0, 0, 4):
        out += signed(v)
    known = [c for c in cs if c.number is not None]
    out += number(len(cs))
    total = max([c.number for c in known], default=-1) + 1
    for c in cs:
        if c.number is None:
            out += number(0) + c.identity()
            c.number, total = total, total + 1
        else:
            out += number(c.number + 1)
        out += number(2) + number(1 if c.engine == b'bare' else 0) + c.sample(n)
    out += number(len(ended))
    for c, code in ended:
        out += number(c.number + 1) + signed(code)
    return struct.pack('<II', len(out), checksum(out)) + out


def main():
    cs = cast(int(sys.argv[2]) if len(sys.argv) > 2 else 20)
    gone = Container(b'docker', b'payments', b'shop', cpu=10**8, g_mem=64 * MIB, g_mem_limit=64 * MIB, oom=0, g_pids=3)
    late = Container(b'docker', b'payments-2', b'shop', age=0, cpu=10**8, g_mem=10 * MIB, g_mem_limit=64 * MIB, oom=0, g_pids=3)
    with open(sys.argv[1], 'wb') as f:
        f.write(b'sonde-ctop\n\x01')
        for n in range(4):
            f.write(frame(n, [gone] + cs, []))
        f.write(frame(4, cs, [(gone, 137)]))
        f.write(frame(5, cs + [late], []))


if __name__ == '__main__':
    main()
