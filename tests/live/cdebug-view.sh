#!/bin/bash
# cdebug --in-target: the container's own tree at /, with a toolbox whose programs run there.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/view.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"
. "$SONDE_SOURCE/tests/lib/docker-overlay.sh"
. "$SONDE_SOURCE/tests/lib/cdebug-stopped.sh"
test_engine runc
test_engine bare
test_engine podman-rootless
test_prereq OVERLAY '[ "$(id -u)" = 0 ] && unshare --mount true && grep -qw overlay /proc/filesystems && have_all jq setfattr ip'
web='' pid=''

debug() { cdebug --store "runc=$OCI_DIR/state" --in-target "$@"; }

test_expect RUNC 'setup: a container with a file and a volume of its own, as user 1000' '
    runc_up && oci_bundle web sh -c "echo made >/tmp/made; exec sleep 1000000" &&
    jq ".process.user = {uid: 1000, gid: 1000} | .root.readonly = true | .mounts += [{destination: \"/tmp\", type: \"tmpfs\", source: \"tmpfs\"}]" \
        <"$OCI_DIR/bundles/web/config.json" >config && cp config "$OCI_DIR/bundles/web/config.json" &&
    echo inside >"$OCI_DIR/volume/file" && oci_start web &&
    web=$(oci_id web) && pid=$(oci_pid web) && [ "$pid" -gt 1 ] && test_wait "[ -s /proc/$pid/root/tmp/made ]"
'

test_expect RUNC 'every path is the application'"'"'s: its files, volumes, and what it has just written' '
    debug "$web" -- cat /etc/motd /vol/file /tmp/made >actual 2>err && test_empty err &&
    printf "welcome to the test image\ninside\nmade\n" >expect && test_cmp expect actual &&
    echo later >"/proc/$pid/root/tmp/later" && debug "$web" -- cat /tmp/later >actual && echo later >expect && test_cmp expect actual &&
    debug "$web" -- stat -c %d:%i /etc/motd >actual && stat -c %d:%i "/proc/$pid/root/etc/motd" >expect && test_cmp expect actual
'

test_expect RUNC 'programs of the host run there: shells, scripts, and those with files of their own' '
    view_acts debug "$web"
'

test_expect RUNC,STRACE,GDB 'strace attaches to the application, gdb reads its memory, ss and ps name what is there' '
    debug "$web" -- sh -c "timeout -s INT 1 strace -qq -e trace=none -p 1; gdb -q -batch -p 1 -ex \"x/2xb \\\$pc\"; ps -o comm= -p 1; ss -lnt" \
        >actual 2>err && test_grep "^0x[0-9a-f]*.*0x[0-9a-f][0-9a-f]" actual && test_grep "^sleep$" actual && test_grep "^State" actual
'

test_expect RUNC 'the session has its own /proc, /dev and scratch directory; the container'"'"'s tree is read-only' '
    debug "$web" -- sh -c "
        cat /proc/1/comm; echo >/dev/null && tty; echo x >\$TMPDIR/x && cat \$TMPDIR/x && echo y >~/y && cat ~/y
        for f in /x /etc/x /tmp/x /.sonde/x /.sonde/toolbox/usr/x; do touch \$f 2>/dev/null && echo written \$f; done
        ls /sys/class/net; id -u" >actual 2>err &&
    printf "sleep\nnot a tty\nx\ny\nlo\n0\n" >expect && test_cmp expect actual
'

test_expect RUNC 'the container'"'"'s own programs are started with --exec only' '
    test_status 126 debug "$web" -- /bin/busybox true 2>err && test_grep "^hint: .*--exec" err &&
    debug --exec "$web" -- /bin/busybox echo ran >actual && echo ran >expect && test_cmp expect actual &&
    test_status 127 debug "$web" -- no-such-tool 2>err && test_grep "among the programs of the host" err &&
    test_status 7 debug "$web" -- sh -c "exit 7"
'

test_expect RUNC '--write writes where the application does, and not to the root of its image' '
    debug --write "$web" -- sh -c "echo w >/tmp/written" && echo w >expect && test_cmp expect "/proc/$pid/root/tmp/written" &&
    ! debug --write "$web" -- sh -c "echo w >/etc/written" 2>err
'

test_expect RUNC 'as the application itself: its user, its directory' '
    debug -q --as-target "$web" -- sh -c "id -u; pwd; whoami" >actual && printf "1000\n/\napp\n" >expect && test_cmp expect actual &&
    debug -q --user 1000 --workdir /srv "$web" -- sh -c "id -u; pwd" >actual && printf "1000\n/srv\n" >expect && test_cmp expect actual &&
    debug -q --profile restricted "$web" -- sh -c "perl -e \"print 1\"" >actual && [ "$(cat actual)" = 1 ]
'

test_expect RUNC 'without the pid namespace /proc is the host'"'"'s' '
    debug --ns net "$web" -- cat "/proc/$pid/comm" >actual && echo sleep >expect && test_cmp expect actual
'

test_expect RUNC 'the container is left as it was: every file, its mounts, cgroup and processes' '
    view_state "$pid" "$OCI_DIR/bundles/web/upper" >before && grep -q overlay before &&
    view_acts debug "$web" && { debug "$web" -- find /etc /tmp /vol /bin -type f -exec cat {} + >/dev/null 2>&1; true; } &&
    view_state "$pid" "$OCI_DIR/bundles/web/upper" >after && test_cmp before after
'

test_expect RUNC 'and so it is after kill -9 at any moment; no process of ours is left' '
    view_state "$pid" "$OCI_DIR/bundles/web/upper" >before && n=0 &&
    for delay in 0 0.005 0.01 0.015 0.02 0.03 0.04 0.06 0.1 0.3; do
        cdebug --store "runc=$OCI_DIR/state" --in-target "$web" -- sh -c "sleep 9753$$" >/dev/null 2>&1 &
        front=$!
        sleep $delay; kill -9 $front; { wait $front; } 2>/dev/null
        test_wait "! pgrep -f \"sleep 9753$$\"" || break
        n=$((n + 1))
    done && [ $n = 10 ] && test_wait "view_state $pid $OCI_DIR/bundles/web/upper >after && test_cmp before after"
'

test_expect RUNC 'the plan is printed and nothing done' '
    debug --dry-run "$web" -- ls >actual && test_grep "^mount .*files with its volumes at / (read-only, nothing of them is executed)" actual &&
    test_grep "^mount .*programs (read-only) at /.sonde/toolbox" actual && test_grep "^run  *ls$" actual
'

test_expect RUNC 'a container that ends takes the session with it, and is said to have ended' '
    oci_run brief sleep 1000000 && brief=$(oci_pid brief) &&
    { cdebug --store "runc=$OCI_DIR/state" --in-target "$(oci_id brief)" -- sh -c "echo ready; sleep 1000" >actual 2>err & } &&
    front=$! && test_wait "grep -q ready actual" && kill -9 "$brief" && { wait $front; test $? = 137; } &&
    test_grep "first process .* has ended" err
'

test_expect UNSHARE 'one static program is enough of an image: no libc, shell, /etc, /sys or /dev' '
    scratch_up && cdebug -q --in-target "pid:$scratch" -- sh -c "ls /; cat /proc/1/comm; ls /sys/class/net; echo >/dev/null" >actual &&
    printf "busybox\ndev\nproc\nsys\nbusybox\nlo\n" >expect && test_cmp expect actual &&
    view_acts cdebug -q --in-target "pid:$scratch" && [ "$(ls "$SCRATCH_DIR")" = "$(printf "busybox\nproc")" ]
'

test_expect OVERLAY 'one that does not run has its files at /, its volumes in them; what is changed is lost, and the store as it was' '
    stopped_up && store_state >before &&
    stopped --in-target web -- sh -c "cat /etc/motd /data/in /missing/data/in /file; touch /etc/new && ls /etc; touch /data/x 2>/dev/null || echo refused; uname -n" \
        >actual 2>err && printf "motd\nin\nin\none\nmotd\nnew\nup\nrefused\nh\n" >expect && test_cmp expect actual &&
    test_grep "is not running .*: its files are at /$" err && store_state >after && test_cmp before after
'

test_expect UNSHARE 'a root that is full of entries is cut off, with a warning' '
    bare_up && bare_run crowded && mkdir "/proc/$(bare_pid crowded)/root/d"{1..1100} &&
    cdebug --in-target "pid:$(bare_pid crowded)" -- sh -c "ls / | wc -l" >actual 2>err && test_grep "more than 1024 entries" err
'

test_expect UNSHARE 'a container that has names of ours is told of' '
    bare_run names && mkdir "/proc/$(bare_pid names)/root/.sonde" "/proc/$(bare_pid names)/root/.u" &&
    cdebug --in-target "pid:$(bare_pid names)" -- true 2>err && test_grep "/.sonde.* hidden" err && test_grep "/.u.* hidden" err
'

test_expect PODMAN_ROOTLESS 'in a user namespace of an ordinary user it is the same, as its user 0' '
    podman_rootless_up && pmu run -d --name mine --read-only "$IMAGE" sleep 1000000 >/dev/null &&
    mine=$(pmu inspect -f "{{.State.Pid}}" mine) && upper=$(pmu inspect -f "{{.GraphDriver.Data.UpperDir}}" mine) &&
    view_state "$mine" "$upper" >before &&
    cdebug -q --in-target mine -- sh -c "id -u; cat /etc/motd; readlink /proc/self/ns/user; perl -e \"print qq(perl\n)\"" >actual &&
    { echo 0; echo welcome to the test image; readlink "/proc/$mine/ns/user"; echo perl; } >expect && test_cmp expect actual &&
    view_acts cdebug -q --in-target mine && view_state "$mine" "$upper" >after && test_cmp before after
'

test_done
