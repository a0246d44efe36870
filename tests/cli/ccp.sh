#!/bin/bash
# ccp's command line; nothing here needs a container.
. "$(dirname "$0")/../lib/harness.sh"

test_expect 'without operands, or with one, it says what is missing' '
    test_status 1 ccp 2>err && test_grep "what is to be copied" err && test_grep "ccp --help" err &&
    test_status 1 ccp web:/x 2>err && test_grep "where to" err
'

test_expect 'two files of the host are for cp' '
    echo a >a && test_status 1 ccp a b 2>err && test_grep "cp(1)" err && ! test -e b
'

test_expect 'what begins with a slash or a dot is the host'"'"'s, with a colon, too' '
    echo a >a:b && test_status 1 ccp ./a:b ./c:d 2>err && test_grep "cp(1)" err &&
    test_status 1 ccp "$PWD/a:b" ./c 2>err && test_grep "cp(1)" err
'

test_expect 'a name that no container has fails, and nothing is made' '
    test_status 1 ccp no-such-container-$$:/etc/passwd x 2>err && test_grep "no-such-container-$$" err && ! test -e x &&
    test_status 1 ccp docker:no-such-container-$$:/etc/passwd x 2>err && test_grep "docker:no-such-container-$$" err
'

test_expect 'a container without a path, a path without one, and an empty name are usage errors' '
    for name in web: :/etc ""; do test_status 1 ccp "$name" ./x 2>err && test_grep "ccp --help" err || return 1; done
'

test_expect '--owner takes keep, target or two numbers' '
    for who in root 1000 1000: :1000 1:2:3 -1:1 4294967295:1 ""; do
        test_status 1 ccp --owner "$who" a no-such-container-$$:/ 2>err && test_grep "UID:GID" err || return 1
    done &&
    test_status 1 ccp -a --owner keep a no-such-container-$$:/ 2>err && test_grep "exclude" err
'

test_done
