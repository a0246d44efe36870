#!/bin/bash
# CVE-2021-25743 (kubectl) and its kind: what a container calls itself, its files and its processes is printed on the
# operator's terminal. Escape sequences there set titles, rewrite lines, and answer questions into the shell's input;
# carriage returns and bidirectional controls hide what follows.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare

# OSC title + BEL, CSI clear, C1 CSI (raw and as UTF-8), CR, BS, DEL, RTL override, zero-width, BOM, bad UTF-8
evil=$(printf 'a\033]0;pwned\007\033[2Jb\233m\302\2331mc\r\b\177\342\200\256d\342\200\213\357\273\277\377\300\257e')
# The same as a JSON string can carry it.
json_evil='a\u001b]0;pwned\u0007\u001b[2Jb\u009bmc\r\b\u007f\u202ed\u200b\ufeffe\n'

# no_controls FILE...: newline is the only control, and all of it is UTF-8 without C1, bidirectional or zero-width
# characters; tabs never come out of a table.
no_controls()
{
    local f
    for f; do
        test -e "$f" && iconv -f UTF-8 -t UTF-8 "$f" >/dev/null || { echo "$f is not UTF-8"; cat -v "$f"; return 1; }
        ! grep -naP '[\x00-\x08\x0b-\x1f\x7f]' "$f" | cat -v | grep . || return 1
        ! LC_ALL=C.UTF-8 grep -nP '[\x{80}-\x{9f}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}]' "$f" |
            cat -v | grep . || return 1
    done
}

# A dead host whose stores were written by a container's author.
hostile_host()
{
    local id docker=$1/var/lib/docker podman=$1/var/lib/containers/storage
    id=$(printf 'e5c%.0s' $(seq 21))f
    mkdir -p "$docker/containers/$id" "$docker/image/overlay2" "$podman/overlay-containers" "$podman/libpod" \
        "$1"/{proc,etc} "$1/run/runc/evil" &&
        printf '%s' "{\"ID\":\"$id\",\"Name\":\"/$json_evil\",\"Driver\":\"overlay2\",\"Path\":\"$json_evil\",\"Args\":[\"$json_evil\"],
            \"Created\":\"2026-01-01T00:00:00Z\",\"State\":{\"Running\":false,\"ExitCode\":3,\"StartedAt\":\"2026-01-01T00:00:00Z\",\"FinishedAt\":\"2026-01-01T00:00:01Z\"},
            \"Config\":{\"Hostname\":\"$json_evil\",\"Image\":\"$json_evil\",\"Labels\":{\"$json_evil\":\"$json_evil\",\"com.docker.compose.project\":\"$json_evil\"}},
            \"Image\":\"sha256:$id\",\"LogPath\":\"/$json_evil\"}" >"$docker/containers/$id/config.v2.json" &&
        printf '%s' "[{\"id\":\"${id//e/a}\",\"names\":[\"$json_evil\"],\"image\":\"$json_evil\",\"layer\":\"$json_evil\",
            \"metadata\":\"{\\\"name\\\":\\\"x\\\",\\\"image-name\\\":\\\"y\\\\u001b[2J\\\"}\",\"created\":\"2026-01-01T00:00:00Z\"}]" \
            >"$podman/overlay-containers/containers.json" &&
        printf '{"id":"%s",' "$json_evil" >"$1/run/runc/evil/state.json" && mkdir -p "$1/run/runc/$evil" &&
        cp "$1/run/runc/evil/state.json" "$1/run/runc/$evil/"
}

test_expect 'naive: jq -r prints the name of a docker container with its escape sequences' '
    hostile_host host &&
    cat host/var/lib/docker/containers/*/config.v2.json | jq -r .Name >actual &&
    { no_controls actual >found || test -s found; } && grep -q pwned found
'

for args in '-a' '-a --no-trunc' '-a -o all' '-a -q' '-l' '-a --tree' '-a --no-headings'; do
    [ "$args" != '-a -o all' ] || args="-a --no-trunc -o $(cps --list-columns | awk '{ print $1 }' | paste -sd,)"
    [ "$args" != '-a --tree' ] || args='-a --filter status=exited'
    test_expect "names, images and labels of hostile stores do not reach the terminal: cps ${args:0:40}" "
        { cps --sysroot host $args >actual 2>err || test \$? = 2; } &&
        test -s actual && no_controls actual err &&
        { echo \"$args\" | grep -q -e -q || test_grep 'pwned\|e5c' actual; }
    "
done

test_expect JQ 'JSON carries the exact bytes, escaped' '
    { cps --sysroot host -a --json >actual 2>err || test $? = 2; } && no_controls actual err &&
    jq -r ".containers[] | select(.engine == \"docker\") | .name" actual >name &&
    printf "%b" "${json_evil//\\b/\\010}" | sed "s/\\\\u001b/\\x1b/g" >/dev/null &&
    jq -r .Name host/var/lib/docker/containers/*/config.v2.json | sed "1s,^/,," >expect &&
    test_cmp expect name
'

test_expect 'neither do the words of the caller in messages about them' '
    test_status 1 cps --sysroot host "$evil" >actual 2>err && no_controls actual err && test -s err &&
    test_status 125 cnsenter "$evil" true >actual 2>err && no_controls actual err && test -s err &&
    test_status 125 cdebug "$evil" -- true >actual 2>err && no_controls actual err && test -s err &&
    { cps --sysroot host -a --filter "$evil" >actual 2>err || test $? != 0; } && no_controls actual err &&
    { cps -o "$evil" >actual 2>err || test $? != 0; } && no_controls actual err &&
    { cps --sysroot "$evil" >actual 2>err || test $? != 0; } && no_controls actual err
'

test_expect 'several candidates are listed without their escape sequences' '
    mkdir -p host2 && cp -a host/. host2/ && first=$(echo host2/var/lib/docker/containers/*) &&
    cp -a "$first" "${first%f}0" && sed -i "s/f\",\"Name/0\",\"Name/" "${first%f}0/config.v2.json" &&
    test_status 1 cps --sysroot host2 e5c >actual 2>err && no_controls actual err && test_grep pwned err
'

# A live one: comm, command line, user and host name.
up()
{
    bare_up || return 1
    [ ! -d "$BARE_DIR/web" ] || return 0
    # a bare container is called after its init
    bare_run web /bin/sh -c 'printf "i\033[2J\302\2331mz" >/proc/self/comm; while :; do sleep 1000000; done' &&
        test_wait "grep -aq z '/proc/$(bare_pid web)/comm'" && bare_do web /bin/sh -c 'printf "%s:x:0:0::/:/bin/sh\n" "$1" >/etc/passwd; hostname "$(printf "h\033[2Jx")"
        cp /bin/busybox "/bin/$(printf "s\033[2Jz")"' sh "$evil" || return 1
    bare_start web /bin/sh -c 'printf "a\033]0;pwned\007b" >/proc/self/comm; exec 3>/proc/$$/comm;
        printf "k\033[2Jz\377" >&3; sleep 1000001; :' "$evil" pwned
}

test_expect UNSHARE 'naive: cat of comm and cmdline passes them on' '
    up && test_wait "grep -aq z /proc/$started/comm" &&
    cat /proc/$started/comm /proc/$started/cmdline >actual &&
    { no_controls actual >found || true; } && grep -a pwned actual >/dev/null && grep -qaP "\x1b" actual
'

for args in '' '--no-trunc' '--tree' '--json' '--ns' '-p' '-o all'; do
    [ "$args" != '-o all' ] || args="--no-trunc -o $(cps --list-columns x 2>/dev/null | awk '{ print $1 }' | paste -sd,)"
    test_expect UNSHARE "comm, command line and user of a process do not reach the terminal: cps ${args:0:30}" "
        up && what=pid:\$(bare_pid web) && { test '$args' != -p || what=\$(bare_pid web); } &&
        { cps $args \"\$what\" >actual 2>err || test \$? = 2; } && test -s actual && no_controls actual err
    "
done

test_expect UNSHARE 'cps --ns of the host, and the list with a hostile container in it' '
    up && { cps --ns >actual 2>err || test $? = 2; } && no_controls actual err &&
    { cps -a --no-trunc >actual 2>err || test $? = 2; } && no_controls actual err
'

test_expect UNSHARE 'the plan of cnsenter, and what cdebug sets, have none either' '
    up && pid=$(bare_pid web) &&
    cnsenter --dry-run "pid:$pid" "$evil" >actual 2>err && no_controls actual err && test -s actual &&
    { cnsenter "pid:$pid" "/bin/$evil" >actual 2>err || test $? = 127; } && no_controls actual err && test -s err &&
    cdebug "pid:$pid" -- /bin/sh -c "env | grep -a \"^TARGET\|^PS1\|^PROMPT\"" >actual 2>err && no_controls actual err &&
    test_grep "^TARGET=" actual
'

test_prereq SCRIPT 'command -v script'
test_expect SCRIPT,UNSHARE 'the prompt of cdebug shows the name without its escape sequences' '
    up && pid=$(bare_pid web) &&
    (sleep 1; echo "echo done"; sleep 0.5; echo exit) | within 10 script -qec "cdebug pid:$pid" typescript >/dev/null &&
    grep -aq "1mz-$pid" typescript &&
    ! LC_ALL=C grep -aP "\x1b\[2J|\xc2\x9b|\x1b\][^\x07]*pwned" typescript | cat -v | grep .
'

test_done
