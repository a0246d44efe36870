#!/bin/bash
# A user's home is on a file system whose server is gone, or that a server of somebody's own never answers (FUSE here; NFS is
# the usual one): whoever opens a file there waits in the kernel, beyond the reach of SIGKILL. Root's list looks into every
# home for stores: it must end, say so in a line, and list the other containers, other users' among them.
# alone
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare
test_engine podman-rootless
test_prereq USERADD '[ "$(id -u)" = 0 ] && command -v useradd jq'

# The dead mounts are in a mount namespace of the test's own: nobody else's list meets them. Its holder sleeps.
inside() { nsenter -t "$holder" -m "$@"; }

ns_up()
{
    [ -z "${holder-}" ] || return 0
    unshare --mount --propagation private sleep 100000 &
    holder=$!
    disown "$holder"
    test_wait '! [ /proc/$holder/ns/mnt -ef /proc/self/ns/mnt ] && [ "$(cat /proc/$holder/comm)" = sleep ]'
}

# stall_on DIR [UID]: a file system on it whose look-ups are never answered, root's or that user's for everybody; with its server's death the waits end
stall_on()
{
    { exec nsenter -t "$holder" -m "$HELPERS/stall" files 9 "$@"; } 9<>/dev/fuse >stall.out 2>&1 &
    servers+=($!)
    disown $!
    test_wait 'grep -q ready stall.out' || { cat stall.out; return 1; }
}

servers=()
servers_down()
{
    [ ${#servers[@]} = 0 ] || kill -KILL "${servers[@]}" 2>/dev/null
    servers=()
    [ -z "${holder-}" ] || inside umount -l "$home" "$home/.local/share/containers/storage" "$TRASH/other" 2>/dev/null
    return 0
}

all_down()
{
    servers_down
    [ -z "${holder-}" ] || kill "$holder"
    holder=
}
test_cleanup all_down

# A container of root's, and a user with a store in his home.
home_up()
{
    [ -z "${home-}" ] || return 0
    bare_up && bare_run victim && victim=$(bare_pid victim) || return 1
    engine_dir podman-rootless >/dev/null && rootless_user_up || return 1
    local graph=.local/share/containers/storage/overlay-containers id
    id=$(printf 'ce%.0s' {1..32})
    as_user mkdir -p "$graph" .config/containers &&
        printf '[{"id":"%s","names":["athome"],"metadata":"{\\"name\\":\\"athome\\"}","created":"2026-01-01T00:00:00Z"}]' "$id" |
        as_user tee "$graph/containers.json" >/dev/null && home=$ROOTLESS_DIR/home && ns_up
}

# the list in the namespace: within so many seconds, its status
all() { within "$1" nsenter -t "$holder" -m "$SONDE_BUILD/cps" -a --no-trunc --json >actual 2>err; }
has_victim() { jq -e ".containers[] | select(.pid == $victim)" actual >rows; }
users() { jq -r ".containers[] | select(.owner == $ROOTLESS_UID).name" actual; }

test_expect USERADD,UNSHARE,FUSE 'a home that is there is looked into, whatever is mounted elsewhere' '
    home_up && { all 10 || test $? = 2; } && has_victim && users >names && echo athome >expect && test_cmp expect names &&
    mkdir -p other && stall_on "$TRASH/other" && { all 10 || test $? = 2; } && has_victim && users >names && test_cmp expect names &&
    test_grep -v "no answer" err && servers_down
'

test_expect USERADD,UNSHARE,FUSE 'naive: to look into a home that does not answer hangs for ever' '
    home_up && stall_on "$home" &&
    { exec nsenter -t "$holder" -m cat "$home/.config/containers/storage.conf" & } && cat=$! && sleep 0.5 && kill -KILL $cat && sleep 0.5 &&
    { grep "^State:.D" /proc/$cat/status; r=$?; servers_down; test $r = 0; }
'

# One line about it, whatever number of engines look into it; in time, complete but for it.
left_out()
{
    all 10
    [ $? = 2 ] && has_victim && users >names && test_empty names &&
        [ "$(grep -c "^cps: .*$ROOTLESS_DIR" err)" = 1 ] && test_grep "^cps: open .$ROOTLESS_DIR.*: no answer" err
}

test_expect USERADD,UNSHARE,FUSE 'it is left out of the list, which says so' '
    home_up && stall_on "$home" && { left_out; r=$?; servers_down; test $r = 0; } &&
    test_grep "hint: users. containers below .$home. (fuse) are left out" err
'

test_expect USERADD,UNSHARE,FUSE 'nor does a server that was stopped hold the list up' '
    home_up && stall_on "$home" && inside stat "$home" && kill -STOP "${servers[0]}" && { left_out; r=$?; servers_down; test $r = 0; }
'

test_expect USERADD,UNSHARE,FUSE 'nor a link of his that leads to it from a home that answers' '
    home_up && mkdir -p other && stall_on "$TRASH/other" && mv "$home/.local" "$home/.away" && as_user ln -s "$TRASH/other" .local &&
    { left_out; r=$?; servers_down; rm "$home/.local"; mv "$home/.away" "$home/.local"; test $r = 0; } &&
    test_grep "hint: containers of user $ROOTLESS_UID are left out" err
'

# It answers until the store is open.
test_expect USERADD,UNSHARE,FUSE 'naive: the store is opened, and what is in it hangs' '
    home_up && graph=$home/.local/share/containers/storage && stall_on "$graph" "$ROOTLESS_UID" && inside test -d "$graph" &&
    test_status 137 within 1 nsenter -t "$holder" -m ls "$graph/db.sql" && servers_down
'

test_expect USERADD,UNSHARE,FUSE 'a store on a file system that he serves himself is not read' '
    home_up && stall_on "$graph" "$ROOTLESS_UID" && { all 10; r=$?; servers_down; test $r = 2; } && has_victim && users >names && test_empty names &&
    [ "$(grep -c "^cps: .*$ROOTLESS_DIR" err)" = 1 ] && test_grep "its file system is served by a user" err
'

test_expect USERADD,UNSHARE,FUSE 'a name that is looked for is found, or not, in time' '
    home_up && stall_on "$home" &&
    { test_status 125 within 10 nsenter -t "$holder" -m "$SONDE_BUILD/cnsenter" nosuchname true 2>err &&
        test_grep "no container .nosuchname" err && test_grep "not all could be read" err; r=$?; servers_down; test $r = 0; }
'

# whether no cps is in the namespace
all_gone()
{
    local dir
    for dir in /proc/[0-9]*; do
        [ ! "$dir/ns/mnt" -ef "/proc/$holder/ns/mnt" ] || [ "$(cat "$dir/comm")" != cps ] || return 1
    done
}

# A rootless dockerd, whose configuration and data root are at home
daemon_up()
{
    mkdir -p "$ROOTLESS_DIR/bin" && cp "$HELPERS/false-daemon" "$ROOTLESS_DIR/bin/dockerd" || return 1
    as_user env PIDFILE=/run/user/"$ROOTLESS_UID"/daemon unshare -U "$ROOTLESS_DIR/bin/dockerd" </dev/null >/dev/null 2>&1 &
    test_wait "test -s /run/user/$ROOTLESS_UID/daemon" && daemon=$(cat "/run/user/$ROOTLESS_UID/daemon")
}

test_expect USERADD,UNSHARE,FUSE 'nor does his dockerd that runs lead a list into it' '
    home_up && daemon_up && stall_on "$home" && { left_out; r=$?; servers_down; kill -9 "$daemon"; test $r = 0; }
'

test_expect USERADD,UNSHARE,FUSE 'who waits there is one process, and none when the server is gone' '
    home_up && stall_on "$home" && { left_out && ! all_gone; r=$?; servers_down; test $r = 0; } && test_wait all_gone
'

test_done
