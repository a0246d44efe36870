#!/bin/bash
# cps on captured hosts: tests/fixtures/ROW is a dead host's engine state, ROW.json what is known of its containers.
# tests/fixtures/make.sh makes both. Nothing here needs a privilege; as root it is run as nobody.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"

. "$SONDE_SOURCE/tests/lib/fixture.sh"

# holds_no_secret ROW: make.sh gives each container a secret, which capture.sh leaves behind
holds_no_secret() { fixture_texts "$SONDE_SOURCE/tests/fixtures/$1" >texts && ! grep -aF planted texts; }

for expected in "$SONDE_SOURCE"/tests/fixtures/*.json; do
    row=$(basename "$expected" .json)
    test_expect JQ "$row: every container of a dead host is told from its files alone" '
        rm -rf host && fixture_copy "$row" && fixture_list && test_cmp "$expected" actual
    '
    test_expect "$row: no environment is in the fixture" 'holds_no_secret "$row"'
done

test_expect 'the fixtures are small, and have nothing that git cannot keep' '
    cd "$SONDE_SOURCE/tests/fixtures" && [ "$(find . -type f -printf "%s\n" | awk "{ n += \$1 } END { print n }")" -lt 3500000 ] &&
    ! find . ! -type f ! -type d ! -type l | grep . && ! find . -type d -empty | grep .
'

test_done
