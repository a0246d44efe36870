#!/usr/bin/env python3
"""tools.py BUILD TOOL...: a tool's option table, --help, man page, completion and JSON schema are one.

The option table is what `TOOL --list-options` prints; the columns, what `cps --list-columns` does.
"""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../..')
# The lists of cps: arguments that choose one, the heading in the man page, the schema.
LISTS = [([], 'Containers', 'containers'), (['x'], 'Processes of a container', 'processes'),
         (['--ns'], 'Namespaces', 'namespaces')]


def table_options(text):
    """'-o --output COL' lines -> {('-o', '--output', 'COL')}."""
    found = set()
    for line in text.splitlines():
        letter, name, arg = line.split(' ', 2)
        found.add((letter if letter != '--' else '', name if name != '-' else '', arg if arg != '-' else ''))
    return found


def spelled_options(lines):
    """'-o, --output COL', '--all', '-u, --user[=USER]' -> the same."""
    found = set()
    for line in lines:
        m = re.fullmatch(r'(-[^-\s,[]|)(?:, )?(--[a-z0-9-]+|)(?:(\[)=?([^\]]+)\]| (.+)|)', line.strip())
        if not m:
            found.add(('?', line, ''))
            continue
        arg = f'[{m.group(4)}]' if m.group(3) else m.group(5) or ''
        found.add((m.group(1), m.group(2), arg))
    return found


def man_options(man):
    lines = [re.sub(r'[*_\\]', '', line) for line in man.splitlines() if line.startswith('*-')]
    return spelled_options(lines)


def help_options(text):
    lines = [re.split(r'(?<=\S)\s{2,}', line.strip())[0] for line in text.splitlines()
             if re.match(r'  (-|    --)', line)]
    return spelled_options(lines)


def difference(what, wanted, got):
    def show(o):
        return ' '.join(x for x in o if x)
    return [f'{what} lacks {show(o)}' for o in sorted(wanted - got)] + \
        [f'{what} has {show(o)}, the option table has not' for o in sorted(got - wanted)]


def option_problems(options, man, help_text):
    table = table_options(options)
    return difference('the man page', table, man_options(man)) + difference('--help', table, help_options(help_text))


def man_columns(section):
    """'*NAME* (key)' and the line below it -> {(name, help)}."""
    found = re.findall(r'^\*([A-Z]+)\*(?: \([^)]*\))?\n\t(.*)$', section, re.M)
    return {(name, text.replace('\\', '')) for name, text in found}


def column_problems(listed, section):
    table = {tuple(line.split(None, 1)) for line in listed.splitlines()}
    return difference('the man page', table, man_columns(section))


def man_keys(section):
    return {key.replace('\\', '').rstrip('*') for key in re.findall(r'^\*[A-Z]+\* \(([^)]*)\)$', section, re.M)}


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def check_tool(build, tool):
    path = os.path.join(build, tool)
    man_path = f'docs/man/{tool}.1.scd'
    if not os.path.exists(os.path.join(ROOT, man_path)):
        return [f'{man_path} is missing']
    found = option_problems(run(path, '--list-options'), read(man_path), run(path, '--help'))
    with open(os.path.join(build, 'completion', tool), encoding='utf-8') as f:
        if f.read() != run(path, '--complete-bash'):
            found.append('the completion is not that of the option table')
    return [f'{tool}: {p}' for p in found]


def check_lists(build):
    found = []
    for args, heading, kind in LISTS:
        man = read('docs/man/cps.1.scd')
        section = re.split(r'^#', man.split(f'\n## {heading}\n', 1)[1], maxsplit=1, flags=re.M)[0]
        found += column_problems(run(os.path.join(build, 'cps'), '--list-columns', *args), section)
        schema = json.loads(read(f'docs/json/cps-{kind}.schema.json'))
        keys = set(schema['properties'][kind]['items']['properties'])
        found += [f'{kind}: {k} is in the schema or the man page only' for k in sorted(keys ^ man_keys(section))]
    return [f'cps: {p}' for p in found]


def check_ctop(build):
    section = read('docs/man/ctop.1.scd').split('\n# COLUMNS\n', 1)[1].split('\n# EXIT', 1)[0]
    found = column_problems(run(os.path.join(build, 'ctop'), '--list-columns'), section)
    schema = json.loads(read('docs/json/ctop.schema.json'))
    keys = set(schema['properties']['containers']['items']['properties'])
    found += [f'{k} is in the schema or the man page only' for k in sorted(keys ^ man_keys(section))]
    return [f'ctop: {p}' for p in found]


def main():
    build, names = sys.argv[1], sys.argv[2:]
    found = [p for tool in names for p in check_tool(build, tool)]
    if 'cps' in names:
        found += check_lists(build)
    if 'ctop' in names:
        found += check_ctop(build)
    print('\n'.join(found), end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
