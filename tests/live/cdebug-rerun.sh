#!/bin/bash
# cdebug --rerun: what a stopped container starts, seen by the host's tools. A store of docker made by hand, so that no engine is
# needed, and containers of runc and docker.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"
. "$SONDE_SOURCE/tests/lib/docker-overlay.sh"
. "$SONDE_SOURCE/tests/lib/cdebug-stopped.sh"
. "$SONDE_SOURCE/tests/lib/cdebug-rerun.sh"
test_engine runc
test_prereq OVERLAY '[ "$(id -u)" = 0 ] && unshare --mount true && grep -qw overlay /proc/filesystems && have_all jq setfattr ip busybox'

test_expect OVERLAY 'without a command it starts what the container starts, and its status is that one'"'"'s' '
    rerun_up "$(starts sh -c "echo hello; exit 7")" && test_status 7 rerun web >actual && echo hello >expect && test_cmp expect actual &&
    rerun_up "$(starts sh -c "kill -9 \$\$; kill -TERM 2; cat /nope")" && test_status 1 rerun web 2>err && test_grep nope err
'

test_expect OVERLAY 'it is the first process of its own, in the container'"'"'s root, with /proc, /dev and /sys that an engine gives' '
    rerun_up "$(starts sh -c "echo \$\$; [ -d /proc/2 ] || echo alone; cat /etc/motd; ls /dev/null /dev/pts/ptmx /dev/shm; echo x >/dev/null; cat /proc/sys/kernel/pid_max >/dev/null; ls /sys/class/net; uname -n; ls /target /.sonde 2>&1 | grep -c No")" &&
    rerun web >actual && printf "1\nalone\nmotd\n/dev/null\n/dev/pts/ptmx\n\n/dev/shm:\nlo\nh\n2\n" >expect && test_cmp expect actual
'

test_expect OVERLAY,STRACE 'strace -f {} sees it from its execve on, with the status' '
    rerun_up "$(starts sh -c "cat /etc/nothing; exit 3")" &&
    test_status 3 rerun web -- strace -f -o /dev/fd/2 -e trace=execve,openat {} 2>err &&
    test_grep "execve(\"/bin/sh\", \[\"sh\", \"-c\"" err && test_grep "/etc/nothing\", .*ENOENT" err && test_grep "exited with 3" err
'

test_expect OVERLAY,STRACE 'without {} it comes last; in a word it is replaced; {} alone is a program' '
    rerun_up "$(starts sh -c "exit 4")" && test_status 4 rerun web -- strace -f -o /dev/null &&
    test_status 4 rerun web -- sh -c "{}; e=\$?; {} || exit \$e" && test_status 4 rerun web -- env -i {}
'

test_expect OVERLAY,STRACE 'a tracer that follows no fork sees it too, in the session'"'"'s pid namespace' '
    rerun_up "$(starts sh -c "exit 5")" && test_status 5 rerun web -- strace -o /dev/fd/2 -e trace=execve,exit_group {} 2>err &&
    test_grep "execve(\"/bin/sh\"" err && test_grep "exited with 5" err
'

test_expect OVERLAY,GDB 'gdb --args {} runs it, has its symbols from the container'"'"'s files, and stops where one says' '
    rerun_up "$(starts /bin/busybox sh -c "exit 3")" &&
    rerun web -- gdb -batch -nx -ex "catch exec" -ex run -ex "info files" -ex continue --args {} >actual 2>&1 &&
    test_grep "executing new program: /bin/busybox" actual && test_grep "exited with code 03" actual
'

test_expect OVERLAY 'user, groups, directory and environment are the container'"'"'s' '
    rerun_up "$(starts sh -c "id; pwd; echo \$A:\$B:\$HOME:\$HOSTNAME") | .Config.User = \"app\" | .Config.WorkingDir = \"/srv/app\" | .Config.Env = [\"A=1\", \"B=2\"]" &&
    rerun web >actual && printf "uid=1234(app) gid=99(men) groups=29(audio),99(men)\n/srv/app\n1:2:/srv/app:h\n" >expect && test_cmp expect actual &&
    rerun --user 7:audio --env B=3 --workdir /etc web >actual && printf "uid=7 gid=29(audio) groups=29(audio)\n/etc\n1:3:/:h\n" >expect && test_cmp expect actual
'

test_expect OVERLAY 'a directory that is missing is made, as engines do; /etc/hosts has its name' '
    rerun_up "$(starts sh -c "pwd; grep -w h /etc/hosts") | .Config.WorkingDir = \"/new/dir\"" && rerun web >actual && printf "/new/dir\n127.0.1.1\th\n" >expect && test_cmp expect actual &&
    [ ! -e "$upper/new" ]
'

# rights HOSTCONFIG: its capabilities, no_new_privs and groups
rights() { rerun_up "$(starts grep -E '^(CapBnd|CapEff|NoNewPrivs|Groups)' /proc/self/status)" "$1" && stopped --rerun web 2>err | tr -s '\t ' ' '; }

test_expect OVERLAY 'capabilities are those of its record: the default, more, fewer, and none that reaches the host' '
    rights "{}" >actual && test_grep "^CapBnd: 00000000a80425fb$" actual && test_grep "^CapEff: 00000000a80425fb$" actual && test_grep "^NoNewPrivs: 0" actual &&
    rights "{\"CapDrop\":[\"ALL\"],\"CapAdd\":[\"CHOWN\"],\"SecurityOpt\":[\"no-new-privileges\"],\"GroupAdd\":[\"audio\",\"77\"]}" >actual &&
    test_grep "^CapBnd: 0000000000000001$" actual && test_grep "^NoNewPrivs: 1" actual && test_grep "^Groups: 0 29 77" actual &&
    rights "{\"Privileged\":true}" >actual && test_grep "^CapBnd: 00000000b884fdfb$" actual && test_grep "kept from the entrypoint: .*cap_sys_admin" err &&
    ! grep -q "seccomp filter" err && rights "{}" && test_grep "seccomp filter is not its own" err
'

test_expect OVERLAY 'a root that is read-only is so, a tmpfs of it is mounted' '
    rerun_up "$(starts sh -c "touch /x; touch /scratch/x && echo made")" "{\"ReadonlyRootfs\":true,\"Tmpfs\":{\"/scratch\":\"\"}}" && rerun web >actual 2>err && echo made >expect && test_cmp expect actual && test_grep "/x: Read-only" err
'

test_expect OVERLAY 'what it changes is lost, or kept with --keep-changes; the store is as it was' '
    rerun_up "$(starts sh -c "echo 1 >/new; rm /etc/motd; ls /new")" && store_state >/dev/null && store_state >before && rm -rf kept && rerun web && store_state >after && test_cmp before after &&
    rerun --keep-changes kept web && echo 1 >expect && test_cmp expect kept/upper/new && store_state >after && test_cmp before after && ! mounts_left
'

test_expect OVERLAY 'with --write it is the container itself that it changes' '
    rerun_up "$(starts sh -c "echo 1 >/new")" && rerun --write web && echo 1 >expect && test_cmp expect "$upper/new"
'

test_expect OVERLAY 'what cannot be started is one line: 127, 126, and why' '
    rerun_up "$(starts nope)" && test_status 127 rerun web 2>err && echo "cdebug: run the entrypoint '"'nope'"': No such file or directory" >expect && test_cmp expect err &&
    rerun_up "$(starts /etc/passwd)" && test_status 126 rerun web 2>err && test_grep "Permission denied" err &&
    rerun_up "$(starts /odd)" && printf "#!/no/such/shell\n" >"$upper/odd" && chmod 755 "$upper/odd" && test_status 127 rerun web 2>err && test_grep "^hint: it is there: what is missing is its interpreter" err &&
    rerun_up "$(starts sh) | .Path = \"\" | .Args = []" && test_status 125 rerun web 2>err && test_grep "names no program to start" err &&
    rerun_up "$(starts sh) | .Config.User = \"nobody-here\"" && test_status 125 rerun web 2>err && echo "cdebug: no user '"'nobody-here'"' in its /etc/passwd" >expect && test_cmp expect err &&
    rerun_up "$(starts sh) | .Config.User = \"app:nogroup\"" && test_status 125 rerun web 2>err && test_grep "no group .nogroup. in its /etc/group" err
'

test_expect OVERLAY 'a container without /proc, /sys, /dev and /etc; without a shell' '
    rerun_up "$(starts /busybox true)" && rm -r "${layers[0]}" "$upper"/* && mkdir -p "${layers[0]}" && cp "$(command -v busybox)" "${layers[0]}/busybox" && rerun web &&
    stopped --quiet web -- ls /target >actual && ! grep -x proc actual
'

test_expect OVERLAY 'the plan says what would be started, as whom and with what; options that do not go together are refused' '
    rerun_up "$(starts sh -c "exit 1") | .Config.User = \"app\"" && stopped --rerun --dry-run web -- strace -f {} >actual 2>err &&
    test_grep "^entrypoint *sh -c exit 1$" actual && test_grep "as *user app of the container" actual && test_grep "^run *strace -f /.sonde/entrypoint$" actual &&
    for bad in --as-target "--profile general" "--ns none" "--forward 80:80"; do test_status 125 rerun $bad web 2>err && test_grep "rerun" err || return 1; done
'

test_expect OVERLAY 'kill -9 of cdebug leaves no process and no mount' '
    rerun_up "$(starts sleep 9754$$)" && for delay in 0.01 0.03 0.1 0.3; do
        cdebug --docker-root "$HOST/var/lib/docker" --quiet --rerun web & front=$!; sleep $delay; kill -9 $front; { wait $front; } 2>/dev/null
        test_wait "! pgrep -f \"sleep 9754$$\" && ! mounts_left" || return 1
    done
'

test_expect OVERLAY 'SIGTERM reaches it; the third interrupt ends what ignores them' '
    rerun_up "$(starts sh -c "trap \"echo term; exit 9\" TERM; echo ready; while :; do sleep 0.1; done")" && { cdebug --docker-root "$HOST/var/lib/docker" -q --rerun web >actual & } && front=$! && test_wait "grep -q ready actual" &&
    kill -TERM $front && test_status 9 wait $front && test_grep term actual &&
    rerun_up "$(starts sh -c "trap \"\" INT TERM; echo ready; while :; do sleep 0.1; done")" && { cdebug --docker-root "$HOST/var/lib/docker" -q --rerun web >actual & } && front=$! && test_wait "grep -q ready actual" &&
    kill -INT $front && sleep 0.3 && kill -INT $front && sleep 0.3 && kill -INT $front && test_status 137 wait $front
'

test_expect RUNC 'a container of runc: what its specification says' '
    runc_up && oci_run gone sh -c "echo made >/made; exit 3" && test_wait "rt state $(oci_id gone) | grep -q stopped" &&
    test_status 3 cdebug --store "runc=$OCI_DIR/state" --quiet --rerun "$(oci_id gone)" && cdebug --store "runc=$OCI_DIR/state" --rerun --dry-run "$(oci_id gone)" >actual 2>err &&
    test_grep "^entrypoint *sh -c echo made" actual && test_grep "as *0:0" actual && ! grep "a filter of system calls" actual
'

test_expect RUNC 'one that runs is not started twice' '
    oci_run up sleep 1000000 && test_status 125 cdebug --store "runc=$OCI_DIR/state" --rerun "$(oci_id up)" 2>err && test_grep "runs: --rerun is for what does not" err
'

test_done
