#!/bin/bash
# ccp's command line, and copies on the disk of a made-up host whose one container is a directory. Nothing runs here.
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

test_expect 'pid:N takes a relative path, too; ENGINE:NAME does not, and that is said' '
    for name in pid:1 pid:1/etc pid:1:; do test_status 1 ccp "$name" ./x 2>err && test_grep "is not CONTAINER:PATH" err || return 1; done &&
    test_status 1 ccp "pid:999999999:etc" ./x 2>err && test_grep "pid 999999999" err &&
    test_status 1 ccp docker:no-such-container-$$:etc ./x 2>err && test_grep "docker:no-such-container-$$:etc.: .*begins with a slash" err
'

test_expect '--owner does not go with an archive that is written' '
    test_status 1 ccp --owner 1:1 no-such-container-$$:/etc - >out 2>err && test_grep "does not go with an archive" err && test_empty out
'

# --- on a host's disk ---

test_expect 'setup: an lxc container c1' '
    root=host/var/lib/lxc/c1/rootfs && mkdir -p "$root/etc" "$root/d/e" && echo passwd >"$root/etc/passwd" && echo group >"$root/etc/group" &&
    head -c 6000000 /dev/zero | tr "\0" x >"$root/d/e/big" && printf "lxc.uts.name = c1\nlxc.rootfs.path = dir:/var/lib/lxc/c1/rootfs\n" >host/var/lib/lxc/c1/config
'
copy() { ccp --sysroot "$TRASH/host" "$@"; }

test_expect 'what is not there is said with the container that has it not' '
    test_status 1 copy c1:/etc/nosuch . 2>err && echo "ccp: copy '"'c1:/etc/nosuch'"': No such file or directory" >expect && test_cmp expect err &&
    test_status 1 copy host/var/lib/lxc/c1/config c1:/nodir/x 2>err && echo "ccp: copy to '"'c1:/nodir/x'"': No such file or directory" >expect && test_cmp expect err
'

test_expect 'what is wrong with the destination is said once, however many sources there are' '
    test_status 1 copy c1:/etc/passwd c1:/etc/group c1:/d nodir 2>err && echo "ccp: copy to '"'nodir'"': several sources need a directory" >expect &&
    test_cmp expect err && ! test -e nodir
'

test_expect 'of sources that fail each is said, and the others are copied' '
    mkdir into && test_status 1 copy c1:/etc/none c1:/etc/passwd c1:/none into 2>err && test_grep c1:/etc/none err && test_grep c1:/none err && ls into >actual && echo passwd >expect && test_cmp expect actual
'

# at_terminal COMMAND: its stderr is a terminal, and is kept in the file terminal
at_terminal() { script -qec "$1" /dev/null >terminal; }

test_expect 'a copy that lasts shows bytes, files and rate on a terminal, and takes that away; a short one only what was done' '
    mkfifo pipe && { { sleep 1.5; cat; } <pipe >piped.tar & } && at_terminal "ccp --sysroot \"$TRASH/host\" c1:/d - >pipe" && wait $! && tar -tf piped.tar >actual && test_grep d/e/big actual &&
    test_grep "^.ccp: .*[KM] in [0-9]* files*, [0-9.]*[KMG]*/s.\[K" terminal && test_grep "$(printf "\r\033")\[K$" terminal &&
    at_terminal "ccp --sysroot \"$TRASH/host\" c1:/d got" && printf "ccp: copied 5.7M in 3 files\r\n" >expect && test_cmp expect terminal &&
    at_terminal "ccp -q --sysroot \"$TRASH/host\" c1:/d got2" && test_empty terminal && test -e got2/e/big
'

test_done
