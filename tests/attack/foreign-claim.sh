#!/bin/bash
# Every user has an engine's store of his own, and writes into it what he likes: that his container's init is a
# process of root, for one. Root's tools that believe it list, and enter, what he says.
# alone
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare
test_engine podman-rootless
test_engine runc
test_prereq USERADD '[ "$(id -u)" = 0 ] && command -v useradd jq'

# A user whose podman says that its container "web" is the process of root's; crun's and runc's records say so
# too, with the right start time, as anybody can read it.
claim_up()
{
    [ -z "${victim-}" ] || return 0
    bare_up && bare_run victim && victim=$(bare_pid victim) || return 1
    engine_dir podman-rootless >/dev/null && rootless_user_up || return 1
    graph=$ROOTLESS_DIR/home/.local/share/containers/storage run=/run/user/$ROOTLESS_UID
    id=$(printf 'c1a1%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    # shellcheck disable=SC2016 # by the user
    as_user env graph="$graph" run="$run" id="$id" victim="$victim" start="$(proc_start "$victim")" /bin/sh -c '
        mkdir -p "$graph/overlay-containers/$id/userdata" "$run/containers/overlay-containers/$id/userdata" \
            "$run/crun/$id" "$run/runc/$id" "$graph/libpod" &&
        printf "[{\"id\":\"%s\",\"names\":[\"claimed\"],\"image\":\"\",\"layer\":\"\",\"metadata\":\"{\\\"name\\\":\\\"claimed\\\",\\\"image-name\\\":\\\"evil\\\"}\",\"created\":\"2026-01-01T00:00:00Z\"}]" "$id" \
            >"$graph/overlay-containers/containers.json" &&
        printf "%s" "$victim" >"$run/containers/overlay-containers/$id/userdata/pidfile" &&
        printf "%s" "$victim" >"$graph/overlay-containers/$id/userdata/pidfile" &&
        printf "{\"pid\":%s,\"process-start-time\":%s,\"cgroup-path\":\"\",\"rootfs\":\"/\",\"bundle\":\"%s\",\"created\":\"2026-01-01T00:00:00Z\",\"detached\":true}" \
            "$victim" "$start" "$graph/overlay-containers/$id/userdata" >"$run/crun/$id/status" &&
        printf "{\"id\":\"%s\",\"init_process_pid\":%s,\"init_process_start\":%s,\"created\":\"2026-01-01T00:00:00Z\",\"config\":{\"rootfs\":\"/\",\"labels\":[\"bundle=/x\"]}}" \
            "$id" "$victim" "$start" >"$run/runc/$id/state.json"'
}

all() { cps -a --no-trunc --json >actual 2>err || [ $? = 2 ]; }

test_expect USERADD,UNSHARE 'naive: the pid file of a user leads nsenter into a process of root' '
    claim_up &&
    nsenter -t "$(cat "$run/containers/overlay-containers/$id/userdata/pidfile")" -u hostname >actual &&
    echo victim >expect && test_cmp expect actual
'

test_expect USERADD,UNSHARE 'cps does not show the process of root as a container of the user' '
    claim_up && all &&
    jq -c ".containers[] | select(.pid == $victim)" actual >rows &&
    test "$(wc -l <rows)" = 1 && test_json .engine bare rows
'

test_expect USERADD,UNSHARE 'what the user claims is still listed, not running' '
    claim_up && all &&
    jq -c ".containers[] | select(.name == \"claimed\" or .id == \"$id\") | .pid" actual | sort -u >pids &&
    echo null >expect && test_cmp expect pids
'

test_expect USERADD,UNSHARE 'cps -p tells nothing of the user about the process of root' '
    claim_up &&
    { cps -p "$victim" >actual 2>err || test $? = 2; } &&
    test_grep " bare " actual && test_grep -v claimed actual && test_grep -v "${id:0:12}" actual
'

test_expect USERADD,UNSHARE 'cnsenter and cdebug do not enter it under that name' '
    claim_up &&
    test_status 125 within 10 cnsenter claimed hostname >actual 2>err && test_empty actual && test -s err &&
    test_status 125 within 10 cnsenter "$id" hostname >actual 2>err && test_empty actual &&
    test_status 125 within 10 cdebug claimed -- hostname >actual 2>err && test_empty actual
'

test_expect USERADD,RUNC 'a container that a user has named like the short id of another is not taken for it' '
    claim_up && short=4f5a6b7c8d9e && runc_up && oci_run "$short" sleep 1000000 && full=$(oci_id "$short") &&
    sed "s/claimed/$short/g" "$graph/overlay-containers/containers.json" >named &&
    grep -q "$short" named && cat named >"$graph/overlay-containers/containers.json" &&
    test_status 125 cnsenter --store "runc=$OCI_DIR/state" "$short" true 2>err && test_grep ambiguous err &&
    cnsenter --store "runc=$OCI_DIR/state" "runc:$short" hostname >actual && test_grep "$short" actual &&
    cnsenter --store "runc=$OCI_DIR/state" "$full" hostname >actual && test_grep "$short" actual
'

# In place of a record: what must not be followed, or never ends.
test_expect USERADD,UNSHARE 'links, FIFOs and huge files in the store of a user hold nobody up' '
    claim_up && echo "{\"SECRET\":1}" >secret.json && chmod 600 secret.json && secret=$PWD/secret.json &&
    for kind in "mkfifo F" "ln -s $secret F" "truncate -s 10G F" "mkdir F" "ln -s /dev/zero F" "echo {{{ >F"; do
        for f in "$graph/overlay-containers/containers.json" "$run/crun/$id/status" "$run/runc/$id/state.json"; do
            as_user /bin/sh -c "rm -rf \"$f\" && ${kind//F/\"$f\"}" || return 1
        done
        within 5 cps -a --json >actual 2>err || test $? = 2 || return 1
        jq -e ".containers | map(select(.pid == $victim)) | length == 1" actual || return 1
        ! grep SECRET actual err || return 1
    done
'

# A user's dockerd, in a user namespace of his as rootless ones are, names a data root of root's whose daemon is gone, and
# an exec root of his own: there a runtime's record says that the pid in root's old record, which is another process by
# now, is the one it was.
docker_claim_up()
{
    [ -z "${false_daemon-}" ] || return 0
    home=$ROOTLESS_DIR/home did=$(printf 'd1a1%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    mkdir -p "$ROOTLESS_DIR/data-root/containers/$did" &&
        printf '{"ID":"%s","Name":"/dead","Driver":"vfs","State":{"Running":true,"Pid":%s},"Config":{"Image":"x"}}' \
            "$did" "$victim" >"$ROOTLESS_DIR/data-root/containers/$did/config.v2.json" &&
        as_user mkdir -p "$home/exec/runtime-runc/moby/$did" && as_user cp /bin/sh "$home/dockerd" &&
        printf '{"id":"%s","init_process_pid":%s,"init_process_start":%s}' "$did" "$victim" "$(proc_start "$victim")" |
        as_user dd of="$home/exec/runtime-runc/moby/$did/state.json" status=none && as_user mkfifo "$home/fifo" ||
        return 1
    # shellcheck disable=SC2016 # by the user
    as_user unshare -Ur "$home/dockerd" -c 'echo "$$" >"$HOME/started"; exec 0<>"$HOME/fifo"; read x' dockerd \
        --data-root="$ROOTLESS_DIR/data-root" --exec-root="$home/exec" &
    test_wait "test -s $home/started" && false_daemon=$(cat "$home/started")
}

# listed OPTION...: what cps says of the dead container of root
listed()
{
    cps -a --no-trunc --json "$@" >actual 2>err || [ $? = 2 ] || return 1
    jq -c ".containers[] | select(.id == \"$did\") | [.engine, .name, .owner, .pid]" actual
}

test_expect USERADD,UNSHARE 'naive: pid and start time of a process of root agree with a record of root and one of his' '
    claim_up && docker_claim_up &&
    grep "\"Pid\":$victim" "$ROOTLESS_DIR/data-root/containers/$did/config.v2.json" &&
    grep "$(proc_start "$victim")" "$home"/exec/runtime-runc/moby/*/state.json
'

test_expect USERADD,UNSHARE 'a dockerd of his has no say over a data root of root' '
    claim_up && docker_claim_up && kill -0 "$false_daemon" &&
    listed >rows && test_empty rows &&
    listed --store docker="$ROOTLESS_DIR/data-root" >rows &&
    echo "[\"docker\",\"dead\",0,null]" >expect && test_cmp expect rows &&
    jq -c ".containers[] | select(.pid == $victim)" actual >rows && test_json .engine bare rows
'

# ---- records that hide another's ----

# what cps says, complete or not
some() { cps -a --no-trunc --json "$@" >actual 2>err || [ $? = 2 ]; }

# runc's record of a container of root's in a directory of the test's, and one of the user's podman with the same id
twin_up()
{
    [ -z "${twin-}" ] || return 0
    twin=$(printf 'e1f1%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    mkdir -p "$ROOTLESS_DIR/state/$twin" &&
        printf '{"id":"%s","init_process_pid":%s,"init_process_start":%s,"created":"2026-01-01T00:00:00Z","config":{"rootfs":"/srv","labels":["bundle=/x"]}}' \
            "$twin" "$victim" "$(proc_start "$victim")" >"$ROOTLESS_DIR/state/$twin/state.json" &&
        printf '[{"id":"%s","names":["e1f"],"image":"","layer":"","metadata":"{\\"name\\":\\"e1f\\"}","created":"2026-01-01T00:00:00Z"}]' "$twin" \
            >"$ROOTLESS_DIR/twin.json" && as_user mkdir -p "$graph/overlay-containers" &&
        as_user /bin/sh -c 'rm -rf "$1"; cat >"$1"' - "$graph/overlay-containers/containers.json" <"$ROOTLESS_DIR/twin.json"
}

test_expect USERADD,UNSHARE 'a record of his with the id of a container of root does not stand for it' '
    claim_up && twin_up && some --store "runc=$ROOTLESS_DIR/state" &&
    jq -c ".containers[] | select(.id == \"$twin\") | [.engine, .owner, .pid]" actual | sort >rows &&
    printf "[\"podman\",%s,null]\n[\"runc\",0,%s]\n" "$ROOTLESS_UID" "$victim" >expect && test_cmp expect rows
'

test_expect USERADD,UNSHARE 'nor is his, named like the first digits of the id, entered for it' '
    claim_up && twin_up &&
    test_status 125 cnsenter --store "runc=$ROOTLESS_DIR/state" e1f true 2>err && test_grep ambiguous err
'

# when process $1 was started
began()
{
    date -u -d "@$(($(sed -n 's/^btime //p' /proc/stat) + $(proc_start "$1") / $(getconf CLK_TCK)))" +%FT%TZ
}

# A sandbox of his own, with the process of root for the file server beside it
sandbox_up()
{
    as_user unshare -Urm sleep 1001 &
    test_wait "pgrep -u $ROOTLESS_UID -x sleep -a | grep -q 'sleep 1001'" || return 1
    sandbox=$(pgrep -u "$ROOTLESS_UID" -f '^sleep 1001')
    printf '{"id":"box","createdAt":"%s","status":"running","goferPid":%s,"sandbox":{"id":"box","pid":%s,"startTime":"%s"}}' \
        "$(began "$victim")" "$victim" "$sandbox" "$(began "$sandbox")" >box &&
        as_user mkdir -p "$run/runsc" && as_user dd of="$run/runsc/box_sandbox:box.state" status=none <box
}

test_expect USERADD,UNSHARE 'a file server that his gVisor names does not take the process of root out of the list' '
    claim_up && sandbox_up && all && kill "$sandbox" &&
    jq -c ".containers[] | select(.name == \"box\") | .pid" actual >rows && echo "$sandbox" >expect && test_cmp expect rows &&
    jq -c ".containers[] | select(.pid == $victim)" actual >rows && test_json .engine bare rows
'

# ---- a cgroup that was delegated to him ----

# Where such a one can be made: below v2, or the pids hierarchy of v1
cgroup_top()
{
    findmnt -n -o TARGET -t cgroup2 | head -n 1 | grep . || findmnt -n -o TARGET -t cgroup -O pids | head -n 1
}

delegated_up()
{
    [ -z "${delegated-}" ] || return 0
    old=$(printf 'a0b0%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    delegated=$(cgroup_top)/sonde-$$ && mkdir "$delegated" && chown "$ROOTLESS_UID" "$delegated" &&
        as_user mkdir "$delegated/docker-$old.scope" || return 1
    as_user sleep 1000 &
    sleep 0.2
    his=$(pgrep -u "$ROOTLESS_UID" -nx sleep) && echo "$his" >"$delegated/docker-$old.scope/cgroup.procs" &&
        mkdir -p "$ROOTLESS_DIR/old-root/containers/$old" &&
        printf '{"ID":"%s","Name":"/old","Driver":"vfs","State":{"Running":true,"Pid":%s},"Config":{"Image":"x"}}' \
            "$old" "$his" >"$ROOTLESS_DIR/old-root/containers/$old/config.v2.json"
}

delegated_down()
{
    [ -n "${delegated-}" ] || return 0
    kill -9 "$his" 2>/dev/null
    # a killed process leaves its cgroup a little after it is gone
    test_wait "rmdir '$delegated/docker-$old.scope' 2>/dev/null" && rmdir "$delegated"
}

test_expect USERADD,UNSHARE 'naive: a process of his has the pid of an old record of root, and the id in its cgroup' '
    claim_up && delegated_up && grep "$old" "/proc/$his/cgroup" &&
    grep "\"Pid\":$his" "$ROOTLESS_DIR/old-root/containers/$old/config.v2.json"
'

test_expect USERADD,UNSHARE 'below a cgroup of his the id proves nothing' '
    claim_up && delegated_up && some --store "docker=$ROOTLESS_DIR/old-root" &&
    jq -c ".containers[] | select(.name == \"old\") | [.status, .pid]" actual >rows &&
    echo "[\"exited\",null]" >expect && test_cmp expect rows
'

test_expect USERADD,UNSHARE 'below a cgroup of root it does' '
    claim_up && delegated_up && chown 0 "$delegated" && some --store "docker=$ROOTLESS_DIR/old-root" &&
    jq -c ".containers[] | select(.name == \"old\") | [.status, .pid]" actual >rows &&
    echo "[\"running\",$his]" >expect && test_cmp expect rows
'

# ---- apptainer, by a container that has his home for a volume ----

test_expect USERADD,UNSHARE 'instances of root in a home of his are his word' '
    claim_up && dir=$ROOTLESS_DIR/home/.apptainer/instances/app/$(uname -n)/root/rootly && mkdir -p "$dir" &&
    printf "{\"name\":\"rootly\",\"pid\":%s,\"image\":\"/x\"}" "$victim" >"$dir/rootly.json" &&
    touch -d "$(began "$victim")" "$dir/rootly.json" &&
    all && jq -c ".containers[] | select(.name == \"rootly\") | [.owner, .pid]" actual >rows &&
    echo "[$ROOTLESS_UID,null]" >expect && test_cmp expect rows
'

delegated_down
[ -z "${false_daemon-}" ] || kill "$false_daemon"
test_done
