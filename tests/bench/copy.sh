# shellcheck shell=bash
# ccp beside cp and docker cp: a file of 1 GiB, and a Debian root, of and into running and stopped containers; sourced by run.sh
# after files.sh. Nothing is flushed between two runs: a copy is made when it is in the page cache, for each of the programs.

# What is copied is removed before each run: from the host and, by its root, from a container.
copy_prepare() { prepare=(--prepare "rm -rf $base/copy $1/copy"); }

# copy_pair TITLE OURS PEER LIMIT WHY
copy_pair()
{
    compare "$2" "$3"
    within "$1" "$4" "$5"
}

bench_copy_running()
{
    local pid root
    pid=$(dk inspect -f '{{.State.Pid}}' quiet) root=/proc/$pid/root
    copy_prepare "$root"
    head -c 1G /dev/urandom >"$base/big" && cp "$base/big" "$root/big" || die 'no space for 1 GiB'
    copy_pair '`ccp web:FILE DST` and `cp`, 1 GiB' "ccp -q $store docker:quiet:/big $base/copy" "cp $root/big $base/copy" 1.05 'sendfile, 32 MiB a call'
    copy_pair '`ccp FILE web:DST` and `cp`, 1 GiB' "ccp -q $store $base/big docker:quiet:/copy" "cp $base/big $root/copy" 1.05 'the same'
    copy_pair "\`ccp -a web:/usr DST\` and \`cp -a\`, $copy_title" "ccp -aq $store docker:quiet:/usr $base/copy" "cp -a $root/usr $base/copy" 1.1 "$copy_why"
    copy_pair "\`ccp -a DIR web:DST\` and \`cp -a\`, $copy_title" "ccp -aq $store $files_root/usr docker:quiet:/copy" "cp -a $files_root/usr $root/copy" 1.1 "$copy_why"
    docker_peers cp quiet:/usr "$base/copy"
    compare "ccp -q $store docker:quiet:/usr $base/copy" "${peers[@]}"
    faster "\`ccp web:/usr DST\` and \`docker cp\`, $copy_title" 1 'no daemon, no archive in between'
    rm -f "$root/big"
    bench_copy_growth "$root"
}

bench_copy_stopped()
{
    local upper lower
    upper=$(dk inspect -f '{{.GraphDriver.Data.UpperDir}}' quiet) lower=$(dk inspect -f '{{.GraphDriver.Data.LowerDir}}' quiet)
    lower=${lower##*:}
    dk kill quiet >/dev/null
    copy_prepare "$upper"
    copy_pair "the same of a stopped one, out" "ccp -aq $store docker:quiet:/usr $base/copy" "cp -a $lower/usr $base/copy" 1.1 "$copy_why"
    copy_pair "the same of a stopped one, into it" "ccp -aq $store $files_root/usr docker:quiet:/copy" "cp -a $files_root/usr $upper/copy" 1.1 "$copy_why"
}

# How it grows: with the number of files.
bench_copy_growth()
{
    local n dir=$base/tree
    for n in 1000 10000 100000; do
        rm -rf "$dir" && mkdir "$dir" && (cd "$dir" && seq "$n" | split -l 1 -a 5 -) || die 'no space for small files'
        growth "\`ccp DIR web:DST\`, $n files of a few bytes in one directory" "ccp -q $store $dir docker:quiet:/copy" 'the files'
        at_most "peak memory of it" "$(rm -rf "$1/copy"; peak ccp -q "${with[@]}" "$dir" docker:quiet:/copy)" MiB 16 "about 40 bytes and the name for each file of a directory"
    done
}

bench_copy()
{
    local store="--store docker=$DOCKER_DIR/data" saved=$runs with copy_title copy_why='opening, reading and writing a file, its owner, mode and times: 14 calls'
    read -ra with <<<"$store"
    files_scene
    copy_title="$(du -smx "$files_root/usr" | cut -f1) MB in $(find "$files_root/usr" | wc -l) files"
    [ "$runs" -lt 10 ] || runs=10
    bench_copy_running
    rm -rf "$base/copy"
    at_most "peak memory of \`ccp -a web:/usr DST\`, $copy_title" "$(peak ccp -aq "${with[@]}" docker:quiet:/usr "$base/copy")" MiB 16 'one directory, 256 KiB, names of files with several'
    bench_copy_stopped
    runs=$saved prepare=()
    docker_down
    rm -rf "$files_root" "$base/copy" "$base/big" "$base/tree"
}
