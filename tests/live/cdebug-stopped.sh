#!/bin/bash
# cdebug beside what does not run: a store of docker made by hand, so that no engine is needed, and a container of runc.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"
. "$SONDE_SOURCE/tests/lib/docker-overlay.sh"
. "$SONDE_SOURCE/tests/lib/cdebug-stopped.sh"
test_engine runc
test_prereq OVERLAY '[ "$(id -u)" = 0 ] && unshare --mount true && grep -qw overlay /proc/filesystems && have_all jq setfattr ip'

# as_recorded JQ HOSTCONFIG: its record says so
as_recorded()
{
    local record
    record=$HOST/var/lib/docker/containers/$(docker_id 1)
    jq -c "$1" "$record/config.v2.json" >record.new && mv record.new "$record/config.v2.json" && printf %s "$2" >"$record/hostconfig.json"
}

# in_back ARGUMENT...: cdebug in the background; its pid is $front
in_back()
{
    cdebug --docker-root "$HOST/var/lib/docker" "$@" >actual 2>&1 &
    front=$!
}

test_expect OVERLAY 'its files are at /target as its layers make them: deleted, opaque, the mode of its root' '
    stopped_up && stopped web -- sh -c "cd /target && cat etc/motd etc/up && ls etc opaque && stat -c %a ." >actual &&
    printf "motd\nup\netc:\nmotd\nup\n\nopaque:\n751\n" >expect && test_cmp expect actual
'

test_expect OVERLAY 'volumes are mounted in it, read-only, also where no mount point was; a single file too' '
    stopped_up && stopped web -- sh -c "cd /target && cat data/in missing/data/in file
        ! touch data/x 2>/dev/null && ! touch missing/data/x 2>/dev/null && ! touch file 2>/dev/null && echo refused" >actual &&
    printf "in\nin\none\nrefused\n" >expect && test_cmp expect actual
'

test_expect OVERLAY 'what is changed there is lost at the end, and the store and the volume are as they were, to the access times' '
    stopped_up && store_state >before &&
    stopped web -- sh -c "cd /target && echo 1 >new && rm -r etc opaque && mkdir etc && echo 2 >etc/motd && find . -type f -exec cat {} + >/dev/null; ls etc" >actual && echo motd >expect && test_cmp expect actual &&
    store_state >after && test_cmp before after && ! mounts_left
'

test_expect OVERLAY 'pid, net, ipc and uts are new: pid 1 is ours, the network is lo, the host name the container'"'"'s' '
    stopped_up && stopped web -- sh -c "uname -n; ls /sys/class/net; ip -o link show up; for t in pid net ipc uts mnt user cgroup; do
        readlink /proc/self/ns/\$t; done; ls -d /proc/[0-9]* | wc -l; echo \$TARGET:\$TARGET_PID" >actual &&
    sed -n 1,2p actual >names && printf "h\nlo\n" >expect && test_cmp expect names && test_grep "lo: <.*UP" actual &&
    for t in pid net ipc uts mnt; do ! grep -F "$(readlink /proc/self/ns/$t)" actual || return 1; done &&
    grep -F "$(readlink /proc/self/ns/user)" actual && grep -F "$(readlink /proc/self/ns/cgroup)" actual &&
    test_grep "^web:$" actual && [ "$(sed -n "/^[0-9]*$/p" actual)" -lt 6 ]
'

test_expect OVERLAY '--ns chooses which are new' '
    stopped_up && stopped --ns none web -- sh -c "readlink /proc/self/ns/pid /proc/self/ns/net /proc/self/ns/uts" >actual &&
    readlink /proc/self/ns/pid /proc/self/ns/net /proc/self/ns/uts >expect && test_cmp expect actual
'

test_expect OVERLAY 'statuses, signals and limits are as beside a running one' '
    stopped_up && test_status 7 stopped web -- sh -c "exit 7" && test_status 127 stopped web -- nope 2>err &&
    test_status 137 stopped web -- sh -c "kill -9 \$\$" && test_status 0 stopped --pids 20 --memory 64M web -- true
'

test_expect OVERLAY 'it runs as whom one says' '
    stopped_up && stopped --user 1234:99 --workdir /target/etc web -- sh -c "id -u; id -g; pwd; cat motd" >actual &&
    printf "1234\n99\n/target/etc\nmotd\n" >expect && test_cmp expect actual &&
    stopped --profile restricted web -- id -u >actual && echo 65534 >expect && test_cmp expect actual &&
    test_status 125 stopped --forward 80:80 web 2>err && test_grep "is not running (exited): no --forward" err
'

test_expect OVERLAY '--as-target: user, groups, capabilities, directory and environment are those of its record, without what programs obey' '
    stopped_up && as_recorded ".Config.User = \"app\" | .Config.WorkingDir = \"/etc\" | .Config.Env = [\"COLOR=red\", \"LD_PRELOAD=/target/evil.so\"]" "{\"CapDrop\":[\"ALL\"],\"CapAdd\":[\"CHOWN\"],\"GroupAdd\":[\"77\"]}" &&
    echo "app:x:1234:99::/:/bin/sh" >"$upper/etc/passwd" &&
    stopped --as-target web -- sh -c "id -u; id -G; pwd; echo \$COLOR:\$LD_PRELOAD; grep CapBnd /proc/self/status" >actual 2>err &&
    printf "1234\n99 77\n/target/etc\nred:\nCapBnd:\t0000000000000001\n" >expect && test_cmp expect actual && test_grep "kept from the host.s programs.*: LD_PRELOAD" err &&
    as_recorded ".Config.User = \"nobody-here\"" "{}" && test_status 125 stopped --as-target web -- true 2>err && test_grep "no user .nobody-here. in its /etc/passwd" err
'

test_expect OVERLAY 'more layers than the kernel mounts are one line' '
    stopped_up 499 && test_status 125 stopped -q web -- true 2>err && cat err && [ "$(grep -vc "^hint: " err)" = 1 ] && test_grep "layers" err
'

test_expect OVERLAY '--keep-changes keeps them, and a later session finds them again; the store is as it was' '
    stopped_up && store_state >before && rm -rf kept &&
    stopped --keep-changes kept web -- sh -c "echo 1 >/target/new && rm /target/etc/motd" &&
    echo 1 >expect && test_cmp expect kept/upper/new && [ -c kept/upper/etc/motd ] &&
    stopped --keep-changes kept web -- sh -c "cat /target/new; ls /target/etc" >actual && printf "1\nup\n" >expect && test_cmp expect actual &&
    store_state >after && test_cmp before after
'

test_expect OVERLAY '--keep-changes takes no directory with something else in it, nor another container'"'"'s, nor one in use' '
    stopped_up && rm -rf kept other && mkdir other && echo x >other/x &&
    test_status 125 stopped --keep-changes other web -- true 2>err && test_grep "other. is not empty" err && [ "$(ls other)" = x ] &&
    stopped --keep-changes kept web -- true && echo "docker 1" >kept/container &&
    test_status 125 stopped --keep-changes kept web -- true 2>err && test_grep "changes of this container" err && rm -rf kept &&
    in_back --keep-changes kept web -- sh -c "echo ready; sleep 1000" && test_wait "grep -q ready actual" &&
    test_status 125 stopped --keep-changes kept web -- true 2>err && kill -9 $front && test_grep "another session" err
'

test_expect OVERLAY '--write changes the container itself, but not what is mounted read-only in it, and makes no mount point' '
    stopped_up && stopped --write web -- sh -c "cd /target && echo 1 >new && rm etc/motd && echo 2 >data/new
        ! touch file 2>/dev/null && echo refused" >actual 2>err && echo refused >expect && test_cmp expect actual &&
    echo 1 >expect && test_cmp expect "$upper/new" && [ -c "$upper/etc/motd" ] && echo 2 >expect && test_cmp expect volume/new &&
    [ ! -e "$upper/missing" ] && test_grep "mount ./missing/data.: No such" err
'

test_expect OVERLAY '--write is refused where the upper layer is mounted already' '
    stopped_up && mkdir -p merged && lowers=$(for ((i = 2; i >= 0; i--)); do printf ":%s" "${layers[i]}"; done) &&
    unshare --mount --propagation private bash -c "mount -t overlay overlay -o \"lowerdir=$engine$lowers,upperdir=$upper,workdir=$(dirname "$upper")/work\" merged &&
        { \"$SONDE_BUILD/cdebug\" --docker-root \"$HOST/var/lib/docker\" --write web -- touch /target/x; echo \$?; }" >actual 2>err &&
    echo 125 >expect && test_cmp expect actual && test_grep "files are mounted at .*/merged" err && [ ! -e "$upper/x" ]
'

test_expect OVERLAY 'a store whose path has colons, commas, backslashes and blanks' '
    mkdir -p "a:b,c\\d e" && stopped_up && mv "$HOST" "a:b,c\\d e/h" && HOST="$TRASH/a:b,c\\d e/h" &&
    stopped web -- cat /target/etc/motd /target/etc/up >actual && printf "motd\nup\n" >expect && test_cmp expect actual
'

test_expect OVERLAY '499 layers are mounted' '
    stopped_up 497 && echo top >"${layers[496]}/etc-top" && stopped web -- cat /target/etc/motd /target/etc-top >actual &&
    printf "motd\ntop\n" >expect && test_cmp expect actual
'

test_expect OVERLAY 'a layer that is gone is one line' '
    stopped_up && rm -r "${layers[1]}" && test_status 125 stopped web -- true 2>err && test_grep "where its files are is not known" err && [ "$(grep -vc -e "^hint: " -e "is not running" err)" = 1 ]
'

test_expect OVERLAY 'without mount_setattr (Linux < 5.12) it says what it needs, and mounts nothing' '
    stopped_up && test_status 125 "$HELPERS/deny-syscall" mount_setattr -- cdebug --docker-root "$HOST/var/lib/docker" web -- true 2>err &&
    test_grep "^hint: .*Linux 5.12" err && ! mounts_left
'

test_expect OVERLAY 'kill -9 of cdebug at any moment leaves no process and no mount, and the store as it was' '
    stopped_up && store_state >before && n=0 &&
    for delay in 0 0.002 0.004 0.006 0.008 0.01 0.015 0.02 0.03 0.05 0.1 0.3; do
        in_back web -- sh -c "setsid sleep 9753$$ & sleep 9753$$"
        sleep $delay; kill -9 $front; { wait $front; } 2>/dev/null
        test_wait "! pgrep -f \"sleep 9753$$\" && ! mounts_left" || break
        n=$((n + 1))
    done && [ $n = 12 ] && store_state >after && test_cmp before after
'

test_expect OVERLAY 'the plan says what is made and where changes go, and does nothing' '
    stopped_up && stopped --dry-run --keep-changes kept-not web >actual && test_grep "^make  *pid net ipc uts of its own$" actual &&
    test_grep "overlay of the container.s layers at /target (changes: kept-not)" actual && [ ! -e kept-not ]
'

test_expect RUNC '--keep-changes is not for what runs' '
    runc_up && oci_run up sleep 1000000 &&
    test_status 125 cdebug --store "runc=$OCI_DIR/state" --keep-changes kept "$(oci_id up)" -- true 2>err &&
    test_grep "runs: --keep-changes is for what does not" err && rm -rf kept
'

test_expect RUNC 'a container of runc that has ended: its files with what it wrote, its volume' '
    oci_run gone sh -c "echo made >/made; exit 3" && test_wait "rt state $(oci_id gone) | grep -q stopped" && echo v >"$OCI_DIR/volume/v" &&
    cdebug --store "runc=$OCI_DIR/state" "$(oci_id gone)" -- sh -c "cat /target/made /target/etc/motd /target/vol/v; rm /target/made" >actual &&
    printf "made\nwelcome to the test image\nv\n" >expect && test_cmp expect actual && [ -e "$OCI_DIR/bundles/gone/upper/made" ]
'

test_done
