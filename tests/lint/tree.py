#!/usr/bin/env python3
"""tree.py [DIR]: rules about the source tree that no compiler holds.

Prints FILE:LINE: what is wrong, one a line; exit status 1 when there was any. DIR (default: this
checkout) is read as `git ls-files` lists it, or whole where it is no git checkout.
tests/lint/selftest.py shows each rule failing once.
"""
import os
import re
import subprocess
import sys

# Each folder of libinspect may include itself and those before it (docs/architecture.md).
LAYERS = ['base', 'kernel', 'container', 'engines', 'resolve', 'rootfs', 'enter', 'stats']
ENGINES = ['docker', 'podman', 'runc', 'crun', 'youki', 'lxc', 'lxd', 'incus', 'nspawn', 'apptainer', 'singularity', 'gvisor',
           'rkt', 'openvz', 'buildah']
# Names that are another engine's format: docker keeps its runtimes' state in directories called so.
ENGINE_NAMES_ALLOWED = {('libinspect/engines/docker/runtime.c', '"runtime-runc"'),
                        ('libinspect/engines/docker/runtime.c', '"runtime-crun"'),
                        # an engine that may be another's runtime
                        ('libinspect/engines/docker/runtime.c', '"libinspect/engines/gvisor.h"'),
                        # what is not a user's mount, in the configuration that engines hand to runtimes
                        ('libinspect/engines/oci/spec.c', '"/run/podman-init"'),
                        ('libinspect/rootfs/diff-scope.c', '"/run/podman-init"'),
                        # the registry that a name without one means
                        ('libinspect/engines/oci/reference.c', '"docker.io/"'),
                        ('libinspect/engines/containerd/task.c', '"/run/containerd/runc"'),
                        # what it was called before, and is by its sibling
                        ('libinspect/engines/apptainer/apptainer.c', '".singularity"'),
                        # two engines of one form
                        ('libinspect/engines/lxc/lxd.c', '"incus"')}
COMPOSE_LABEL = 'com.docker.compose.'  # the compose project's labels, whoever runs the container
PUBLIC = ('libinspect/inspect.h', 'libinspect/files.h', 'libinspect/creds.h', 'libinspect/pty.h',
          'libinspect/stats.h',
          'libinspect/sysc.h')
FILE_LINES = 600
FUNCTION_LINES = 80

STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')', re.S)


def without_comments(text):
    """Comments become blanks, so that line numbers stay."""
    def blank(m):
        return m.group(1) if m.group(1) else re.sub(r'[^\n]', ' ', m.group(0))
    return COMMENT.sub(blank, text)


def line_of(text, at):
    return text.count('\n', 0, at) + 1


def layers(path, text):
    """The order of the folders, read from the #include lines."""
    parts = path.split('/')
    for m in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', text, re.M):
        inc, line = m.group(1), line_of(text, m.start())
        target = inc.split('/')
        if parts[0] in ('tools', 'tui', 'sidecar') and target[0] == 'libinspect' and inc not in PUBLIC:
            yield line, f'{parts[0]}/ may include of libinspect only inspect.h, files.h, creds.h, pty.h, stats.h and sysc.h, not {inc}'
        if parts[:2] == ['tools', 'shared'] and target[0] != 'libinspect' and target[:2] != ['tools', 'shared']:
            yield line, f'tools/shared/ may not include {inc}'
        if parts[0] != 'libinspect' or len(parts) < 3:
            continue
        if target[0] != 'libinspect':
            yield line, f'libinspect/ may not include {inc}'
        elif len(target) > 2:
            if parts[1] not in LAYERS or target[1] not in LAYERS:
                yield line, f'a folder that is no layer: {path} includes {inc}'
            elif LAYERS.index(target[1]) > LAYERS.index(parts[1]):
                yield line, f'layer {parts[1]} may not include {target[1]}: {inc}'


def engine_names(path, text):
    """Only an engine's own files name it."""
    if not path.startswith('libinspect/') or not path.endswith(('.c', '.h')):
        return
    for m in STRING.finditer(without_comments(text)):
        for engine in ENGINES:
            if not re.search(rf'\b{engine}\b', m.group(0).replace(COMPOSE_LABEL, '')) or (path, m.group(0)) in ENGINE_NAMES_ALLOWED:
                continue
            if not re.match(rf'libinspect/engines/(\w+/)?{engine}[/.]', path):
                yield line_of(text, m.start()), f'the name of an engine outside its file: {m.group(0)}'


JOIN = re.compile(r'\b(snprintf|str_format|asprintf|strbuf_printf|path_join)\s*\(([^;]*?)\)\s*;', re.S)
# a root as an argument that others follow: something is put behind it
ROOT = re.compile(r'\b(rootfs|merged|upper(?:dir)?|lower(?:dir)?|root_path|target_root)\s*,')


def root_joins(path, text):
    """A path inside a container is opened below its root fd, never built as a string."""
    if not path.startswith(('libinspect/', 'sidecar/', 'tools/')):
        return
    code = without_comments(text)
    for m in JOIN.finditer(code):
        args = m.group(2)
        joins = re.search(r'"[^"]*(%s/|/%s)[^"]*"', args) and ROOT.search(STRING.sub('""', args))
        if joins or re.search(r'"[^"]*/root/[^"]*"', args):
            yield line_of(code, m.start()), 'a path joined to a container\'s root: open below its fd'


def lengths(path, text):
    """Files and functions that one can read."""
    if not path.endswith(('.c', '.h')):
        return
    lines = text.split('\n')
    if len(lines) - 1 > FILE_LINES:
        yield FILE_LINES + 1, f'the file has {len(lines) - 1} lines, more than {FILE_LINES}'
    start = None
    for n, line in enumerate(lines, 1):
        if line == '{':
            start = n
        elif line == '}' and start:
            if n - start + 1 > FUNCTION_LINES:
                yield start, f'a function of {n - start + 1} lines, more than {FUNCTION_LINES}'
            start = None


def whitespace(path, text):
    """No blanks at the end of a line, a newline at the end of a file."""
    for n, line in enumerate(text.split('\n'), 1):
        if line != line.rstrip():
            yield n, 'blanks at the end of the line'
    if text and not text.endswith('\n'):
        yield text.count('\n') + 1, 'no newline at the end of the file'
    if text.endswith('\n\n'):
        yield text.count('\n'), 'empty lines at the end of the file'


# Directories that every host has: they tell nothing, though a checkout may lie below one.
EVERYWHERE = {'/var/tmp', '/var/lib', '/var/run', '/usr/src', '/usr/local', '/usr/local/src', '/home/user', '/run/user'}


def machine_paths(path, text, root=None):
    """Nothing of the machine that it was written on."""
    here = os.path.realpath(root or os.getcwd())
    words = ['..' + '/shared/']
    while here.count('/') >= 2:
        if here not in EVERYWHERE:
            words.append(here)
        here = os.path.dirname(here)
    for n, line in enumerate(text.split('\n'), 1):
        for word in words:
            if re.search(re.escape(word) + r'(?![\w.-])' if word[0] == '/' else re.escape(word), line):
                yield n, f'a path of this machine: {word}'


CHECKS = [layers, engine_names, root_joins, lengths, whitespace, machine_paths]


def files(root):
    git = subprocess.run(['git', '-C', root, 'ls-files', '-co', '--exclude-standard'], capture_output=True, text=True)
    if git.returncode == 0 and os.path.exists(os.path.join(root, '.git')):
        return sorted(set(git.stdout.split('\n')) - {''})
    found = []
    for base, _, names in os.walk(root):
        found += [os.path.relpath(os.path.join(base, n), root) for n in names]
    return sorted(f for f in found if not f.startswith('build/'))


def is_ours(path):
    """Texts that people write; captured fixtures keep their bytes."""
    if path.startswith(('tests/fixtures/', 'tests/fuzz/corpus/')):
        return False
    name = os.path.basename(path)
    return path.endswith(('.c', '.h', '.sh', '.py', '.md', '.scd', '.json', '.bash')) or \
        name in ('Makefile', '.clang-format', '.editorconfig', '.gitignore', 'run')


def check_tree(root):
    problems = []
    for path in files(root):
        full = os.path.join(root, path)
        if not is_ours(path) or not os.path.isfile(full):
            continue
        with open(full, encoding='utf-8', errors='surrogateescape') as f:
            text = f.read()
        for check in CHECKS:
            args = (path, text, root) if check is machine_paths else (path, text)
            problems += [f'{path}:{n}: {what} [{check.__name__}]' for n, what in check(*args)]
    return problems


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.realpath(__file__)), '../..')
    problems = check_tree(os.path.realpath(root))
    print('\n'.join(problems), end='\n' if problems else '')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
