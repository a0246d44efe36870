#!/usr/bin/env python3
"""Each rule of tests/lint is seen failing: on a sample that breaks it, and only there."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import schema  # noqa: E402
import tools  # noqa: E402
import tree  # noqa: E402

# (what must be found, path, text); a None rule: nothing may be found
SAMPLES = [
    ('layers', 'libinspect/kernel/a.c', '#include "libinspect/engines/engine.h"\n'),
    ('layers', 'libinspect/base/a.c', '#include "tools/shared/opts.h"\n'),
    ('layers', 'libinspect/enter/a.c', '#include "libinspect/misc/x.h"\n'),
    ('layers', 'tools/a.c', '#include "libinspect/base/util.h"\n'),
    ('layers', 'sidecar/a.c', ' # include "libinspect/kernel/pid.h"\n'),
    ('layers', 'tools/shared/a.c', '#include "tools/cps/cps.h"\n'),
    (None, 'libinspect/enter/a.c', '#include "libinspect/base/util.h"\n#include "libinspect/inspect.h"\n'),
    (None, 'sidecar/a.c', '#include "libinspect/sysc.h"\n'),
    (None, 'tests/unit/a.c', '#include "libinspect/engines/engine.h"\n'),
    ('engine_names', 'libinspect/resolve/a.c', 'const char *e = "docker";\n'),
    ('engine_names', 'libinspect/engines/podman/podman.c', 'f("/run/runc/x");\n'),
    (None, 'libinspect/resolve/a.c', '/* "docker" does it so */\n// "podman"\n'),
    (None, 'libinspect/engines/docker/image.c', 'const char *e = "docker";\n'),
    (None, 'libinspect/engines/podman/record.c', 'k = "com.docker.compose.project";\n'),
    (None, 'libinspect/kernel/a.c', 'const char *e = "dockerized";\n'),
    ('root_joins', 'libinspect/engines/a.c', 'p = str_format("%s/%s",\n\tc->rootfs, name);\n'),
    ('root_joins', 'sidecar/a.c', 'snprintf(b, sizeof(b), "%s/etc/%s", upper, name);\n'),
    ('root_joins', 'tools/a.c', 'snprintf(b, sizeof(b), "/proc/%d/root/etc/passwd", pid);\n'),
    (None, 'libinspect/engines/a.c', 'p = str_format("%s/%s/merged", dir, id);\n'),
    (None, 'libinspect/engines/a.c', 'p = str_format("%s/%s", bundle, rootfs);\n'),
    ('lengths', 'libinspect/base/a.c', 'int a;\n' * 601),
    (None, 'libinspect/base/a.c', 'int a;\n' * 600),
    ('lengths', 'tools/a.c', 'int f(void)\n{\n' + '\ta();\n' * 79 + '}\n'),
    (None, 'tools/a.c', 'int f(void)\n{\n' + '\ta();\n' * 78 + '}\n'),
    ('whitespace', 'README.md', 'a \n'),
    ('whitespace', 'tools/a.sh', 'a\t\n'),
    ('whitespace', 'Makefile', 'a'),
    ('whitespace', 'NEWS.md', 'a\n\n'),
    ('machine_paths', 'docs/a.md', 'see ..' + '/shared/x.md\n'),
    ('machine_paths', 'tests/a.sh', 'cd {HERE}/build\n'),
    (None, 'tests/a.sh', 'cd /var/tmp/other\n'),
    (None, 'tests/fixtures/a.json', '{} \n'),
]

SCHEMA = {'type': 'object', 'properties': {'a': {'type': ['integer', 'null']}, 'b': {'enum': ['x', None]},
                                           'c': {'type': 'array', 'items': {'type': 'string'}},
                                           'd': {'const': 1}},
          'required': ['a'], 'additionalProperties': False}
DOCUMENTS = [
    (True, {'a': 1, 'b': 'x', 'c': ['y'], 'd': 1}), (True, {'a': None, 'b': None}),
    (False, {}), (False, {'a': '1'}), (False, {'a': True}), (False, {'a': 1, 'b': 'y'}),
    (False, {'a': 1, 'c': [2]}), (False, {'a': 1, 'd': 2}), (False, {'a': 1, 'e': 1}), (False, []),
]

OPTIONS = '-a --all -\n-- --sysroot DIR\n-F - -\n-u --user [USER]\n'
HELP = 'Usage: x\n\n  -a, --all   all\n      --sysroot DIR  d\n  -F  f\n  -u, --user[=USER]  u\n'
MAN = '# OPTIONS\n*-a*, *--all*\n\tx\n\n*--sysroot* _DIR_\n\tx\n\n*-F*\n\tx\n\n*-u*, *--user*[=_USER_]\n\tx\n'
PAGES = [
    (True, MAN, HELP),
    (False, MAN.replace('*-F*\n\tx\n\n', ''), HELP),
    (False, MAN.replace('_DIR_', '_FILE_'), HELP),
    (False, MAN.replace('*-a*', '*-b*'), HELP),
    (False, MAN + '\n*--more*\n\tx\n', HELP),
    (False, MAN, HELP.replace('  -F  f\n', '')),
    (False, MAN, HELP + '      --more  m\n'),
]
LIST = 'ID         the id\nNAME       the * name\n'
TABLE = '*ID* (id)\n\tthe id\n\n*NAME*\n\tthe \\* name\n'
COLUMNS = [
    (True, TABLE), (False, TABLE.replace('the id', 'an id')), (False, TABLE.replace('*NAME*', '*NAMES*')),
    (False, TABLE + '\n*MORE*\n\tmore\n'),
]


def found_in(path, text):
    with tempfile.TemporaryDirectory() as root:
        root = os.path.realpath(root)
        os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
        with open(os.path.join(root, path), 'w', encoding='utf-8') as f:
            f.write(text.replace('{HERE}', root))
        return {p.rsplit('[', 1)[1].rstrip(']') for p in tree.check_tree(root)}


def expect(what, got, wanted, failures):
    if got != wanted:
        failures.append(f'{what}: found {got}, wanted {wanted}')


def main():
    failures = []
    for rule, path, text in SAMPLES:
        expect(f'{path} {text[:60]!r}', found_in(path, text), {rule} if rule else set(), failures)
    for good, document in DOCUMENTS:
        expect(f'schema {document}', not list(schema.problems(SCHEMA, document)), good, failures)
    for good, man, help_text in PAGES:
        expect(f'options {man[:60]!r}', not tools.option_problems(OPTIONS, man, help_text), good, failures)
    for good, man in COLUMNS:
        expect(f'columns {man[:60]!r}', not tools.column_problems(LIST, man), good, failures)
    print('\n'.join(failures), end='\n' if failures else '')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
