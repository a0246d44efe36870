#!/bin/bash
# The program that cdebug --rerun starts is the container's, with the host's root for its uid and the session's terminal and
# keyrings around it: what it tries to reach the host, and what its configuration tries before it runs. The naive way to start it is
# chroot(1) in the mounted layers.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"
. "$SONDE_SOURCE/tests/lib/docker-overlay.sh"
. "$SONDE_SOURCE/tests/lib/cdebug-stopped.sh"
. "$SONDE_SOURCE/tests/lib/cdebug-rerun.sh"
test_prereq OVERLAY '[ "$(id -u)" = 0 ] && unshare --mount true && grep -qw overlay /proc/filesystems && have_all jq setfattr busybox'
test_prereq SCRIPT 'have_all script'
test_fact STI '[ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1)" = 1 ]'
test_prereq KEYS '"$HELPERS/with-key" sonde-probe "$HELPERS/with-key" sonde-probe'

# try ATTEMPT...: the store's container starts try-escape with these
try() { rerun_up "$(starts /bin/try-escape "$@")" "${HOST_CONFIG:-{\}}" && cp "$HELPERS/try-escape" "${layers[0]}/bin/" && : >"$TRASH/mark"; }

below() { local n list=$upper:$engine; for ((n = ${#layers[@]} - 1; n >= 0; n--)); do list=$list:${layers[n]}; done; echo "$list"; }

# naive ATTEMPT...: chroot in the mounted layers, with /proc
naive()
{
    mkdir -p merged up work && unshare --mount --propagation private sh -c '
        mount -t overlay overlay -o "lowerdir=$1,upperdir=up,workdir=work" merged && mkdir -p merged/proc merged/tmp && mount --bind /proc merged/proc &&
        shift && exec chroot merged /bin/try-escape "$@"' sh "$(below)" "$@"
}

# all_are WORD FILE
all_are() { [ -s "$2" ] && ! grep -v ": $1\$" "$2"; }

everything=("fds=$TRASH/mark" "proc=$TRASH/mark" trace peers core node=1:5)
confined=("{}" "{\"Privileged\":true}" "{\"SecurityOpt\":[\"seccomp=unconfined\"]}")
within_time() { timeout -s KILL 10 cdebug --docker-root "$HOST/var/lib/docker" --quiet --rerun web; }

test_expect OVERLAY 'naive: in a chroot, root of the container reaches all of the host' '
    try true && naive "${everything[@]}" <"/" >actual && naive "chroot=$TRASH/mark" >>actual && cat actual && [ "$(wc -l <actual)" = 7 ] && all_are reached actual
'

test_expect OVERLAY 'none of it with --rerun; a privileged container'"'"'s, or one without a filter, neither' '
    for config in "${confined[@]}"; do
        HOST_CONFIG=$config try "${everything[@]}" && rerun web <"/" >actual && [ "$(wc -l <actual)" = 6 ] && all_are refused actual &&
        HOST_CONFIG=$config try "chroot=$TRASH/mark" && rerun web >actual && all_are refused actual || return 1
    done
'

test_expect OVERLAY,STRACE 'nor under strace -f, whose descriptors and working directory are the host'"'"'s' '
    try "${everything[@]}" && rerun web -- sh -c "cd /usr; exec 7</ 8</etc/passwd; strace -f -o /dev/null {} </usr" >actual && [ "$(wc -l <actual)" = 6 ] && all_are refused actual
'

test_expect OVERLAY,STRACE 'beside a tracer that follows no fork it sees the tracer, and cannot look into it or trace it' '
    for config in "${confined[@]}"; do
        HOST_CONFIG=$config try peers "proc=$TRASH/mark" trace node=1:5 core && rerun web -- strace -o /dev/null {} >actual && test_grep "^peers: reached" actual &&
        grep -v "^peers" actual >rest && all_are refused rest || return 1
    done
'

test_expect OVERLAY,STRACE 'naive: with CAP_SYS_PTRACE it is in the tracer'"'"'s root' '
    try true && stopped --quiet web -- sh -c "mount --bind /proc /target/proc 2>/dev/null || { mkdir /target/proc && mount -t proc proc /target/proc; }; strace -o /dev/null chroot /target /bin/try-escape proc=$TRASH/mark trace" >actual && cat actual &&
    all_are reached actual
'

test_expect OVERLAY 'a user namespace of its own, from where more of the kernel can be attacked: not with an engine'"'"'s filter' '
    try userns && stopped --quiet web -- /target/bin/try-escape userns >actual && all_are reached actual && rerun web >actual && all_are refused actual
'

test_expect OVERLAY,KEYS 'naive: the keyrings of the caller' '
    try true && mkdir -p merged && "$HELPERS/with-key" sonde-secret unshare --mount --propagation private sh -c "
        mount -t overlay overlay -o \"lowerdir=$(below)\" merged && chroot merged /bin/try-escape key=sonde-secret" >actual && all_are reached actual
'
test_expect OVERLAY,KEYS 'no keyring with --rerun, with a filter of the engine or without' '
    for config in "${confined[@]}"; do
        HOST_CONFIG=$config try key=sonde-secret && "$HELPERS/with-key" sonde-secret cdebug --docker-root "$HOST/var/lib/docker" --quiet --rerun web >actual && all_are refused actual || return 1
    done
'

# What is pushed is read by the tool that runs on the same terminal, root of the host.
test_expect OVERLAY,SCRIPT,STI 'naive: it types into the terminal of the program that watches it' '
    try true && script -qec "cdebug --docker-root $HOST/var/lib/docker --quiet web -- chroot /target /bin/try-escape tty" /dev/null </dev/null >actual && test_grep "tty: reached" actual
'
test_expect OVERLAY,SCRIPT,STI 'not with --rerun, with a filter of the engine or without' '
    for config in "${confined[@]}"; do
        HOST_CONFIG=$config try tty && script -qec "cdebug --docker-root $HOST/var/lib/docker --quiet --rerun web" /dev/null </dev/null >actual && test_grep "tty: refused" actual || return 1
    done
'

test_expect OVERLAY 'the environment is the entrypoint'"'"'s alone: no program of the host loads what it says' '
    try true && rerun_up "$(starts sh -c "echo \$LD_PRELOAD") | .Config.Env = [\"LD_PRELOAD=/target/evil.so\", \"PATH=/target/bin:/bin\", \"BASH_ENV=/target/evil\"]" &&
    echo "echo PWNED >&2" >"${layers[0]}/evil" && printf "not a library" >"${layers[0]}/evil.so" && chmod 755 "${layers[0]}/evil.so" &&
    rerun web -- bash -c "env; {}" >actual 2>err && tail -n 1 actual >last && echo /target/evil.so >expect && test_cmp expect last &&
    sed "\$d" actual >tools && ! grep -e evil tools && ! grep -e PWNED -e evil.so err
'
test_expect OVERLAY 'naive: handed to the tool, it is loaded' '
    stopped --quiet --env LD_PRELOAD=/target/evil.so --env BASH_ENV=/target/evil web -- bash -c true 2>err && test_grep "PWNED" err && test_grep "evil.so.*cannot be preloaded" err
'

test_expect OVERLAY 'users with odd names are one line, escaped' '
    for user in "-1" "0x0" "+5" "4294967295" "99999999999999999999" ":" ":-1" "a\\u001b[31mb" "../../etc" "a:b:c" "app:4294967295" "%n%s"; do
        rerun_up "$(starts id) | .Config.User = \"$user\"" && test_status 125 within_time >actual 2>err && [ "$(wc -l <err)" = 1 ] && ! grep -q $(printf "\\033") err && test_empty actual || { echo "$user"; cat err actual; return 1; }
    done
'
test_expect OVERLAY 'a passwd that is a FIFO, a link to the host'"'"'s, a device, or has 3 MiB' '
    rerun_up "$(starts id) | .Config.User = \"app\"" && rm "${layers[0]}/etc/passwd" && mkfifo "${layers[0]}/etc/passwd" && test_status 125 within_time 2>err && test_grep "not a regular file" err &&
    rm "${layers[0]}/etc/passwd" && echo "app:x:0:0::/:/bin/sh" >"$TRASH/passwd" && ln -s "../../../../../../../../..$TRASH/passwd" "${layers[0]}/etc/passwd" && test_status 125 within_time 2>err && test_grep "No such file" err &&
    rm "${layers[0]}/etc/passwd" && mknod "${layers[0]}/etc/passwd" c 1 5 && test_status 125 within_time 2>err && test_grep "not a regular file" err &&
    rm "${layers[0]}/etc/passwd" && head -c 3000000 /dev/zero >"${layers[0]}/etc/passwd" && test_status 125 within_time 2>err && test_grep "File too large" err
'

test_expect OVERLAY 'a working directory that is a link out, or goes up, ends inside' '
    mkdir -p "$TRASH/out" && echo own >"$TRASH/out/own" && for dir in /link ../../../../..$TRASH/out /proc/self/fd/9 /proc/1/root/../..; do
        rerun_up "$(starts sh -c "pwd -P; ls") | .Config.WorkingDir = \"$dir\"" && ln -s "../../../../../../../..$TRASH/out" "${layers[0]}/link" &&
        { rerun web >actual 2>err; true; } && ! grep own actual || return 1
    done
'

test_expect OVERLAY 'mount points that are links: nothing of the host is mounted on, and it is said' '
    for name in proc dev sys; do
        mkdir -p "$TRASH/out" && rerun_up "$(starts ls /)" && ln -s "$TRASH/out" "${layers[0]}/$name" && test_status 125 rerun web 2>err && test_grep "open the directory ./$name" err && [ "$(ls "$TRASH/out")" = own ] || return 1
    done
'

test_expect OVERLAY 'a program that is /proc/self/exe: what runs is not to be written to' '
    rerun_up "$(starts /again)" && printf "#!/proc/self/exe\n" >"${layers[0]}/again" && chmod 755 "${layers[0]}/again" && sum=$(sha256sum <"$SONDE_BUILD/cdebug") &&
    { rerun web >actual 2>&1; true; } && [ "$sum" = "$(sha256sum <"$SONDE_BUILD/cdebug")" ] &&
    rerun_up "$(starts sh -c "exec 3<>/proc/1/exe; echo x >/proc/self/exe; true")" && { rerun web 2>err; true; } && [ "$sum" = "$(sha256sum <"$SONDE_BUILD/cdebug")" ]
'

test_done
