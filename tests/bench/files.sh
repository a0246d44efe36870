# shellcheck shell=bash
# The files of containers: a Debian root of 1.3 GB and 20,000 files in a docker of its own. Sourced by run.sh.
#
#   files_root      makes $files_root: trixie as the live tests have it (tests/engines/chroot.sh), and files of sid below /opt
#                   until it is large enough
#   files_scene     dockerd, $FILES_IMAGE of that root, and the containers `quiet` (changes nothing) and `busy` (2,600 changes:
#                   1,300 files copied up and changed, 650 new, 650 deleted); nothing, where they are there
#   files_down      removes all of it

files_up=
FILES_IMAGE=sonde-files:1
files_root=$base/files
files_want=20000
files_bytes=1300

files_count() { find "$files_root" -xdev | wc -l; }
files_size() { du -smx "$files_root" | cut -f1; }

files_make()
{
    local dir
    for dir in trixie sid; do
        chroot_have "$dir" || die "needs the chroot of $dir: sudo make check-deps"
    done
    cp -a "$CHROOT_CACHE/trixie" "$files_root" || die 'no space for a Debian root'
    for dir in usr/share usr/lib/x86_64-linux-gnu usr/sbin usr/lib usr/bin usr/libexec var/lib; do
        [ "$(files_count)" -lt "$files_want" ] || [ "$(files_size)" -lt "$files_bytes" ] || break
        [ ! -d "$CHROOT_CACHE/sid/$dir" ] || { mkdir -p "$files_root/opt/sid/$dir" && cp -a "$CHROOT_CACHE/sid/$dir/." "$files_root/opt/sid/$dir"; }
    done
    for dir in proc sys dev run; do
        rm -rf "${files_root:?}/$dir" && mkdir "$files_root/$dir" || return 1
    done
}

# files_changes N: a script that does N changes inside
files_changes()
{
    cat <<END
mkdir /new && seq $(($1 / 4)) | while read -r name; do echo "\$name" >/new/\$name; done
find /usr/share /opt -xdev -type f | sort -r | head -n $(($1 * 3 / 4)) >/new/names
head -n $(($1 / 2)) /new/names | while read -r name; do echo >>"\$name"; done
tail -n $(($1 / 4)) /new/names | xargs -d '\n' rm
END
}

files_run() { dk run -d --network none --name "$1" "$2" >/dev/null || die 'docker run'; }

# files_change NAME N
files_change() { files_changes "$2" | dk exec -i "$1" sh || die 'docker exec'; }

files_scene()
{
    [ -z "$files_up" ] || return 0
    files_up=yes
    say "a Debian root"
    docker_up || die 'dockerd does not start'
    files_make
    files_title="$(files_size) MB, $(files_count) files"
    tar -C "$files_root" --numeric-owner -c . | dk import -c 'CMD ["sleep", "1000000"]' - "$FILES_IMAGE" >/dev/null || die 'docker import'
    files_run quiet "$FILES_IMAGE"
    files_run busy "$FILES_IMAGE"
    files_change busy 2600
}

files_down()
{
    [ -n "$files_up" ] || return 0
    files_up=
    docker_down
    rm -rf "$files_root"
}

bench_cdiff()
{
    local store="--store docker=$DOCKER_DIR/data" lines with
    read -ra with <<<"$store"
    docker_peers diff quiet
    compare "cdiff $store docker:quiet" "${peers[@]}"
    faster "\`cdiff\` and \`docker diff\`, nothing changed in $files_title" 50 'finding the container, and opening its layers'
    docker_peers diff busy
    cdiff -z "${with[@]}" docker:busy | tr '\0\n' '\n@' | sort >"$base/ours"
    dk diff busy | sort >"$base/theirs"
    cmp "$base/ours" "$base/theirs" >&2 || die 'cdiff and docker diff do not say the same'
    lines=$(wc -l <"$base/ours")
    compare "cdiff $store docker:busy" "${peers[@]}"
    faster "\`cdiff\` and \`docker diff\`, $lines changes in it" 10 'two looks and one list of attributes for a changed file'
    at_most "peak memory of \`cdiff\`, $lines changes" "$(peak cdiff "${with[@]}" docker:busy)" MiB 16 'the names of the directories on the way'
    at_most "peak memory of \`cdiff --json\`, $lines changes" "$(peak cdiff --json "${with[@]}" docker:busy)" MiB 16 'the same, and 64 KiB to compare contents'
}

# growth TITLE COMMAND: a row without a peer, for how the cost grows
growth()
{
    compare "$2" true
    row "$1" "$(calc %.2f "$ours") ms" - - - - "$3"
}

# How it grows: with the image's files, with changes, with layers.
bench_cdiff_growth()
{
    local store="--store docker=$DOCKER_DIR/data" n
    for n in 100 1000 5000; do
        files_run "changes-$n" "$FILES_IMAGE"
        files_change "changes-$n" "$n"
        growth "\`cdiff\`, $n changes" "cdiff $store docker:changes-$n" 'the changes'
        dk rm -f "changes-$n" >/dev/null
    done
    files_run few-files "$IMAGE"
    growth '`cdiff`, nothing changed in 2 MB, 400 files' "cdiff $store docker:few-files" 'as with 20,000 files'
    docker_load "$IMAGE_MANY" "$(image_many 100)" || die 'docker load'
    files_run many-layers "$IMAGE_MANY"
    growth '`cdiff`, nothing changed in 100 layers' "cdiff $store docker:many-layers" 'opening each layer'
}

bench_files()
{
    files_scene
    bench_cdiff
    bench_cdiff_growth
}
