# shellcheck shell=bash
# cexport beside GNU tar and docker export, on a Debian root of more than 1 GiB and 20,000 files; sourced by run.sh.

# script NAME LINE: a program of one line
script() { printf '#!/bin/bash\n%s\n' "$2" >"$base/$1" && chmod 755 "$base/$1"; }

# what a Debian without kernels lacks to the 20,000
export_fill='for d in $(seq 80); do mkdir -p /srv/many/$d; for f in $(seq 110); do echo $d $f >/srv/many/$d/$f; done; done; touch /srv/full; sleep 1000000'

bench_export()
{
    local pid
    chroot_have trixie || { say 'no root of Debian: make check-deps makes one'; return 0; }
    say 'dockerd and a Debian root'
    docker_up || die 'dockerd does not start'
    tar -C "$CHROOT_CACHE/trixie" --one-file-system -c . | dk import - bench-root >/dev/null || die 'docker import'
    dk run -d --network none --name bench-root bench-root sh -c "$export_fill" >/dev/null || die 'docker run'
    pid=$(dk inspect -f '{{.State.Pid}}' bench-root)
    wait_until 60 test -e "/proc/$pid/root/srv/full"
    root_size=$(du -smx "/proc/$pid/root/." | cut -f1) root_files=$(find "/proc/$pid/root/." -xdev | wc -l)
    script export-ours "cexport --docker-root $DOCKER_DATA bench-root | cat >/dev/null"
    script export-tar "tar -C /proc/$pid/root --one-file-system -c . | cat >/dev/null"
    script export-docker "DOCKER_CONFIG=$DOCKER_DIR/client docker -H unix://$DOCKER_DIR/docker.sock export bench-root | cat >/dev/null"
    seldom 10 1 compare "$base/export-ours" "$base/export-tar"
    within "\`cexport web\` and \`tar -C /proc/PID/root -c .\`, $root_size MiB in $root_files files, to a pipe" 1.15 \
        'reading each file from its layer, its attributes; a block of 1 MiB at a time'
    seldom 10 1 compare "$base/export-ours" "$base/export-docker"
    faster "\`cexport web\` and \`docker export web\`, the same" 4 'the same'
    at_most "peak memory of \`cexport web\`, the same" "$(peak cexport --docker-root "$DOCKER_DATA" bench-root)" MiB 16 \
        'libraries, a block read and one written, one directory'
    docker_down
}
