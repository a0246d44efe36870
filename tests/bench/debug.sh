# shellcheck shell=bash
# cdebug's ways into a running container of docker's, beside plain nsenter and beside a container that is started next to
# it. Sourced by run.sh, within its part docker.

# A toolbox of one static program: what mounting it costs, not what is in it.
debug_squashfs()
{
    local tree=$base/toolbox applet
    mkdir -p "$tree/bin" && cp -L "$(command -v busybox)" "$tree/bin/busybox" || return 1
    for applet in sh true; do ln -s busybox "$tree/bin/$applet"; done
    mksquashfs "$tree" "$base/toolbox.squashfs" -quiet -no-progress >/dev/null
}

# bench_debug STORE-OPTION PID-OF-bench-web
bench_debug()
{
    local store=$1 pid=$2 shared="--rm --pid container:bench-web --network container:bench-web"
    compare "cdebug $store bench-web -- true" "nsenter -t $pid -a true"
    within '`cdebug web -- true` and `nsenter -t PID -a true`' 5 'copying two mount trees, a dozen mounts, and ending the mount namespace'
    # shellcheck disable=SC2086 # words
    docker_peers run $shared "$IMAGE" true
    seldom 10 1 compare "cdebug $store bench-web -- true" "${peers[@]}"
    faster '`cdebug web -- true` and `docker run --pid container:web --network container:web` of an image that is there' 10 'the same'
    compare "cdebug $store --in-target bench-web -- true" "nsenter -t $pid -a true"
    at_most '`cdebug --in-target web -- true`' "$(calc %.2f "$ours")" ms 40 'a root of copied mounts, links to the programs of the toolbox, and copying the one that is started'
    debug_squashfs || die 'mksquashfs'
    compare "cdebug $store --toolbox $base/toolbox.squashfs bench-web -- true" "nsenter -t $pid -a true"
    at_most '`cdebug --toolbox FILE.squashfs web -- true`' "$(calc %.2f "$ours")" ms 40 'a loop device, its mount and an overlay'
}
