# shellcheck shell=bash
# ccp beside cp and docker cp: a file of 1 GiB, and a Debian root, of and into running and stopped containers; sourced by run.sh
# after files.sh. A tree takes seconds to copy, and is copied three times by each.

# What is copied is removed before each run: from the host and, by its root, from a container.
copy_prepare() { prepare=(--prepare "rm -rf $base/copy $1/copy"); }

# copy_pair TITLE OURS PEER LIMIT WHY
copy_pair()
{
    compare "$2" "$3"
    within "$1" "$4" "$5"
}

# copy_title DIR: how large it is
copy_title() { echo "$(du -smx "$1" | cut -f1) MB in $(find "$1" | wc -l) files"; }

# copy_file ROOT: 1 GiB
copy_file()
{
    { head -c 1G /dev/urandom >"$base/big" && cp "$base/big" "$1/big"; } || die 'no space for 1 GiB'
    copy_pair '`ccp web:FILE DST` and `cp`, 1 GiB' "ccp -q $store docker:quiet:/big $base/copy" "cp $1/big $base/copy" 1.05 'sendfile, 32 MiB a call'
    copy_pair '`ccp FILE web:DST` and `cp`, 1 GiB' "ccp -q $store $base/big docker:quiet:/copy" "cp $base/big $1/copy" 1.05 'the same'
    rm -f "$1/big" "$base/big"
}

# copy_trees ROOT: of and into a running one
copy_trees()
{
    local usr lib
    usr=$(copy_title "$files_root/usr") lib=$(copy_title "$files_root/usr/lib")
    copy_pair "\`ccp -a web:/usr DST\` and \`cp -a\`, $usr" "ccp -aq $store docker:quiet:/usr $base/copy" "cp -a $1/usr $base/copy" 1.1 "$copy_why"
    copy_pair "\`ccp -a DIR web:DST\` and \`cp -a\`, $lib" "ccp -aq $store $files_root/usr/lib docker:quiet:/copy" "cp -a $files_root/usr/lib $1/copy" 1.1 "$copy_why"
    docker_peers cp quiet:/usr/lib "$base/copy"
    compare "ccp -q $store docker:quiet:/usr/lib $base/copy" "${peers[@]}"
    faster "\`ccp web:DIR DST\` and \`docker cp\`, $lib" 1 'no daemon, no archive in between'
}

# copy_stopped LOWER UPPER: beside copies of and to the layers themselves
copy_stopped()
{
    local lib
    lib=$(copy_title "$1/usr/lib")
    copy_pair "\`ccp -a stopped:DIR DST\` and \`cp -a\`, $lib" "ccp -aq $store docker:quiet:/usr/lib $base/copy" "cp -a $1/usr/lib $base/copy" 1.1 "$copy_why"
    copy_pair '`ccp -a DIR stopped:DST` and `cp -a`, the same' "ccp -aq $store $files_root/usr/lib docker:quiet:/copy" "cp -a $files_root/usr/lib $2/copy" 1.1 "$copy_why"
}

# copy_growth ROOT: with the number of files
copy_growth()
{
    local n dir=$base/tree
    for n in 1000 5000 20000; do
        { rm -rf "$dir" && mkdir "$dir" && (cd "$dir" && seq "$n" | split -l 1 -a 4 -); } || die 'no space for small files'
        growth "\`ccp DIR web:DST\`, $n files of a few bytes in one directory" "ccp -q $store $dir docker:quiet:/copy" 'the files'
        rm -rf "$1/copy"
        at_most 'peak memory of it' "$(peak ccp -q "${with[@]}" "$dir" docker:quiet:/copy)" MiB 16 'about 20 bytes and the name for each file of a directory, up to 65,536'
    done
}

bench_copy()
{
    local store="--store docker=$DOCKER_DIR/data" with root upper lower copy_why='opening, reading and writing a file, its owner, mode and times: 14 calls'
    read -ra with <<<"$store"
    files_scene
    root=/proc/$(dk inspect -f '{{.State.Pid}}' quiet)/root
    upper=$(dk inspect -f '{{.GraphDriver.Data.UpperDir}}' quiet) lower=$(dk inspect -f '{{.GraphDriver.Data.LowerDir}}' quiet)
    copy_prepare "$root"
    seldom 5 1 copy_file "$root"
    seldom 3 0 copy_trees "$root"
    seldom 1 0 copy_growth "$root"
    rm -rf "$base/copy"
    at_most "peak memory of \`ccp -a web:/usr DST\`, $(copy_title "$files_root/usr")" "$(peak ccp -aq "${with[@]}" docker:quiet:/usr "$base/copy")" MiB 16 'one directory, 256 KiB, names of files with several'
    dk kill quiet >/dev/null
    copy_prepare "$upper"
    seldom 3 0 copy_stopped "${lower##*:}" "$upper"
    prepare=()
    rm -rf "$base/copy" "$base/tree"
}
