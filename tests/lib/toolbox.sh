# shellcheck shell=bash
# Toolboxes for the tests of cdebug. Sourced after docker-store.sh, docker-overlay.sh and cdebug-stopped.sh.
#
#   box_make DIR            a tree of static busybox with a shell and a few programs
#   box_add DIR PROGRAM     one of the host's, with its libraries
#   box_image NAME DIR…     in $HOST's docker root, an image of that name; each DIR a layer, the lowest first
#   box_left                what a session has left, if anything; 1: nothing
#   loops                   the loop devices that are in use, with their files

box_make()
{
    local applet
    mkdir -p "$1/bin" "$1/etc" && cp -L "$(command -v busybox)" "$1/bin/busybox" &&
        for applet in sh ls cat id mount touch ps uname mkdir rm mv readlink stat echo cut grep sort find sleep test true ln wc ip kill printf; do
            ln -sf busybox "$1/bin/$applet" || return 1
        done && echo box >"$1/etc/box"
}

box_add()
{
    local lib
    cp -L "$2" "$1/bin/" || return 1
    for lib in $(ldd "$2" | grep -o '/[^ ]*'); do
        mkdir -p "$1$(dirname "$lib")" && cp -L "$lib" "$1$lib" || return 1
    done
}

# sha256_of TEXT
sha256_of() { printf %s "$1" | sha256sum | cut -d' ' -f1; }

box_image()
{
    local name=$1 store=$HOST/var/lib/docker dir diff chain='' ids='' id
    shift
    for dir; do
        diff=$(sha256_of "$dir $name")
        if [ -z "$chain" ]; then chain=$diff; else chain=$(sha256_of "sha256:$chain sha256:$diff"); fi
        mkdir -p "$store/image/overlay2/layerdb/sha256/$chain" "$store/overlay2/$diff" && cp -a "$dir" "$store/overlay2/$diff/diff" &&
            printf %s "$diff" >"$store/image/overlay2/layerdb/sha256/$chain/cache-id" &&
            printf 'sha256:%s' "$diff" >"$store/image/overlay2/layerdb/sha256/$chain/diff" &&
            printf 'box%.20s' "$diff" >"$store/overlay2/$diff/link" || return 1
        ids=$ids${ids:+,}\"sha256:$diff\"
    done
    id=$(sha256_of "$name$ids")
    mkdir -p "$store/image/overlay2/imagedb/content/sha256" &&
        printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[%s]}}' "$ids" \
            >"$store/image/overlay2/imagedb/content/sha256/$id" &&
        printf '{"Repositories":{"%s":{"%s:latest":"sha256:%s"}}}' "$name" "$name" "$id" >"$store/image/overlay2/repositories.json"
}

loops() { cat /sys/block/loop*/loop/backing_file 2>/dev/null | sort; }

# Mounts and processes of this file's sessions: those of others may be there at the same time.
box_left() { grep -lF "$HOST" /proc/[0-9]*/mountinfo 2>/dev/null || pgrep -f -- "$HOST/var/lib/docker"; }
