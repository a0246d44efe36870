# shellcheck shell=bash
# A data root of docker as it lies on a dead host's disk, made by hand.

# docker_id N: an id of 64 hexadecimal digits that starts with N
docker_id() { printf '%04d%060x' "$1" $((0xc0ffee + $1)); }

# docker_record ROOT N NAME [JQ]: the N-th container, created N minutes after the first, exited with 0.
# JQ changes the record: '.State.ExitCode = 7'.
docker_record()
{
    local id dir
    id=$(docker_id "$2")
    dir=$1/var/lib/docker/containers/$id
    mkdir -p "$dir" && jq -cn --arg id "$id" --arg name "/$3" --argjson n "$2" '
        def at($s): 1767225600 + 60 * $n + $s | todateiso8601;
        { ID: $id, Name: $name, Created: at(0), Path: "sh", Args: ["-c", "exit"], Image: ("sha256:" + ("ab" * 32)),
          Driver: "overlay2", LogPath: "", RestartCount: 0,
          State: { Running: false, Paused: false, Restarting: false, Dead: false, Pid: 0, ExitCode: 0,
                   StartedAt: at(1), FinishedAt: at(2) },
          Config: { Image: "busybox:1.36", Hostname: "h", Labels: {} }, NetworkSettings: { Ports: {} } }
        | '"${4:-.}" >"$dir/config.v2.json"
}

# docker_records ROOT COUNT: many at once, c1 ... cCOUNT
docker_records()
{
    local record n id dir
    docker_record "$1" 1 c1 || return 1
    record=$(cat "$1/var/lib/docker/containers/$(docker_id 1)/config.v2.json")
    for ((n = 2; n <= $2; n++)); do
        printf -v id '%04d%060x' "$n" $((0xc0ffee + n))
        dir=$1/var/lib/docker/containers/$id
        mkdir "$dir" || return 1
        printf '%s' "${record//$(docker_id 1)/$id}" | sed "s,/c1\",/c$n\"," >"$dir/config.v2.json" || return 1
    done
}
