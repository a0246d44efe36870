# shellcheck shell=bash
# Owners of a container's files as the container sees them, of cexport, ccp and cdiff. $name: the container.
# shellcheck disable=SC2034,SC2154 # the test's

# changes that each container makes: files of its own, one of the image given away, one that stays the image's
change='echo new >/data/new && chown 33:44 /data/new && chown 1000:1000 /data/kept/file && chmod 600 /etc/app.conf && mkdir /data/dir && chown 7:8 /data/dir'
paths='data/new data/kept/file etc/app.conf data/dir home/app bin/busybox etc/os-release'

# seen COMMAND...: owners as the container's own processes see them
seen()
{
    "$@" sh -c "cd / && stat -c '%u/%g %n' $paths" | sort -k 2
}

# exported OPTION...: the same of an archive
exported()
{
    # shellcheck disable=SC2086 # a list
    cexport "$@" "$name" | tar -tv --numeric-owner -f - | awk '{ sub("/$", "", $6); print $2, $6 }' >listed &&
        for p in $paths; do grep -E " $p\$" listed || return 1; done | sort -k 2
}

# copied_in EXEC START HALT OPTION...: a file that is copied into the stopped container is root's in it, one of a kept
# owner that one's
copied_in()
{
    local exec=$1 start=$2 halt=$3
    shift 3
    echo in >in.txt && chown 5:6 in.txt && ccp "$@" in.txt "$name:/data/in" && ccp "$@" --owner keep in.txt "$name:/data/dir/kept" &&
        $start >/dev/null && $exec stat -c '%u/%g' /data/in /data/dir/kept /data/dir >actual && $halt >/dev/null &&
        printf '0/0\n5/6\n7/8\n' >expect && test_cmp expect actual
}

# ids TITLE PREREQ EXEC START HALT OPTION...
ids()
{
    local title=$1 prereq=$2
    run_exec=$3 run_start=$4 run_halt=$5 options=("${@:6}")
    test_expect "$prereq" "$title: owners of a running container's files" '
        seen $run_exec >expect && exported "${options[@]}" >actual && test_cmp expect actual && test_grep "33/44 data/new" actual
    '
    test_expect "$prereq" "$title: and of the stopped one" '
        $run_halt >/dev/null && exported "${options[@]}" >actual && test_cmp expect actual
    '
    test_expect "$prereq" "$title: what is copied into the stopped one belongs to whom it should" '
        copied_in "$run_exec" "$run_start" "$run_halt" "${options[@]}"
    '
}

# unchanged TITLE PREREQ OPTION...: layers that hold ids in two forms do not make everything a change
unchanged()
{
    options=("${@:3}")
    test_expect "$2" "$1: what has other ids on disk only is no change" '
        cdiff "${options[@]}" "$name" >actual && test_grep -v os-release actual && test_grep -v home/app actual && test_grep "^A /data/new" actual
    '
}
