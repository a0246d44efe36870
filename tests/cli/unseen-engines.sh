#!/bin/bash
# Engines that nobody here can run (cri-o, rkt, OpenVZ): cps on hosts made by their documented layouts.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"

reason='no package: fixture only'
graph=var/lib/containers/storage

# put FILE: standard input into that file of the host below $root
put() { mkdir -p "$root/$(dirname "$1")" && cat >"$root/$1"; }

id_of() { printf '%064x' "$1"; }

# crio_container N NAME POD NAMESPACE TYPE STATE: one of cri-o's; its layer is called by the same id
crio_container()
{
    local id dir
    id=$(id_of "$1") && dir=$graph/overlay-containers/$id/userdata &&
        jq -n --arg name "$2" --arg pod "$3" --arg ns "$4" --arg type "$5" '{ process: { args: ["run"] }, annotations: {
            "io.kubernetes.pod.name": $pod, "io.kubernetes.pod.namespace": $ns, "io.kubernetes.container.name": $name,
            "io.kubernetes.cri-o.ContainerType": $type, "io.kubernetes.cri-o.ImageName": ("example.com/" + $name + ":1"),
            "io.kubernetes.cri-o.LogPath": ("/var/log/pods/" + $name + "/0.log") } }' | put "$dir/config.json" &&
        echo "$6" | put "$dir/state.json" &&
        mkdir -p "$root/$graph/overlay/$id"/{diff,work} && printf 'L%s' "$1" | put "$graph/overlay/$id/link" &&
        jq -nc --arg id "$id" --arg name "$2" --arg pod "$3" --arg ns "$4" '{ id: $id, names: ["k8s_" + $name], layer: $id,
            image: $id, created: "2026-01-01T00:00:00Z",
            metadata: ({ "pod-name": $pod, "pod-id": "x", "metadata-name": $name, namespace: $ns } | tojson) }' >>records
}

make_crio()
{
    root=$TRASH/crio && rm -f records &&
        crio_container 1 web shop prod container '{"status":"stopped","started":"2026-01-01T00:00:01Z","finished":"2026-01-01T00:00:02Z","exitCode":7}' &&
        crio_container 2 shop shop prod sandbox '{"status":"running","initPid":1,"initStartTime":"1"}' &&
        crio_container 3 db shop prod container '{"status":"created"}' &&
        jq -s . records | put "$graph/overlay-containers/containers.json" &&
        jq -s 'map({ id, created })' records | put "$graph/overlay-layers/layers.json" && echo '[]' | put "$graph/overlay-images/images.json"
}

make_rkt()
{
    root=$TRASH/rkt && pods=var/lib/rkt/pods && uuid=076292e6-54c4-4cc8-9fa7-679c5f7dcfd3 &&
        echo '{"apps":[{"name":"redis","image":{"name":"example.com/redis","id":"sha512-ab"},"app":{"exec":["/redis"]}}]}' |
        put "$pods/run/$uuid/pod" && echo 7 | put "$pods/run/$uuid/stage1/rootfs/rkt/status/redis"
}

make_openvz()
{
    root=$TRASH/openvz && mkdir -p "$root/vz/private/101/etc" &&
        printf '%s\n' 'NAME="web"' 'OSTEMPLATE="debian-8.0-x86_64"' 'IP_ADDRESS="10.0.0.2"' | put etc/vz/conf/101.conf
}

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

test_expect JQ 'setup: hosts of cri-o, rkt and OpenVZ' 'make_crio && make_rkt && make_openvz'

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
    shown ".containers[] | select(.name == \"web\").layers.upper" "/$graph/overlay/$(id_of 1)/diff"'
test_expect JQ 'cri-o: a container by its pod, and by its layer and log' '
    test_status 1 cps --sysroot "$root" pod/shop/web >out 2>err && test_grep "container .web. is not running" err &&
    test_status 1 cps --sysroot "$root" pod/shop >out 2>err && test_grep "is ambiguous: 2 containers" err && test_grep "cri-o:db" err &&
    cps --sysroot "$root" --path "/$graph/overlay/$(id_of 1)/diff/var" -o NAME --no-headings >out && test_grep "^web" out &&
    cps --sysroot "$root" --path "/var/log/pods/web/0.log" -o NAME --no-headings >out && test_grep "^web" out
'

engine=rkt
matrix_row rkt fixture
root=$TRASH/rkt
unknown_cells running entered
matrix_yes stopped JQ 'rkt: a pod whose directory nobody locks has ended' 'shown ".containers[].engine" rkt'
matrix_yes name JQ 'rkt: named by its only app' 'shown "[.containers[] | .name, .id]" "[\"redis\",\"$uuid\"]"'
matrix_yes image JQ 'rkt: image' 'shown ".containers[].image" example.com/redis'
matrix_yes status JQ 'rkt: status' 'shown ".containers[].status" exited'
matrix_yes exit JQ 'rkt: exit code of the app' 'shown ".containers[].exit_code" 7'
matrix_yes layers JQ 'rkt: one tree without overlay' 'shown ".containers[].layers.upper" "/$pods/run/$uuid/stage1/rootfs"'

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
