#!/usr/bin/env python3
"""The table of docs/engines.md, made of what the live tests wrote (tests/lib/matrix.sh), never by hand.

matrix.py table [--strict] DIR   the page of the rows in DIR/*.tsv, on standard output. --strict: exit status 1 when a
                                 cell was not tested
matrix.py form PAGE              PAGE is, byte for byte, what `table` writes of the rows that it has
matrix.py check PAGE DIR         no cell that a test of this run wrote into DIR is another one in PAGE
"""
import glob
import os
import re
import sys

LISTED = ['running', 'stopped', 'name', 'image', 'status', 'exit', 'layers', 'entered']
FILES = [f'{what}-{state}' for what in ('diff', 'export', 'copy-in', 'copy-out') for state in ('running', 'stopped')]
COLUMNS = LISTED + FILES
NOT_TESTED = 'not tested'
HEAD = '''# Engines

Written by `make engines-doc` (tests/lib/matrix.py) from the results of the live tests, never by hand. Each row is an
engine that was brought up, asked itself for the truth, and compared with what `cps` reads from disk:

- **running**, **stopped**: listed, with its state · **name**, **image**, **status**: as the engine shows them ·
  **exit**: the exit code · **layers**: the directories that its root is made of · **entered**: `cnsenter` ran in it
- `yes`: a test saw it. `unknown (N)`: `cps` says that it does not know, because no file holds it; reason N is below.

'''
HEAD_FILES = '''
The files of the same containers, running and stopped:

- **diff**: `cdiff` told a file that the container had made · **export**: `cexport`'s archive had it, with its content, beside
  those of the image · **copy in**: what `ccp` brought in was seen in the running container, by a program in it, and in the
  uppermost directory of the stopped one · **copy out**: what `ccp` brought out had the container's content
- `yes`: a test saw it. `unknown (N)`: the tool says in a line that it cannot, or the engine has nothing to ask about.

'''


class Broken(Exception):
    pass


def read_row(path):
    """((engine, variant), {column: (value, reason)}) of one file."""
    with open(path, encoding='utf-8') as f:
        lines = [line.rstrip('\n').split('\t') for line in f]
    if not lines or len(lines[0]) != 3 or lines[0][0] != 'row':
        raise Broken(f'{path}: no line of a row')
    cells = {}
    for line in lines[1:]:
        if len(line) != 3 or line[0] not in COLUMNS or line[1] not in ('yes', 'unknown'):
            raise Broken(f'{path}: not a cell: {line}')
        if line[1] == 'unknown' and not line[2]:
            raise Broken(f'{path}: {line[0]} is unknown without a reason')
        if cells.get(line[0], tuple(line[1:])) != tuple(line[1:]):
            raise Broken(f'{path}: {line[0]} is written twice, differently')
        cells[line[0]] = tuple(line[1:])
    return (lines[0][1].strip(), lines[0][2].strip()), cells


def read_rows(directory):
    """Rows without any cell were skipped whole: they are not there."""
    rows = {}
    for path in sorted(glob.glob(os.path.join(directory, '*.tsv'))):
        key, cells = read_row(path)
        if cells:
            rows[key] = cells
    return rows


def natural(text):
    return [(0, int(p), '') if p.isdigit() else (1, 0, p.lower()) for p in re.split(r'(\d+)', text) if p]


def table(rows):
    """The page."""
    reasons = []

    def cell(cells, column):
        value, reason = cells.get(column, (NOT_TESTED, ''))
        if value != 'unknown':
            return value
        if reason not in reasons:
            reasons.append(reason)
        return f'unknown ({reasons.index(reason) + 1})'

    out = ''
    for head, columns in ((HEAD, LISTED), (HEAD_FILES, FILES)):
        out += head + '| engine | variant | ' + ' | '.join(c.replace('-', ' ') for c in columns) + ' |\n'
        out += '|---' * (len(columns) + 2) + '|\n'
        for key in sorted(rows, key=lambda k: (natural(k[0]), natural(k[1]))):
            out += '| ' + ' | '.join([*key, *(cell(rows[key], c) for c in columns)]) + ' |\n'
    if reasons:
        out += '\nWhy something is unknown:\n\n' + ''.join(f'{n}. {r}\n' for n, r in enumerate(reasons, 1))
    return out


def parse_page(text):
    """The rows of a page."""
    reasons = dict(re.findall(r'^(\d+)\. (.*)$', text, re.M))
    rows, columns = {}, []
    for line in text.split('\n'):
        cells = [c.strip() for c in line.strip('|').split(' | ')] if line.startswith('| ') else []
        if cells and cells[0] == 'engine':
            columns = [c.replace(' ', '-') for c in cells[2:]]
            continue
        if len(cells) != len(columns) + 2:
            continue
        row = rows.setdefault((cells[0], cells[1]), {})
        for column, value in zip(columns, cells[2:]):
            number = re.fullmatch(r'unknown \((\d+)\)', value)
            if number and number.group(1) in reasons:
                row[column] = ('unknown', reasons[number.group(1)])
            elif value != NOT_TESTED:
                row[column] = (value, '')
    return rows


def not_tested(rows):
    return [f'{" ".join(key)}: {column}: {NOT_TESTED}' for key in rows for column in COLUMNS if column not in rows[key]]


def contradictions(page, rows):
    for key, cells in rows.items():
        if key not in page:
            print(f'note: {" ".join(key)} was run, and is not in the page')
            continue
        for column, value in cells.items():
            if page[key].get(column, (NOT_TESTED, '')) != value:
                yield f'{" ".join(key)}: {column}: the page says {page[key].get(column, NOT_TESTED)}, the test {value}'


def read_page(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def report(problems):
    for p in problems:
        print(p, file=sys.stderr)
    return 1 if problems else 0


def main(argv):
    strict = '--strict' in argv
    argv = [a for a in argv if a != '--strict']
    if len(argv) == 2 and argv[0] == 'table':
        rows = read_rows(argv[1])
        sys.stdout.write(table(rows))
        return report(not_tested(rows)) if strict else 0
    if len(argv) == 2 and argv[0] == 'form':
        text = read_page(argv[1])
        return report([] if table(parse_page(text)) == text else [f'{argv[1]} was changed by hand: make engines-doc'])
    if len(argv) == 3 and argv[0] == 'check':
        return report(list(contradictions(parse_page(read_page(argv[1])), read_rows(argv[2]))))
    print(__doc__, file=sys.stderr)
    return 1


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except (Broken, OSError) as e:
        print(f'matrix.py: {e}', file=sys.stderr)
        sys.exit(1)
