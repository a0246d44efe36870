#!/usr/bin/env python3
"""The fuzz targets: run them, and write down what was run.

fuzzing.py run SECONDS TARGET...   runs build/fuzz/fuzz-TARGET one after the other, SECONDS each, from the seeds in
                                   tests/fuzz/corpus/TARGET and what earlier runs found (build/fuzz/TARGET.corpus), and
                                   adds a line for each to docs/fuzzing.tsv, which is kept in git: a
                                   machine may be new each time. A crash's input is written to build/fuzz/TARGET-*; the
                                   other targets still run. Exit status 1 after a crash.
fuzzing.py table [RUNS.TSV]        docs/fuzzing.md, on standard output

A line of it: day, commit, target, processor seconds, executions, edges covered, crashes.
"""
import collections
import os
import re
import resource
import subprocess
import sys
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), '../..'))
DIR = os.path.join(TOP, 'build/fuzz')
RUNS = os.path.join(TOP, 'docs/fuzzing.tsv')
LIMITS = ['-max_len=8192', '-timeout=10', '-rss_limit_mb=2048', '-print_final_stats=1']
Run = collections.namedtuple('Run', 'day commit target cpu executions edges crashes')

HEAD = '''# Fuzzing

Written by `make fuzz-doc` (tests/lib/fuzzing.py) from the runs of `make fuzz`, never by hand. Every parser of bytes that
an engine, a user or a container wrote has a libFuzzer target in `tests/fuzz/`, built with clang's address and
undefined-behaviour sanitizers. Seeds, and inputs that crashed one once, are in `tests/fuzz/corpus/`; the unit test
`corpus` replays them, with truncations and corrupted bytes, in every `make check`.

'''


def commit():
    out = subprocess.run(['git', '-C', TOP, 'rev-parse', '--short', 'HEAD'], capture_output=True, text=True, check=False)
    return out.stdout.strip() or 'unknown'


def parse_log(text):
    """(executions, edges) of libFuzzer's output; a crashed run has no final statistics, only its last progress line."""
    stats = re.search(r'stat::number_of_executed_units: *(\d+)', text)
    progress = re.findall(r'^#(\d+)\s', text, re.M)
    edges = re.findall(r'\bcov: (\d+)', text)
    executions = int(stats.group(1)) if stats else int(progress[-1]) if progress else 0
    return executions, max(map(int, edges), default=0)


def artifacts(target):
    return {n for n in os.listdir(DIR) if re.match(re.escape(target) + r'-(crash|leak|oom|timeout)-', n)}


def run_one(target, seconds):
    kept = os.path.join(DIR, target + '.corpus')
    os.makedirs(kept, exist_ok=True)
    log = os.path.join(DIR, target + '.log')
    before, found = resource.getrusage(resource.RUSAGE_CHILDREN), artifacts(target)
    with open(log, 'wb') as f:
        status = subprocess.call([os.path.join(DIR, 'fuzz-' + target), f'-max_total_time={seconds}', *LIMITS,
                                  f'-artifact_prefix={DIR}/{target}-', kept,
                                  os.path.join(TOP, 'tests/fuzz/corpus', target)], stdout=f, stderr=f)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(log, encoding='utf-8', errors='replace') as f:
        text = f.read()
    executions, edges = parse_log(text)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    crashes = len(artifacts(target) - found)
    with open(RUNS, 'a', encoding='utf-8') as f:
        print(time.strftime('%Y-%m-%d', time.gmtime()), commit(), target, round(cpu), executions, edges, crashes,
              sep='\t', file=f)
    print(f'fuzz-{target}: {executions} executions, {cpu:.0f} s of processor time, {edges} edges', flush=True)
    if status != 0 or crashes:
        print(text[-4000:])
        print(f'fuzz-{target}: FAILED, status {status}; its input is in {os.path.relpath(DIR, TOP)}/{target}-*', flush=True)
        return 1
    return 0


def read_runs(path):
    with open(path, encoding='utf-8') as f:
        for line in f:
            day, rev, target, *numbers = line.rstrip('\n').split('\t')
            yield Run(day, rev, target, *map(int, numbers))


def targets_of_tree():
    return sorted(n[len('fuzz-'):-2] for n in os.listdir(os.path.join(TOP, 'tests/fuzz')) if re.fullmatch(r'fuzz-.*\.c', n))


def table(path):
    runs = list(read_runs(path))
    days = sorted({r.day for r in runs})
    total = sum(r.executions for r in runs)
    hours = sum(r.cpu for r in runs) / 3600
    print(HEAD, end='')
    print(f'- runs of {days[0]} to {days[-1]}, the last at {runs[-1].commit}' if len(days) > 1 else
          f'- runs of {days[0]}, the last at {runs[-1].commit}')
    print(f'- {total:,} executions in {hours:.2f} hours of processor time')
    print('\n| target | executions | processor minutes | edges covered | seeds kept | inputs that crashed |')
    print('|---|---:|---:|---:|---:|---:|')
    for target in targets_of_tree():
        mine = [r for r in runs if r.target == target]
        seeds = os.path.join(TOP, 'tests/fuzz/corpus', target)
        n_seeds = len(os.listdir(seeds)) if os.path.isdir(seeds) else 0
        print(f'| {target} | {sum(r.executions for r in mine):,} | {sum(r.cpu for r in mine) / 60:.1f} | '
              f'{max((r.edges for r in mine), default=0)} | {n_seeds} | {sum(r.crashes for r in mine)} |')


def main(argv):
    if len(argv) > 2 and argv[0] == 'run' and argv[1].isdigit():
        return max([run_one(t, int(argv[1])) for t in argv[2:]], default=0)
    if argv and argv[0] == 'table' and len(argv) <= 2:
        table(argv[1] if len(argv) == 2 else RUNS)
        return 0
    print(__doc__, file=sys.stderr)
    return 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
