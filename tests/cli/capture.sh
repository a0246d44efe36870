#!/bin/bash
# tests/fixtures/capture.sh: what it takes of a host, and that no secret is in it.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/fixture.sh"

capture() { "$SONDE_SOURCE/tests/fixtures/capture.sh" "$@"; }

plant() { python3 "$SONDE_SOURCE/tests/lib/capture/plant.py" "$@"; }

test_expect PYTHON 'no environment, log, token, password or freed page is in a capture' '
    planted=$(plant host) && [ "$planted" -gt 60 ] && fixture_texts host >before && grep -aq SECRET- before &&
    test_status 2 capture out --root host 2>err &&
    fixture_texts out >after && ! grep -ao ".\{60\}SECRET-[0-9]*" after && ! grep -ao "SECRET-[0-9]*" after
'

test_expect PYTHON 'names, labels, images and layers are in it' '
    for word in docker label image network image-label podman podman-label names buildah annotation arg cri ctr-image ctr-label \
        bundle runc runsc lxc lxd volatile instance power nspawn vz rkt apptainer; do
        grep -aq "KEPT-$word" after || { echo "no KEPT-$word"; return 1; }
    done &&
    [ -d out/var/lib/docker/overlay2/abc/diff ] && [ -d out/var/lib/machines/m ] && [ -L out/var/run ] &&
    [ -z "$(find out -type p)" ] && ! find out -name shadow | grep .
'

test_expect PYTHON 'a file that is no record is said and left out, with status 2' '
    test_grep "^capture: run/runc/torn/state.json: left out: " err && [ "$(grep -c "" err)" = 1 ] &&
    [ ! -e out/run/runc/torn/state.json ] && [ ! -e out/run/runc/link/state.json ] && [ ! -e out/run/runc/fifo/state.json ]
'

test_expect PYTHON,JQ 'cps lists the capture like the host' '
    rm -rf host/run/runc out/run/runc && test_status 0 cps -a --json --sysroot host >expect && test_status 0 cps -a --json --sysroot out >actual &&
    jq -S . actual >a && sed "s/\(last-applied-configuration\\\":\) *\\\"[^\\\"]*/\1\\\"/" expect | jq -S . >e &&
    test_cmp e a &&
    [ "$(jq ".containers | length" actual)" -ge 2 ]
'

test_expect PYTHON 'directories elsewhere are read as if they were at their place; words are replaced' '
    mkdir -p empty && capture moved --root empty --from host/var/lib/docker=/var/lib/docker --replace KEPT-label=NEW-label &&
    cps -a --sysroot moved --no-headings -o NAME,LABELS >actual && test_grep "^KEPT-docker *tier=NEW-label" actual && ! grep -rF "$PWD" moved
'

test_expect PYTHON,JQ 'words are replaced in base64 as well' '
    capture base --root host --replace KEPT-bind=NEW-bind &&
    cps -a --json --sysroot base >json && test_json ".containers[] | select(.engine == \"apptainer\").mounts[].source" /NEW-bind json
'

test_expect PYTHON 'a directory that is not empty is refused' '
    test_status 2 capture out --root host 2>err && test_grep "is not empty" err
'

test_done
