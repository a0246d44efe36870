#!/bin/bash
# As whom cdebug's command runs: --user, --as-target, --profile, --workdir, --env, beside processes that no engine knows.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/isolated.sh"
test_prereq SETPRIV 'have_all setpriv'

# in_share COMMAND...: one that execs a sleep, from that directory
in_share() { isolated 'cd /usr/share && exec "$@"' "$@"; }

whoami_lines='^(Uid|Gid|Groups|Cap...|NoNewPrivs):'

# An application with ids of its own, one ambient capability, and a narrow bounding set.
app_up()
{
    [ -n "${app-}" ] || { in_share setpriv --reuid 1234 --regid 1235 --groups 7,8 --inh-caps=-all,+net_raw --ambient-caps=+net_raw \
        --bounding-set=-all,+net_raw,+chown --no-new-privs /usr/bin/env -i PATH=/evil HOME=/evil LD_PRELOAD=/evil.so \
        BASH_ENV=/evil UPSTREAM=http://x/y MODE=fast TERM=evil LANG=/evil /bin/sleep 1000000 && app=$init; }
}

root_up() { [ -n "${plain-}" ] || { in_share /bin/sleep 1000000 && plain=$init; }; }

test_expect UNSHARE,SETPRIV '--as-target is its first process: ids, groups, every capability set, no_new_privs, directory' '
    app_up && cdebug -q --as-target "pid:$app" -- sh -c "grep -E \"$whoami_lines\" /proc/self/status; pwd" >actual &&
    { grep -E "$whoami_lines" "/proc/$app/status"; echo /target/usr/share; } >expect && test_cmp expect actual &&
    test_grep "^Uid:.1234.1234" actual && test_grep "^Groups:.7 8" actual && test_grep "^CapAmb:.0*2000$" actual
'

test_expect UNSHARE,SETPRIV '--as-target has the environment, but what the host'"'"'s programs would obey, and says so once' '
    app_up && cdebug --as-target "pid:$app" -- /usr/bin/env >actual 2>err &&
    test_grep "^UPSTREAM=http://x/y$" actual && test_grep "^MODE=fast$" actual && test_grep -v evil actual &&
    test_grep "2 of the container.*: LD_PRELOAD, BASH_ENV" err && [ "$(grep -c LD_PRELOAD err)" = 1 ] &&
    cdebug -q --as-target -e BASH_ENV=mine -e MODE=slow "pid:$app" -- /usr/bin/env >actual &&
    test_grep "^BASH_ENV=mine$" actual && test_grep "^MODE=slow$" actual && test_grep -v MODE=fast actual
'

test_expect UNSHARE,SETPRIV '--cap-drop takes from what the first process has, --workdir is another directory' '
    app_up && cdebug -q --as-target --cap-drop net_raw -w /target "pid:$app" -- sh -c "grep Cap /proc/self/status; pwd" >actual &&
    test_grep "^CapBnd:.0*1$" actual && test_grep "^CapAmb:.0*$" actual && test_grep "^/target$" actual &&
    test_grep -v 2000 actual
'

test_expect UNSHARE,SETPRIV '--user is a name of the host or a number, with its group or the given one, and no others' '
    root_up && cdebug -q --user nobody "pid:$plain" -- sh -c "id -u; id -G; echo \$USER; touch ~/x" >actual &&
    { id -u nobody; id -g nobody; echo nobody; } >expect && test_cmp expect actual &&
    cdebug -q -u 4711 "pid:$plain" -- sh -c "id -u; id -G; echo \$USER; touch ~/x" >actual &&
    printf "4711\n4711\n\n" >expect && test_cmp expect actual &&
    setpriv --groups 7,8 cdebug -q -u 4711:12 "pid:$plain" -- id -G >actual && echo 12 >expect && test_cmp expect actual &&
    cdebug -q -u 4711 "pid:$plain" -- grep -E "Cap(Prm|Eff|Amb)" /proc/self/status >actual && test_grep -v "[1-9a-f]$" actual
'

test_expect UNSHARE,SETPRIV 'a user that there is not, or cannot be, is one line, and 125' '
    root_up && test_status 125 cdebug --user no-such-$$ "pid:$plain" true 2>err && test_grep "no user .no-such-$$. in the host" err &&
    test_grep "^hint: .*number" err && [ "$(wc -l <err)" = 2 ] &&
    test_status 125 cdebug --user 0:staff "pid:$plain" true 2>err && test_grep "staff. is no group id" err && [ "$(wc -l <err)" = 1 ] &&
    test_status 125 cdebug --user "" "pid:$plain" true 2>err && test_grep "no user is named" err &&
    test_status 125 cdebug --user 99999999999 "pid:$plain" true 2>err && test_grep "no user .99999999999." err
'

own=$((0x$(sed -n 's/^CapBnd:\t//p' /proc/self/status)))
# sets OPTION...: the command's capability sets; expect_sets EFFECTIVE BOUNDING AMBIENT NO_NEW_PRIVS, of those that this host has
sets() { cdebug -q "$@" "pid:$plain" -- sed -nE 's/^(Cap(Eff|Bnd|Amb)|NoNewPrivs):\t/\1 /p' /proc/self/status >actual; }
expect_sets() { printf 'CapEff %016x\nCapBnd %016x\nCapAmb %016x\nNoNewPrivs %d\n' $(($1 & own)) $(($2 & own)) $(($3 & own)) "$4" >expect && test_cmp expect actual; }
# capabilities(7): what containerd and docker give
runtime=0xa80425fb ptrace=0x80000 net=0x3000

test_expect UNSHARE,SETPRIV '--profile has the capabilities that kubectl debug gives' '
    root_up &&
    sets --profile general && expect_sets $((runtime | ptrace)) $((runtime | ptrace)) 0 0 &&
    sets --profile netadmin && expect_sets $((runtime | net)) $((runtime | net)) 0 0 &&
    sets --profile sysadmin && expect_sets "$own" "$own" 0 0 &&
    sets --profile restricted && expect_sets 0 0 0 1 &&
    sets --profile general --cap-drop chown && expect_sets $((runtime & ~1 | ptrace)) $((runtime & ~1 | ptrace)) 0 0
'

test_expect UNSHARE,SETPRIV 'a user that is not root has what the profile adds' '
    root_up &&
    sets --profile general -u 4711 && expect_sets "$ptrace" $((runtime | ptrace)) "$ptrace" 0 &&
    sets --profile netadmin -u 4711 && expect_sets "$net" $((runtime | net)) "$net" 0 &&
    sets --profile sysadmin -u 4711 && expect_sets "$own" "$own" "$own" 0 &&
    sets --profile restricted -u 4711 && expect_sets 0 0 0 1
'

test_expect UNSHARE,SETPRIV '--profile restricted is never root: the given user, the container'"'"'s own, or nobody' '
    root_up && app_up &&
    cdebug -q --profile restricted "pid:$plain" -- id -u >actual && cdebug -q --profile restricted "pid:$app" -- id -u >>actual &&
    cdebug -q --profile restricted -u 4711 "pid:$app" -- id -u >>actual && printf "65534\n1234\n4711\n" >expect && test_cmp expect actual &&
    test_status 125 cdebug --profile restricted -u 0 "pid:$app" -- id 2>err && test_grep "not as user 0" err
'

test_expect UNSHARE,SETPRIV '--workdir is the host'"'"'s directory or one below /target; one that is not there, or closed, is said' '
    root_up && mkdir -p "$PWD/closed" && chmod 700 "$PWD/closed" &&
    cdebug -w /usr/bin "pid:$plain" -- pwd >actual && cdebug -w /target/etc "pid:$plain" -- pwd >>actual &&
    cdebug "pid:$plain" -- pwd >>actual && printf "/usr/bin\n/target/etc\n/\n" >expect && test_cmp expect actual &&
    test_status 125 cdebug -w /no/such "pid:$plain" -- pwd 2>err && test_grep "/no/such.: No such file" err &&
    test_status 125 cdebug -q -u 4711 -w "/target$PWD/closed" "pid:$plain" -- pwd 2>err && test_grep "closed.: Permission denied" err
'

test_expect UNSHARE,SETPRIV '--env NAME hands the caller'"'"'s on, when he has it' '
    root_up && SECRET=1 cdebug -e SECRET -e NOT_THERE_$$ "pid:$plain" -- env >actual &&
    test_grep "^SECRET=1$" actual && test_grep -v NOT_THERE actual
'

test_expect UNSHARE,SETPRIV '--dry-run tells who it would be' '
    app_up && cdebug -q --dry-run --as-target "pid:$app" >actual && test_grep "^user  *1234:1235 groups 7,8$" actual &&
    test_grep "^capabilities  *0x2000, at most 0x2001, no new privileges$" actual && test_grep "^directory  */target/usr/share$" actual
'

users_up()
{
    [ -n "${theirs-}" ] || { isolated_user 'exec sleep 1000000' && theirs=$init; }
}

test_expect UNSHARE,USERNS 'in a user namespace the numbers are its own, and one that it has not is said' '
    users_up && cdebug -q --as-target "pid:$theirs" -- sh -c "id -u; readlink /proc/self/ns/user" >actual &&
    printf "0\n%s\n" "$(readlink "/proc/$theirs/ns/user")" >expect && test_cmp expect actual &&
    test_status 125 cdebug --user 1000 "pid:$theirs" -- id 2>err && test_grep "user 1000 of the container.s user namespace is nobody" err &&
    cdebug -q --ns pid,net,ipc,uts --user 1000 "pid:$theirs" -- id -u >actual && echo 1000 >expect && test_cmp expect actual
'

test_done
