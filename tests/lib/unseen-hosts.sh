# shellcheck shell=bash
# Hosts of engines that nobody here can run (cri-o, rkt, OpenVZ, youki), made by their documented layouts: docs/formats/.
# unseen_ENGINE makes one in $root. For tests/cli/unseen-engines.sh and tests/fixtures/make.sh.

crio_graph=var/lib/containers/storage
rkt_pods=var/lib/rkt/pods
rkt_uuid=076292e6-54c4-4cc8-9fa7-679c5f7dcfd3

# put FILE: standard input into that file of the host below $root
put() { mkdir -p "$root/$(dirname "$1")" && cat >"$root/$1"; }

unseen_id() { printf '%064x' "$1"; }

# crio_container N NAME POD NAMESPACE TYPE STATE: one of cri-o's, and its line of containers.json; its layer is called by
# the same id
crio_container()
{
    local id dir
    id=$(unseen_id "$1") && dir=$crio_graph/overlay-containers/$id/userdata &&
        jq -n --arg name "$2" --arg pod "$3" --arg ns "$4" --arg type "$5" '{
            process: { args: ["run"], env: ["SECRET=planted"] }, annotations: {
            "io.kubernetes.pod.name": $pod, "io.kubernetes.pod.namespace": $ns, "io.kubernetes.container.name": $name,
            "io.kubernetes.cri-o.ContainerType": $type, "io.kubernetes.cri-o.ImageName": ("example.com/" + $name + ":1"),
            "io.kubernetes.cri-o.LogPath": ("/var/log/pods/" + $name + "/0.log") } }' | put "$dir/config.json" &&
        echo "$6" | put "$dir/state.json" &&
        mkdir -p "$root/$crio_graph/overlay/$id"/{diff,work} && printf 'L%s' "$1" | put "$crio_graph/overlay/$id/link" &&
        jq -nc --arg id "$id" --arg name "$2" --arg pod "$3" --arg ns "$4" '{ id: $id, names: ["k8s_" + $name], layer: $id,
            image: $id, created: "2026-01-01T00:00:00Z",
            metadata: ({ "pod-name": $pod, "pod-id": "x", "metadata-name": $name, namespace: $ns } | tojson) }'
}

unseen_crio()
{
    local all
    all=$(crio_container 1 web shop prod container '{"status":"stopped","started":"2026-01-01T00:00:01Z","finished":"2026-01-01T00:00:02Z","exitCode":7}' &&
        crio_container 2 shop shop prod sandbox '{"status":"running","initPid":1,"initStartTime":"1"}' &&
        crio_container 3 db shop prod container '{"status":"created"}') &&
        jq -s . <<<"$all" | put "$crio_graph/overlay-containers/containers.json" &&
        jq -s 'map({ id, created })' <<<"$all" | put "$crio_graph/overlay-layers/layers.json" &&
        echo '[]' | put "$crio_graph/overlay-images/images.json"
}

unseen_rkt()
{
    jq -nc '{ apps: [{ name: "redis", image: { name: "example.com/redis", id: "sha512-ab" },
        app: { exec: ["/redis"], environment: [{ name: "SECRET", value: "planted" }] } }] }' |
        put "$rkt_pods/run/$rkt_uuid/pod" && echo 7 | put "$rkt_pods/run/$rkt_uuid/stage1/rootfs/rkt/status/redis"
}

unseen_openvz()
{
    mkdir -p "$root/vz/private/101/etc" &&
        printf '%s\n' 'NAME="web"' 'OSTEMPLATE="debian-8.0-x86_64"' 'IP_ADDRESS="10.0.0.2"' | put etc/vz/conf/101.conf
}

# youki_container ID STATUS PID: its bundle is elsewhere
youki_container()
{
    jq -nc --arg id "$1" --arg status "$2" --argjson pid "$3" '{ ociVersion: "v1.0.2", id: $id, status: $status, pid: $pid,
        bundle: ("/srv/bundles/" + $id), annotations: { "org.sonde.note": "a b" }, created: "2026-01-01T00:00:00.123456789Z",
        creator: 0, useSystemd: false, cleanUpIntelRdtSubdirectory: null }' | put "run/youki/$1/state.json" &&
        jq -nc --arg path ":youki:$1" '{ hooks: null, cgroup_path: $path }' | put "run/youki/$1/youki_config.json"
}

unseen_youki()
{
    youki_container web running 4001 && youki_container done7 stopped null && youki_container made created 4003 &&
        youki_container still paused 4004
}
