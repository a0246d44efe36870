#!/bin/bash
# Engines that nobody here can run (cri-o, rkt, OpenVZ): cps on hosts made by their documented layouts.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
. "$SONDE_SOURCE/tests/lib/unseen-hosts.sh"

reason='no package: fixture only'
# shown FILTER EXPECT ARGUMENT...
shown()
{
    local filter=$1 expect=$2
    shift 2
    cps --sysroot "$root" -a --json "$@" >out && test_json "$filter" "$expect" out
}

unknown_cells()
{
    local column
    for column in "$@"; do
        matrix_unknown "$column" "$reason" JQ "$engine: $column is not shown by a fixture" 'shown "[.containers[].pid] | unique" "[null]"'
    done
}

# files_cells_of NAME UPPER: of a stopped container, to which a file is given
files_cells_of()
{
    echo made >"$root$2/made"
    files_options=(--sysroot "$root") files_root=$root files_image=made
    unknown_cells diff-running export-running copy-in-running copy-out-running
    files_plain
    [ "$engine" != cri-o ] || files_why[diff-stopped]='the fixture has no layers of an image'
    matrix_files JQ "$engine" '' '' "$engine:$1" /made=made
}

test_expect JQ 'setup: hosts of cri-o, rkt and OpenVZ' '
    for engine in crio rkt openvz; do root=$TRASH/$engine && unseen_$engine || return 1; done
'

engine=cri-o
matrix_row cri-o fixture
root=$TRASH/crio
unknown_cells running entered
matrix_yes stopped JQ 'cri-o: stopped containers and the sandbox are listed' '
    shown "[.containers[] | .engine, .name] | join(\" \")" "cri-o db cri-o shop cri-o web" -s NAME'
matrix_yes name JQ 'cri-o: name, pod and namespace' '
    shown "[.containers[] | select(.name == \"web\") | .pod, .pod_namespace, .infra]" "[\"shop\",\"prod\",false]" &&
    shown "[.containers[] | select(.infra) | .name]" "[\"shop\"]"'
matrix_yes image JQ 'cri-o: image' 'shown ".containers[] | select(.name == \"web\").image" "example.com/web:1"'
matrix_yes status JQ 'cri-o: a dead host runs nothing' '
    shown "[.containers[] | .name, .status]" "[\"db\",\"created\",\"shop\",\"exited\",\"web\",\"exited\"]" -s NAME'
matrix_yes exit JQ 'cri-o: exit code' 'shown "[.containers[].exit_code]" "[null,null,7]" -s NAME'
matrix_yes layers JQ 'cri-o: its own layer' '
    shown ".containers[] | select(.name == \"web\").layers.upper" "/$crio_graph/overlay/$(unseen_id 1)/diff"'
files_cells_of web "/$crio_graph/overlay/$(unseen_id 1)/diff"
test_expect JQ 'cri-o: a container by its pod, and by its layer and log' '
    test_status 1 cps --sysroot "$root" pod/shop/web >out 2>err && test_grep "container .web. is not running" err &&
    test_status 1 cps --sysroot "$root" pod/shop >out 2>err && test_grep "is ambiguous: 2 containers" err && test_grep "cri-o:db" err &&
    cps --sysroot "$root" --path "/$crio_graph/overlay/$(unseen_id 1)/diff/var" -o NAME --no-headings >out && test_grep "^web" out &&
    cps --sysroot "$root" --path "/var/log/pods/web/0.log" -o NAME --no-headings >out && test_grep "^web" out
'

engine=rkt
matrix_row rkt fixture
root=$TRASH/rkt
unknown_cells running entered
matrix_yes stopped JQ 'rkt: a pod whose directory nobody locks has ended' 'shown ".containers[].engine" rkt'
matrix_yes name JQ 'rkt: named by its only app' 'shown "[.containers[] | .name, .id]" "[\"redis\",\"$rkt_uuid\"]"'
matrix_yes image JQ 'rkt: image' 'shown ".containers[].image" example.com/redis'
matrix_yes status JQ 'rkt: status' 'shown ".containers[].status" exited'
matrix_yes exit JQ 'rkt: exit code of the app' 'shown ".containers[].exit_code" 7'
matrix_yes layers JQ 'rkt: one tree without overlay' 'shown ".containers[].layers.upper" "/$rkt_pods/run/$rkt_uuid/stage1/rootfs"'
files_cells_of redis "/$rkt_pods/run/$rkt_uuid/stage1/rootfs"

engine=openvz
matrix_row openvz fixture
root=$TRASH/openvz
unknown_cells running entered
matrix_yes stopped JQ 'openvz: a configuration is a container' 'shown ".containers[].engine" openvz'
matrix_yes name JQ 'openvz: name' 'shown "[.containers[] | .name, .id]" "[\"web\",\"101\"]"'
matrix_yes image JQ 'openvz: the template' 'shown ".containers[].image" debian-8.0-x86_64'
matrix_yes status JQ 'openvz: status' 'shown ".containers[].status" exited'
matrix_unknown exit 'openvz keeps no exit code on disk' JQ 'openvz: no exit code' 'shown ".containers[].exit_code" null'
matrix_yes layers JQ 'openvz: the private area' 'shown ".containers[].layers.upper" /vz/private/101'
files_cells_of web /vz/private/101
test_expect JQ 'openvz: the address that its configuration gives it' '
    cps --sysroot "$root" --ip 10.0.0.2 -o NAME,HOW --no-headings >out && test_grep "^web  *address in its record" out'

# --- several of these at once --------------------------------------------------------------------

test_expect JQ 'one name in several engines: all are listed, a bare name is ambiguous, ENGINE:NAME is not' '
    cp -r "$TRASH/crio" "$TRASH/both" && cp -r "$TRASH/openvz/." "$TRASH/both/" && root=$TRASH/both &&
    shown "[.containers[] | select(.name == \"web\") | .engine] | sort | join(\" \")" "cri-o openvz" &&
    test_status 1 cps --sysroot "$root" web >out 2>err && test_grep "^cps: .web. is ambiguous: 2 containers match" err &&
    test_grep "^  cri-o:web " err && test_grep "^  openvz:web " err && test_grep "^hint: name the engine" err &&
    test_status 1 cps --sysroot "$root" openvz:web >out 2>err && test_grep "is not running" err
'

test_expect ROOT,JQ 'a store that may not be read: the others are listed, one line says which, status 2' '
    root=$TRASH/both && cp -r "$TRASH/rkt/." "$root/" && chmod 711 "$root" "$root"/var "$root"/var/lib && chmod -R a+rX "$root/etc" "$root/var/lib/containers" &&
    for dir in var/lib/rkt var/lib/containers/storage etc/vz/conf; do
        chmod 700 "$root/$dir" && test_status 2 as_nobody cps --sysroot "$root" -a -o ENGINE --no-headings >out 2>err &&
        test "$(grep -c "^cps: " err)" = 1 && test_grep "^cps: .*$dir.*Permission denied" err && test -s out &&
        chmod 755 "$root/$dir" || return 1
    done
'

test_done
