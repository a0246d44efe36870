#!/bin/bash
# A dead host's disk belongs to whoever broke into it: state files that are links out of the root, FIFOs, devices, endless
# or huge files, directories. cps --sysroot shows nothing of the host it runs on, blocks nowhere, and opens no device.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"

fixtures=$SONDE_SOURCE/tests/fixtures

# those with a state file: what is bare leaves none
rows() { find "$fixtures" -maxdepth 1 -name '*.json' ! -name bare.json -printf '%f\n' | sed 's/\.json$//' | sort; }

attack() { python3 "$SONDE_SOURCE/tests/lib/dead-disk.py" "$@"; }

test_expect PYTHON 'the bait would be taken: a record that is on the disk is shown' '
    attack "$fixtures/runc-1.1" zeros &&
    cp outside/state.json host/run/runc/web/state.json && cps -a --json --sysroot host >out && grep -q b417 out
'

for row in $(rows); do
    test_expect PYTHON "$row: links, FIFOs, huge files and directories in place of each state file" '
        attack "$fixtures/$row" link dots fifo huge dir zeros
    '
    test_expect ROOT,PYTHON "$row: devices in place of each state file are not opened" 'attack "$fixtures/$row" device'
done

test_expect JQ 'links of the administrator, absolute ones too, are followed below the root' '
    rm -rf host && cp -a "$fixtures/docker-20.10-overlay2" host && cps -a --json --sysroot host >expect &&
    mkdir -p host/data && mv host/var/lib/docker host/data/docker && ln -s /data/docker host/var/lib/docker &&
    ln -s /run host/var/run && cps -a --json --sysroot host >actual && test_json_cmp expect actual &&
    rm host/var/lib/docker && ln -s ../../../../../../data/docker host/var/lib/docker &&
    cps -a --json --sysroot host >actual && test_json_cmp expect actual
'

test_expect JQ 'a directory of state that is a link to one of this host is not gone into' '
    rm -rf host && mkdir -p host/var/lib && cp -a "$fixtures/docker-20.10-overlay2/var/lib/docker" real &&
    ln -s "$PWD/real" host/var/lib/docker && cps -a --json --sysroot host >out && test_json .containers "[]" out
'

# Every path that is opened, but those of the program itself before it opens the root, is below a directory that is
# held, or resolved in the root.
test_expect STRACE 'nothing of this host is opened: no /proc, no /etc, no users, no time zone' '
    for row in $(rows); do
        strace -f -o trace -e trace=%file,openat2 cps -a --sysroot "$fixtures/$row" >out 2>&1 || [ $? = 2 ] || return 1
        sed "1,/\"${row}\"\|\/$row\"/d" trace | grep -E "\\(([^\"]*, )?\"/" | grep -v "RESOLVE_IN_ROOT" >outside && { cat outside; return 1; }
        grep -q RESOLVE_IN_ROOT trace || return 1
    done
'

test_expect 'the tools that enter a container have no --sysroot: nothing runs on a dead host' '
    test_status 125 cnsenter --sysroot / web true 2>err && test_grep "^cnsenter: unknown option .--sysroot." err &&
    test_status 125 cdebug --sysroot / web 2>err && test_grep "^cdebug: unknown option .--sysroot." err
'

test_done
