#!/bin/bash
# What a container says of its first process, to have cdebug --as-target do its will: an environment that the host's
# programs obey, a working directory that is a link to one of the host's.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
. "$SONDE_SOURCE/tests/lib/isolated.sh"
test_prereq BASH_PERL 'have_all bash perl'

# Variables that have bash, sh, perl, ld.so and tar run or load what is there.
trap_up()
{
    [ -n "${trapped-}" ] && return 0
    echo 'echo PWNED' >trap.sh && printf '#!/bin/sh\necho PWNED\n' >evil && chmod 755 evil &&
        isolated "exec /usr/bin/env -i PATH=$PWD BASH_ENV=$PWD/trap.sh ENV=$PWD/trap.sh PERL5OPT=-MPWNED \
            LD_PRELOAD=$PWD/PWNED.so LD_AUDIT=$PWD/PWNED.so TAR_OPTIONS=--checkpoint=1 PYTHONPATH=$PWD \
            'BASH_FUNC_id%%=() { echo PWNED; }' LC_ALL=$PWD/PWNED GCONV_PATH=$PWD GLIBC_TUNABLES=x PS1='\$(echo PWNED)' \
            PROMPT_COMMAND='echo PWNED' LESSOPEN='|echo PWNED' SHELLOPTS=xtrace INIT_FILE=ok /bin/sleep 1000000" &&
        trapped=$init
}

# theirs COMMAND...: with the environment of the trapped process
theirs()
{
    local env=()
    mapfile -d '' -t env <"/proc/$trapped/environ"
    env -i "${env[@]}" "$@"
}

all_programs='id; evil; perl -e "print qq(perl\n)"; sh -c "echo sh"; bash -ic "echo inter" </dev/null'

test_expect UNSHARE,BASH_PERL 'naive: bash, ld.so and perl of the host do what the environment of the container says' '
    trap_up && { theirs /bin/bash -c "echo bash" >actual 2>&1; test_grep "^PWNED" actual && test_grep "PWNED.so" actual; } &&
    { theirs /usr/bin/perl -e 1 >actual 2>&1 || true; } && test_grep "PWNED.pm" actual
'

test_expect UNSHARE,BASH_PERL 'none of it reaches the programs of the host under --as-target' '
    trap_up && { cdebug -q --as-target "pid:$trapped" -- /bin/bash -c "echo bash; $all_programs" >actual 2>&1 || true; } &&
    test_grep "^bash" actual && test_grep "^perl" actual && test_grep -v PWNED actual &&
    cdebug -q --as-target "pid:$trapped" -- /usr/bin/env >actual && test_grep -v "$PWD" actual
'

# It works in a/b, and then there is another a, with a link b: /proc/PID/cwd still says a/b.
lost_up()
{
    [ -n "${lost-}" ] || { mkdir -p a/b &&
        isolated "cd '$PWD/a/b' && mount -t tmpfs none '$PWD/a' && ln -s /etc '$PWD/a/b' && exec sleep 1000000" &&
        lost=$init; }
}

test_expect UNSHARE 'naive: changing to what the container calls its directory leads to one of the host' '
    lost_up && test "$(readlink "/proc/$lost/cwd")" = "$PWD/a/b" &&
    cdebug -q "pid:$lost" -- sh -c "cd /target\$1 && pwd -P" sh "$(readlink "/proc/$lost/cwd")" >actual &&
    echo /etc >expect && test_cmp expect actual
'

test_expect UNSHARE '--as-target and --workdir do not follow it out of /target' '
    lost_up && cdebug --as-target "pid:$lost" -- sh -c "pwd -P" >actual 2>err && echo /target >expect &&
    test_cmp expect actual && test_grep "a/b.: it leads out of /target" err &&
    test_status 125 cdebug --workdir "/target$PWD/a/b" "pid:$lost" -- pwd 2>err && test_grep "it leads out of /target" err
'

test_done
