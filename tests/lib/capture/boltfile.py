"""bolt (bbolt) files, read whole and written anew: a file that was written here has no free page, and so nothing that
was deleted. docs/formats/bolt.md."""
import struct

MAGIC, VERSION, PAGE = 0xED0CDAED, 2, 4096
BRANCH, LEAF, META, FREELIST = 1, 2, 4, 16
IS_BUCKET = 1
HEADER = struct.Struct('<QHHI')
LEAF_ELEM, BRANCH_ELEM = struct.Struct('<IIII'), struct.Struct('<IIQ')
META_FIELDS = struct.Struct('<IIIIQQQQQ')


class Bucket(dict):
    """Keys to bytes or Buckets."""
    sequence = 0


def fnv64a(data):
    h = 0xcbf29ce484222325
    for c in data:
        h = ((h ^ c) * 0x100000001b3) & (2**64 - 1)
    return h


class Reader:
    def __init__(self, data):
        self.data = data
        metas = [m for at in [0, *(512 << n for n in range(8))] for m in self.meta(at)]
        if not metas:
            raise ValueError('no bolt database')
        _, self.size, self.root = max(metas)

    def meta(self, at):
        raw = self.data[at + 16:at + 80]
        if len(raw) == 64:
            magic, version, size, _, root, _, _, _, txid = META_FIELDS.unpack(raw[:56])
            if (magic, version) == (MAGIC, VERSION) and struct.unpack('<Q', raw[56:])[0] == fnv64a(raw[:56]):
                yield txid, size, root

    def elements(self, page, at):
        _, flags, count, _ = HEADER.unpack_from(page, at)
        for n in range(count):
            e = at + 16 + 16 * n
            if flags & BRANCH:
                yield from self.elements(self.data, BRANCH_ELEM.unpack_from(page, e)[2] * self.size)
                continue
            kind, pos, ksize, vsize = LEAF_ELEM.unpack_from(page, e)
            yield kind, page[e + pos:e + pos + ksize], page[e + pos + ksize:e + pos + ksize + vsize]

    def bucket(self, page, at):
        b = Bucket()
        for kind, key, value in self.elements(page, at):
            if not kind & IS_BUCKET:
                b[key] = value
                continue
            root, sequence = struct.unpack_from('<QQ', value)
            b[key] = self.bucket(self.data, root * self.size) if root else self.bucket(value, 16)
            b[key].sequence = sequence
        return b


def read(data):
    r = Reader(data)
    return r.bucket(r.data, r.root * r.size)


class Writer:
    def __init__(self):
        self.pages = [b''] * 3  # two metas and the list of free pages, which is empty

    def add(self, page):
        """Its number; a page larger than one has overflow pages."""
        number, overflow = len(self.pages), (len(page) - 1) // PAGE
        page = HEADER.pack(number, *HEADER.unpack_from(page)[1:3], overflow) + page[16:]
        self.pages += [page.ljust((overflow + 1) * PAGE, b'\0')] + [b''] * overflow
        return number

    @staticmethod
    def leaf(items):
        table, body, room = b'', b'', 16 * len(items)
        for n, (kind, key, value) in enumerate(items):
            table += LEAF_ELEM.pack(kind, room - 16 * n + len(body), len(key), len(value))
            body += key + value
        return HEADER.pack(0, LEAF, len(items), 0) + table + body

    def tree(self, items):
        """The number of the root page. Leaves are filled as far as one page goes, as bbolt does."""
        leaves, size = [[]], 16
        for item in items:
            need = 16 + len(item[1]) + len(item[2])
            if leaves[-1] and size + need > PAGE:
                leaves, size = leaves + [[]], 16
            leaves[-1].append(item)
            size += need
        level = [(leaf[0][1] if leaf else b'', self.add(self.leaf(leaf))) for leaf in leaves]
        while len(level) > 1:
            level = [(part[0][0], self.add(self.branch(part))) for part in (level[n:n + 64] for n in range(0, len(level), 64))]
        return level[0][1]

    @staticmethod
    def branch(children):
        table, body, room = b'', b'', 16 * len(children)
        for n, (key, number) in enumerate(children):
            table += BRANCH_ELEM.pack(room - 16 * n + len(body), len(key), number)
            body += key
        return HEADER.pack(0, BRANCH, len(children), 0) + table + body

    def items(self, bucket):
        for key, value in sorted(bucket.items()):
            yield (IS_BUCKET, key, self.value(value)) if isinstance(value, Bucket) else (0, key, value)

    def value(self, bucket):
        """A bucket in its parent: small ones without buckets of their own lie there whole."""
        items = list(self.items(bucket))
        page = self.leaf(items)
        if len(page) <= PAGE // 4 and not any(kind for kind, _, _ in items):
            return struct.pack('<QQ', 0, bucket.sequence) + page
        return struct.pack('<QQ', self.tree(items), bucket.sequence)

    def file(self, bucket):
        root = self.tree(list(self.items(bucket)))
        for n in range(2):
            meta = META_FIELDS.pack(MAGIC, VERSION, PAGE, 0, root, 0, 2, len(self.pages), n + 1)
            self.pages[n] = (HEADER.pack(n, META, 0, 0) + meta + struct.pack('<Q', fnv64a(meta))).ljust(PAGE, b'\0')
        self.pages[2] = HEADER.pack(2, FREELIST, 0, 0).ljust(PAGE, b'\0')
        return b''.join(self.pages)


def write(bucket):
    return Writer().file(bucket)
