#!/bin/bash
# cdebug --in-target on an image that is hostile throughout: nothing of it runs unless the user starts it, and nothing of
# the session is the container's to see.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
. "$SONDE_SOURCE/tests/lib/view.sh"
. "$SONDE_SOURCE/tests/lib/trapped-image.sh"
test_engine bare
test_engine runc

# trapped_up: a container of unshare in that image; $trapped is its init
trapped_up()
{
    trapped_image "$SONDE_TEST_DIR/trapped" || return 1
    # shellcheck disable=SC2016 # for the shell inside
    unshare --mount --propagation private --pid --fork --kill-child --uts --ipc --net sh -c '
        mount --bind "$1" "$1" && cd "$1" && pivot_root . proc && exec /app/busybox sh -c "
            /app/busybox umount -l /proc && /app/busybox mount -t proc proc /proc && exec /app/busybox sleep 1000000"' \
        sh "$SONDE_TEST_DIR/trapped" >trapped.out 2>&1 </dev/null &
    trapped_unshare=$!
    disown "$trapped_unshare"
    test_wait 'read -r -d " " trapped <"/proc/$trapped_unshare/task/$trapped_unshare/children" &&
        [ "$(tr "\0" " " <"/proc/$trapped/cmdline")" = "/app/busybox sleep 1000000 " ]' || { cat trapped.out; return 1; }
}
test_cleanup '[ -z "${trapped_unshare-}" ] || kill -KILL "$trapped_unshare" 2>/dev/null || true'

# naive COMMAND...: the usual way to run a host's program there: its loader, with its libraries, below the container's root
# shellcheck disable=SC2016 # for the shell inside
naive()
{
    local loaders=(/lib*/ld-linux-*.so.?)
    # where it is a link, it is an absolute one, and the image's own loader would run
    LOADER=$(readlink -f "${loaders[0]}") unshare --mount --propagation private sh -c '
        root=$1 && shift && mkdir -p "$root/mnt" && mount --bind / "$root/mnt" && mount -t proc proc "$root/proc" &&
        exec chroot "$root" "/mnt$LOADER" --library-path /mnt/lib/x86_64-linux-gnu:/mnt/usr/lib/x86_64-linux-gnu:/mnt/lib64 "$@"
    ' sh "$SONDE_TEST_DIR/trapped" "$@" 2>&1
}

# What is in the session's own directory is seen at its end, also when a program hides what it prints.
# shellcheck disable=SC2016 # for the session
last='; cat /.sonde/var/tmp/trapped 2>/dev/null; exit 0'

test_expect UNSHARE 'setup: a container whose every library, loader, shell and start file is a trap' '
    trapped_up && [ "$(find "$SONDE_TEST_DIR/trapped" -type f | wc -l)" -gt 100 ]
'

# springs COMMAND...: a trap does; safe COMMAND...: none does
springs() { "$@" >actual 2>&1; test_grep TRAPPED actual; }
safe() { "$@" >actual 2>&1; test_grep -v TRAPPED actual; }

view() { cdebug -q --in-target "$@"; }

test_expect UNSHARE 'naive: a host program that is started there by its loader obeys ld.so.preload' '
    springs naive /mnt/usr/bin/true && mv "$SONDE_TEST_DIR/trapped/etc/ld.so.preload" "$SONDE_TEST_DIR" &&
    safe naive /mnt/usr/bin/true
'

test_expect UNSHARE 'naive: and without that file still start files, /bin/sh, modules and converters are the image'"'"'s' '
    springs naive /mnt/usr/bin/bash -i -c true && springs naive /mnt/usr/bin/bash -l -c true &&
    springs naive "/mnt$(readlink -f "$(command -v awk)")" "BEGIN { system(\"true; true\") }" &&
    springs naive /mnt/usr/bin/getent passwd no-such-user && springs naive /mnt/usr/bin/iconv -f UTF-16 -t UTF-8 /etc/motd &&
    mv "$SONDE_TEST_DIR/ld.so.preload" "$SONDE_TEST_DIR/trapped/etc/"
'

test_expect UNSHARE 'in the target view the host'"'"'s programs do their work, and none of it runs' '
    cdebug -q --in-target "pid:$trapped" -- sh -c "$(cat "$SONDE_SOURCE/tests/lib/view-acts.sh")$last" >actual 2>err &&
    test_grep "^ok gdb" actual && test_grep -v "^no " actual && test_grep -v TRAPPED actual && test_grep -v TRAPPED err
'

rooted() { view "pid:$trapped" -- getent passwd 0 >actual && echo "root:x:0:0::/.sonde/home:/.sonde/bin/sh" | test_cmp - actual; }

test_expect UNSHARE 'root'"'"'s home is never the image'"'"'s: no root in its passwd, no passwd' '
    file=$SONDE_TEST_DIR/trapped/etc/passwd && cp "$file" was &&
    for text in "app:x:1:1::/:/bin/sh" "\$(id):x:0:0::/root:/bin/sh" "evil:x:0:0::/root:/bin/sh
root:x:0:zero::/root:/bin/sh"; do
        echo "$text" >"$file" && view "pid:$trapped" -- getent passwd 0 >actual && test_grep ":/.sonde/home:/.sonde/bin/sh$" actual || return 1
    done &&
    rm "$file" && rooted && mkfifo "$file" && rooted && rm "$file" && cp was "$file"
'

test_expect UNSHARE 'nor does it where its programs may be started: --exec' '
    cdebug -q --in-target --exec "pid:$trapped" -- sh -c "$(cat "$SONDE_SOURCE/tests/lib/view-acts.sh")$last" >actual 2>err &&
    test_grep "^ok gdb" actual && test_grep -v TRAPPED actual && test_grep -v TRAPPED err
'

test_expect UNSHARE 'nor for who has the same user and no capabilities' '
    cdebug -q --in-target --profile restricted "pid:$trapped" -- sh -c "id; ls -l /etc; python3 -c 1; perl -e 1; bash -i -c true$last" >actual 2>err &&
    test_grep -v TRAPPED actual && test_grep -v TRAPPED err
'

test_expect UNSHARE 'the user can start it, when he asks for that: the traps work' '
    springs view --exec "pid:$trapped" -- /bin/ls && safe view "pid:$trapped" -- /bin/ls &&
    test_status 126 view "pid:$trapped" -- /bin/ls && springs view "pid:$trapped" -- bash -c ". /etc/profile"
'

test_expect UNSHARE 'no library of the container is mapped, whoever names it, without --exec' '
    safe view -e LD_PRELOAD=/trap.so "pid:$trapped" -- true && test_grep "cannot be preloaded" actual &&
    springs view --exec -e LD_PRELOAD=/trap.so "pid:$trapped" -- true
'

# The container exchanges a directory of its root for a link and back, as fast as it can.
test_expect UNSHARE 'what is exchanged in the root while it is brought leads nowhere else' '
    bare_up && bare_run racing && bare_put racing "$HELPERS/swap-race" && bare_do racing mkdir /r &&
    bare_do racing ln -s /.sonde/toolbox/etc /l && bare_start racing /bin/swap-race /r /l && race=$started &&
    { for i in {1..40}; do
        cdebug -q --in-target "pid:$(bare_pid racing)" -- sh -c "ls -d /r/. >/dev/null 2>&1; stat -fc %T /r/. 2>/dev/null; cat /proc/self/mountinfo" >>raced 2>>err || break
    done; kill -KILL "$race"; [ "$i" = 40 ]; } &&
    test_grep -v " / / .* - ext4" raced
'

etc_stalls()
{
    bare_put web "$HELPERS/stall" && bare_start web /bin/stall files 9 /etc 9<>/dev/fuse >stall.out 2>&1 &&
        stall=$started && test_wait 'grep -q ready stall.out'
}

test_expect FUSE,UNSHARE 'a file system of the container that never answers keeps no session waiting that does not ask it' '
    bare_run web && etc_stalls &&
    { within 8 cdebug -q --in-target "pid:$(bare_pid web)" -- sh -c "echo done; ls /data" >actual 2>err; r=$?; kill -KILL "$stall"; test $r = 0; } &&
    test_grep done actual && test_grep kept actual
'

secret=$TRASH/secret
echo "the host's secret" >"$secret"
chmod 600 "$secret"

test_expect RUNC 'the container'"'"'s root gets nothing of the session: no memory, root directory, descriptor' '
    runc_up && attacker spy - steal "$secret" &&
    repeat 10 cdebug --store "runc=$OCI_DIR/state" --in-target "$(oci_id spy)" -- true &&
    repeat 3 cdebug --store "runc=$OCI_DIR/state" --in-target "$(oci_id spy)" -- sleep 0.2 &&
    loot_has spy "^seen" && loot_lacks spy "^stolen\|^ptraced"
'

test_expect RUNC 'and the toolbox is in no mount table of its' '
    cdebug --store "runc=$OCI_DIR/state" --in-target "$(oci_id spy)" -- sleep 2 & front=$!
    sleep 1; cat "/proc/$(oci_pid spy)/mountinfo" >actual && ls -a "/proc/$(oci_pid spy)/root/" >names && wait $front &&
    test_grep -v sonde/toolbox actual && test_grep -v "^.sonde$" names
'

test_done
