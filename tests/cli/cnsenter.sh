#!/bin/bash
# cnsenter's command line; nothing here needs privileges: the target shares all our namespaces.
. "$(dirname "$0")/../lib/harness.sh"

test_expect 'without a container it says so and exits 125' '
    test_status 125 cnsenter 2>err &&
    test_grep "which container" err && test_grep "cnsenter --help" err
'

test_expect 'an unknown option, and an id that is none, are usage errors' '
    test_status 125 cnsenter --nope web 2>err && test_grep nope err &&
    test_status 125 cnsenter -S root -t $$ true 2>err && test_grep "setuid.*root" err &&
    test_status 125 cnsenter -G -1 -t $$ true 2>err && test_grep "setgid.*-1" err &&
    test_status 125 cnsenter --env NAME -t $$ true 2>err && test_grep "NAME=VALUE" err
'

test_expect 'a name that no container has exits 125' '
    test_status 125 cnsenter no-such-container-$$ true 2>err &&
    test_grep "no-such-container-$$" err && test_grep "^hint: " err &&
    test_status 125 cnsenter 99999999999 true 2>err && test_grep "^hint: .*pid:99999999999" err
'

test_expect 'docker exec -it by habit is told how it is done here, not entered by halves' '
    test_status 125 cnsenter -it web sh 2>err && test_grep "^hint: .*cnsenter NAME COMMAND" err &&
    test_status 125 cnsenter -t 0 true 2>err && test_grep "target.*is not a pid" err
'

test_expect 'a process that has ended gives one line' '
    sh -c "echo \$\$" >pid &&
    test_status 125 cnsenter -t "$(cat pid)" true 2>err &&
    test_grep "$(cat pid)" err && [ "$(grep -vc ^hint: err)" = 1 ]
'

test_expect 'options of the command are the command'"'"'s' '
    cnsenter -t $$ printf "%s|" -a --root -n >actual &&
    printf "%s|" -a --root -n >expect && test_cmp expect actual
'

test_expect 'the plan names what is joined and what is shared already' '
    cnsenter -t $$ --dry-run touch made >actual &&
    test_grep "^shared: .*mnt pid net" actual && test_grep -v "^join:" actual &&
    ! [ -e made ]
'

test_expect 'statuses are those of docker exec' '
    test_status 0 cnsenter -t $$ true && test_status 7 cnsenter -t $$ sh -c "exit 7" &&
    test_status 127 cnsenter -t $$ no-such-command 2>err && test_grep "no-such-command" err &&
    test_status 127 cnsenter -t $$ /no/such/file 2>err && test_grep "/no/such/file" err &&
    test_status 126 cnsenter -t $$ / 2>err && test_grep "Permission denied" err
'

test_expect 'the caller'"'"'s descriptors do not reach the command' '
    cnsenter -t $$ ls /proc/self/fd 5</etc/passwd 77</etc/passwd >actual &&
    test_grep -v "^5$" actual && test_grep -v "^77$" actual
'

test_expect 'closed standard descriptors become /dev/null, not something of ours' '
    cnsenter -t $$ readlink /proc/self/fd/0 <&- >actual &&
    echo /dev/null >expect && test_cmp expect actual
'

test_done
