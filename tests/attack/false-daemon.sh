#!/bin/bash
# Stores are looked for by the arguments of running daemons and monitors. Any user can start a program of that name, and
# give it a directory that is root's and writable for everybody, as /tmp is. So can root of a container that sees the host's
# processes and files, as programs that watch a host do (--pid=host -v /:/host:ro): once it is chrooted there it looks like
# a daemon of the host. What is in that directory must not be believed as the word of the host's root.
# alone
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare
test_engine podman-rootless
test_prereq USERADD '[ "$(id -u)" = 0 ] && command -v useradd jq'

# as_daemon COMMAND... -- NAME ARGUMENT...: a process whose program is called NAME, by COMMAND; $started is its pid
as_daemon()
{
    local dir=$ROOTLESS_DIR/home by=()
    while [ "$1" != -- ]; do by+=("$1"); shift; done
    local name=$2
    shift 2
    rm -f "$dir/$name" "$dir/pid" && cp "$HELPERS/false-daemon" "$dir/$name" && chmod 755 "$dir/$name" || return 1
    "${by[@]}" env PIDFILE="$dir/pid" "$dir/$name" "$@" </dev/null >/dev/null 2>&1 &
    test_wait "test -s '$dir/pid'" && started=$(cat "$dir/pid") &&
        test "$(basename "$(readlink "/proc/$started/exe")")" = "$name"
}

# A rootless daemon; root with what docker gives a container, in the host's pid namespace and chrooted to the host's root.
user_daemon() { as_daemon as_user unshare -U -- "$@"; }
contained() { unshare -m setpriv --bounding-set -all,+dac_override,+chown,+setuid,+setgid,+sys_chroot --inh-caps -all "$@"; }
contained_daemon() { as_daemon contained -- "$@"; }

daemon_down() { kill -9 "$started" 2>/dev/null; rm -f "/run/user/$ROOTLESS_UID/docker.pid"; }

# while_daemon COMMAND...: its status, when the daemon is gone again
while_daemon()
{
    local r=0
    "$@" || r=$?
    daemon_down
    return "$r"
}

# A container of root's, a user, and a directory as /tmp is with a docker root and a graph root by that user.
false_up()
{
    [ -z "${victim-}" ] || return 0
    bare_up && bare_run victim && victim=$(bare_pid victim) || return 1
    engine_dir podman-rootless >/dev/null && rootless_user_up || return 1
    shared=$ROOTLESS_DIR/shared id=$(printf 'd0d0%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    install -d -m 1777 "$shared" || return 1
    # shellcheck disable=SC2016 # by the user
    as_user env shared="$shared" id="$id" victim="$victim" start="$(proc_start "$victim")" /bin/sh -c '
        mkdir -p "$shared/containers/$id" "$shared/runtime-runc/moby/$id" "$shared/overlay-containers/$id" &&
        printf "{\"ID\":\"%s\",\"Name\":\"/falsename\",\"Driver\":\"vfs\",\"Config\":{\"Image\":\"evil\"},\"State\":{\"Running\":true,\"Pid\":%s,\"StartedAt\":\"2026-01-01T00:00:00Z\"}}" \
            "$id" "$victim" >"$shared/containers/$id/config.v2.json" &&
        printf "{}" >"$shared/containers/$id/hostconfig.json" &&
        printf "{\"id\":\"%s\",\"init_process_pid\":%s,\"init_process_start\":%s}" "$id" "$victim" "$start" \
            >"$shared/runtime-runc/moby/$id/state.json" &&
        printf "[{\"id\":\"%s\",\"names\":[\"falsegraph\"],\"image\":\"\",\"layer\":\"\",\"metadata\":\"{\\\"name\\\":\\\"falsegraph\\\"}\",\"created\":\"2026-01-01T00:00:00Z\"}]" "$id" \
            >"$shared/overlay-containers/containers.json"'
}

all() { cps -a --no-trunc --json >actual 2>err || [ $? = 2 ]; }

# not_roots NAME: nothing is listed under that name as root's, and victim is no container of that name
not_roots()
{
    all && jq -c ".containers[] | select(.owner == 0 and .name == \"$1\")" actual >rows && test_empty rows &&
        jq -c ".containers[] | select(.pid == $victim) | .engine" actual >rows && echo '"bare"' >expect &&
        test_cmp expect rows
}

# not_entered NAME: no tool finds a container of that name to enter
not_entered() { test_status 125 within 10 cnsenter "$1" hostname >actual 2>err && test_empty actual && test -s err; }

pid_file() { echo "$started" >"/run/user/$ROOTLESS_UID/docker.pid"; }

no_complaint()
{
    as_user mkdir -p "$shared/io.containerd.metadata.v1.bolt" &&
        as_user /bin/sh -c "echo no bolt >'$shared/io.containerd.metadata.v1.bolt/meta.db'" && all &&
        test_grep -v "$shared" err
}

test_expect USERADD,UNSHARE 'naive: by the owner of the directory the store is root'\''s' '
    false_up && stat -c %u "$shared" >actual && echo 0 >expect && test_cmp expect actual
'

test_expect USERADD,UNSHARE 'a rootless dockerd that calls a directory of root its data root has none' '
    false_up && user_daemon dockerd --data-root "$shared" --exec-root "$shared" && while_daemon not_roots falsename
'

test_expect USERADD,UNSHARE 'and none by its pid file, which cnsenter follows' '
    false_up && user_daemon dockerd --data-root "$shared" --exec-root "$shared" && pid_file &&
    while_daemon not_entered falsename
'

test_expect USERADD,UNSHARE 'a dockerd of a container that sees the host names no data root' '
    false_up && contained_daemon dockerd --data-root "$shared" --exec-root "$shared" && while_daemon not_roots falsename
'

test_expect USERADD,UNSHARE 'nor does its conmon name a graph root' '
    false_up && contained_daemon conmon -b "$shared/overlay-containers/$id/userdata" && while_daemon not_roots falsegraph
'

test_expect USERADD,UNSHARE 'nor its containerd a root' '
    false_up && contained_daemon containerd --root "$shared" --state "$shared" && while_daemon no_complaint
'

test_expect USERADD,UNSHARE 'nor is what its systemd-nspawn says a machine' '
    false_up && contained_daemon systemd-nspawn -M falsemachine -D / && while_daemon not_roots falsemachine
'

# What root's podman wrote down before its container died: both pids are others' by now. No cgroup and no runtime's record
# tells more, as with a container of a cgroup v1 host that was set up without cgroups.
record_of_root()
{
    local graph=$ROOTLESS_DIR/graph
    child=$(tr -d ' ' <"/proc/$started/task/$started/children")
    rm -rf "$graph" && mkdir "$graph" && sqlite3 "$graph/db.sql" "
        CREATE TABLE DBConfig(GraphRoot TEXT, RunRoot TEXT, TmpDir TEXT, VolumeDir TEXT);
        CREATE TABLE PodConfig(ID TEXT, Name TEXT);
        CREATE TABLE ContainerConfig(ID TEXT, Name TEXT, PodID TEXT, JSON TEXT);
        CREATE TABLE ContainerState(ID TEXT, JSON TEXT);
        INSERT INTO DBConfig VALUES('$graph', '$graph/run', '$graph/tmp', '$graph/volumes');
        INSERT INTO ContainerConfig VALUES('$id', 'oldroot', NULL, '{\"id\":\"$id\",\"name\":\"oldroot\"}');
        INSERT INTO ContainerState VALUES('$id', '{\"state\":3,\"pid\":$child,\"conmonPid\":$started}')"
}

# oldroot STATUS true|false: what cps says of it, and whether it has the process
oldroot()
{
    cps -a --no-trunc --json --store "podman=$ROOTLESS_DIR/graph" >actual 2>err || [ $? = 2 ] || return 1
    jq -c ".containers[] | select(.name == \"oldroot\") | [.engine, .owner, .status, .pid == $child]" actual >rows
    echo "[\"podman\",0,\"$1\",$2]" >expect && test_cmp expect rows
}

parent_is_conmon() { grep "^PPid:.$started\$" "/proc/$child/status" && [ "$(cat "/proc/$started/comm")" = conmon ]; }

test_expect USERADD,UNSHARE,SQLITE 'naive: the pid of an old record has the parent that the record says, and it is called conmon' '
    false_up && contained_daemon conmon && record_of_root && while_daemon parent_is_conmon
'

test_expect USERADD,UNSHARE,SQLITE 'a conmon of root is believed about its child' '
    false_up && as_daemon -- conmon && record_of_root && while_daemon oldroot running true
'

test_expect USERADD,UNSHARE,SQLITE 'one of a container that sees the host is not' '
    false_up && contained_daemon conmon && record_of_root && while_daemon oldroot exited false
'

test_expect USERADD,UNSHARE,SQLITE 'nor one of a user, in his user namespace or not' '
    false_up && user_daemon conmon && record_of_root && while_daemon oldroot exited false &&
    as_daemon as_user -- conmon && record_of_root && while_daemon oldroot exited false
'

test_done
