"""What may leave a host, and what may not: environments, secrets and output of programs are taken out of each form of
state file. A key that is denied keeps its place and loses its value, so that the file stays what its reader expects."""
import base64
import json
import re
import sqlite3

from . import boltfile

# lower case; with - and _ taken out
DENIED = {'env', 'envs', 'environment', 'environments', 'environmentvariables', 'secrets', 'envsecrets', 'secretreferences',
          'configreferences', 'secretrefs', 'createcommand', 'auth', 'auths', 'registryauth', 'identitytoken',
          'registrytoken', 'password', 'passwd', 'token', 'tokens', 'credentials', 'credentialspec', 'buildargs', 'history', 'onbuild',
          'health', 'healthcheck', 'healthlog', 'logopts', 'logoptions', 'logconfig', 'driveropts', 'driverconfig', 'sysctls',
          'hooks', 'nsenterpath', 'encryptionkey', 'userdata', 'vendordata', 'securityopt', 'proxy', 'httpproxy', 'pipefds'}
DENIED_ANNOTATION = re.compile(r'last-applied-configuration|secret|token|passw|credential', re.I)
LABELS = {'labels', 'annotations'}
DROPPED = {'seccomp'}  # large, and of no use
BLOB_MAX = 16 * 1024 * 1024
BASE64_JSON = re.compile(rb'(?<![A-Za-z0-9+/])[eW][wy3][A-Za-z0-9+/]{62,}={0,2}')  # { or [, then what may come next


def emptied(value):
    return [] if isinstance(value, list) else {} if isinstance(value, dict) else '' if isinstance(value, str) else value


def is_denied(key, value):
    key = key.lower().replace('-', '').replace('_', '')
    # options of a volume's driver are an object; those of a mount, which say rw or ro, a list
    return key in DENIED or key.endswith('env') or (key in ('options', 'opts') and isinstance(value, dict))


def clean_string(s):
    """JSON in a string, plain or base64, has to be clean as well."""
    text = s.strip()
    if text[:1] in ('{', '['):
        try:
            return json.dumps(clean(json.loads(text)), separators=(',', ':'))
        except ValueError:
            return s
    if len(text) > 64 and re.fullmatch(r'[A-Za-z0-9+/]+=*', text):
        try:
            inner = base64.b64decode(text, validate=True)
            if inner[:1] in (b'{', b'['):
                return base64.b64encode(json.dumps(clean(json.loads(inner)), separators=(',', ':')).encode()).decode()
        except ValueError:
            pass
    return s


def clean_labels(labels):
    return {k: '' if DENIED_ANNOTATION.search(k) else clean_string(v) if isinstance(v, str) else clean(v)
            for k, v in labels.items()}


def clean(value):
    """JSON without what is denied."""
    if isinstance(value, list):
        return [clean(v) for v in value]
    if isinstance(value, str):
        return clean_string(value)
    if not isinstance(value, dict):
        return value
    out = {}
    for key, v in value.items():
        if key.lower() in LABELS and isinstance(v, dict):
            out[key] = clean_labels(v)
        elif key.lower() not in DROPPED:
            out[key] = emptied(v) if is_denied(key, v) else clean(v)
    return out


def clean_json(data):
    """Bytes that had nothing to hide stay as they were written."""
    value = json.loads(data)
    cleaned = clean(value)
    return data if cleaned == value else (json.dumps(cleaned, indent=1) + '\n').encode()


def within_base64(data, replace):
    """replace of what is around the JSON in base64 that data holds, and of each of these: a word is not seen in there, and
    what looks like one is none."""
    out, at = b'', 0
    for found in BASE64_JSON.finditer(data):
        try:
            inner = base64.b64decode(found[0], validate=True)
            json.loads(inner)
        except ValueError:
            continue
        out += replace(data[at:found.start()]) + base64.b64encode(replace(inner))
        at = found.end()
    return out + replace(data[at:])


# --- only what is named ------------------------------------------------------------------------------

HOSTCONFIG = ['Binds', 'NetworkMode', 'PortBindings', 'RestartPolicy', 'CgroupParent', 'Cgroup', 'PidMode', 'IpcMode', 'UTSMode',
              'UsernsMode', 'CgroupnsMode', 'Runtime', 'Privileged', 'AutoRemove', 'ReadonlyRootfs', 'VolumesFrom', 'Memory',
              'NanoCpus', 'PidsLimit', 'Tmpfs']
DAEMON = ['data-root', 'graph', 'exec-root', 'pidfile', 'storage-driver', 'userns-remap', 'features', 'containerd',
          'default-runtime', 'group']


def only(keys):
    def choose(data):
        value = json.loads(data)
        return (json.dumps({k: value[k] for k in keys if k in value}, indent=1) + '\n').encode()
    return choose


def apptainer(data):
    """An instance's record: what it was configured with, in base64, has a host's whole configuration in it."""
    try:
        record = json.loads(data)
        engine = json.loads(base64.b64decode(record.pop('config'), validate=True))['engineConfig']
        config = {k: engine['jsonConfig'][k] for k in ('bindpath', 'image', 'overlayImage', 'writableImage') if k in engine['jsonConfig']}
        config = {'jsonConfig': config, 'ociConfig': {'process': {'args': engine['ociConfig']['process']['args']}}}
    except (AttributeError, KeyError, TypeError) as e:
        raise ValueError('no record of an instance') from e
    record = {**clean(record), 'config': base64.b64encode(json.dumps({'engineConfig': config}).encode()).decode()}
    return (json.dumps(record, indent=1) + '\n').encode()


def lines(pattern):
    """Lines that match, of a file of settings."""
    def choose(data):
        return b''.join(line for line in data.splitlines(keepends=True) if re.match(pattern, line))
    return choose


def without_lines(pattern):
    """All but those, with what belongs to them: lines that go on, or are indented more (YAML)."""
    def choose(data):
        out, depth = b'', None
        for line in data.splitlines(keepends=True):
            indent = len(line) - len(line.lstrip(b' -'))
            if depth is not None and (indent > depth or not line.strip()):
                continue
            depth = indent if re.match(pattern, line.strip(b' -\t')) else None
            if depth is None:
                out += line
        return out
    return choose


# --- databases ---------------------------------------------------------------------------------------

def varint(data, at):
    value, shift = 0, 0
    while True:
        value |= (data[at] & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def to_varint(n):
    out = b''
    while n > 0x7f:
        out, n = out + bytes([n & 0x7f | 0x80]), n >> 7
    return out + bytes([n])


def fields(data):
    """(tag, value) of a protobuf message whose fields are all strings or numbers; ValueError: it is none."""
    out, at = [], 0
    try:
        while at < len(data):
            tag, at = varint(data, at)
            if tag & 7 == 2:
                size, at = varint(data, at)
                if size > len(data) - at:
                    raise ValueError('no message')
                out.append((tag, data[at:at + size]))
                at += size
            elif tag & 7 == 0:
                value, at = varint(data, at)
                out.append((tag, value))
            else:
                raise ValueError('no message')
    except IndexError as e:
        raise ValueError('no message') from e
    return out


def clean_value(data, replace):
    """A value in a database: JSON, a message with JSON in it (protobuf's Any), or plain bytes."""
    if data[:1] in (b'{', b'['):
        try:
            return clean_json(replace(data)).rstrip(b'\n')
        except ValueError:
            pass
    if data[:1] == b'\x0a' and len(data) > 16:
        try:
            return b''.join(to_varint(t) + (to_varint(v) if isinstance(v, int) else to_varint(len(w)) + w)
                            for t, v in fields(data) for w in [v if isinstance(v, int) else clean_value(v, replace)])
        except ValueError:
            pass
    return replace(data)


def clean_bucket(bucket, replace, path, wanted):
    out = boltfile.Bucket()
    out.sequence = bucket.sequence
    for key, value in bucket.items():
        here = path + (key,)
        if not wanted(here):
            continue
        if isinstance(value, boltfile.Bucket):
            out[replace(key)] = clean_bucket(value, replace, here, wanted)
        else:
            out[replace(key)] = clean_value(value, replace)
    return out


def bolt(wanted=lambda path: True):
    def choose(data, replace):
        return boltfile.write(clean_bucket(boltfile.read(data), replace, (), wanted))
    return choose


# Blobs of images, leases and locks are not what a container is.
def containerd_wanted(path):
    return len(path) < 3 or path[0] != b'v1' or path[2] in (b'containers', b'images', b'snapshots', b'sandboxes', b'labels')


def clean_cell(value, replace):
    if isinstance(value, str):
        return clean_value(value.encode('utf-8', 'surrogateescape'), replace).decode('utf-8', 'surrogateescape')
    return clean_value(value, replace) if isinstance(value, bytes) else value


def sqlite_copy(source, target, replace, tables):
    """target: source's tables (all, or those named, the others empty) with clean cells, and without free pages."""
    db = sqlite3.connect(source)
    db.execute('PRAGMA foreign_keys = OFF')
    db.execute('PRAGMA ignore_check_constraints = ON')
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
        if tables is not None and table not in tables:
            db.execute(f'DELETE FROM "{table}"')
            continue
        names = [row[1] for row in db.execute(f'PRAGMA table_info("{table}")')]
        for rowid, *cells in db.execute(f'SELECT rowid, * FROM "{table}"').fetchall():
            new = [clean_cell(c, replace) for c in cells]
            if new != cells:
                db.execute(f'UPDATE "{table}" SET ' + ', '.join(f'"{n}" = ?' for n in names) + ' WHERE rowid = ?', [*new, rowid])
        if table == 'instances_config':
            db.execute(f"DELETE FROM \"{table}\" WHERE key LIKE 'environment.%' OR key LIKE 'user.%' OR key LIKE 'cloud-init.%'")
    db.commit()
    db.execute('VACUUM INTO ?', [target])
    db.close()
