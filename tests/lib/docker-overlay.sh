# shellcheck shell=bash
# A made-up host in $HOST with one docker container, web, whose layers are ours to fill. Sourced after docker-store.sh.
#
#   overlay_store N [ROOT]   in $HOST: $upper, $engine, and the image's layers, $layers[0] the lowest one, N of them
#   overlay_cdiff ARGUMENT...

HOST=$TRASH/overlay-host

overlay_store()
{
    local store id mount n links=''
    HOST=${2:-$HOST}
    store=$HOST/var/lib/docker id=$(docker_id 1) mount=$(printf '%064d' 7)
    rm -rf "$HOST" && docker_record "$HOST" 1 web && mkdir -p "$store/image/overlay2/layerdb/mounts/$id" "$store/overlay2/l" &&
        printf %s "$mount" >"$store/image/overlay2/layerdb/mounts/$id/mount-id" &&
        printf %s "$mount-init" >"$store/image/overlay2/layerdb/mounts/$id/init-id" || return 1
    upper=$store/overlay2/$mount/diff engine=$store/overlay2/$mount-init/diff layers=()
    mkdir -p "$upper" "$engine" "$store/overlay2/$mount/work"
    ln -s "../$mount-init/diff" "$store/overlay2/l/INIT"
    for ((n = 0; n < $1; n++)); do
        layers+=("$store/overlay2/$(printf '%064d' $((100 + n)))/diff")
        mkdir -p "${layers[n]}" && ln -s "../$(printf '%064d' $((100 + n)))/diff" "$store/overlay2/l/L$n" || return 1
        links=:l/L$n$links
    done
    printf %s "l/INIT$links" >"$store/overlay2/$mount/lower"
}

overlay_cdiff() { cdiff --sysroot "$HOST" "$@"; }
