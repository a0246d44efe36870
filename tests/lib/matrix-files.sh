# shellcheck shell=bash
# The cells of the matrix that say what cdiff, cexport and ccp do with a container's files. Sourced after matrix.sh and
# engine-records.sh.
#
#   files_options=(OPTION...)    what names the engine's store to our tools
#   files_why[CELL]=REASON       this cell of the row is unknown: the tool says in a line that it cannot
#   files_nowhere STATE REASON   the same of all cells of a state
#   files_plain                  the same of both diff cells, for a root without layers
#   matrix_files PREREQ VARIANT RUNNING PID STOPPED PATH=CONTENT
#   files_absent STATE REASON PREREQ TITLE SCRIPT   all cells of a state that the engine has not, as matrix_unknown
#
# RUNNING and STOPPED are containers as the tools are told, an id or ENGINE:NAME, or empty; PID is the first one's init.
# What RUNNING has made is made here, by a program in it; PATH is a file that STOPPED has, made while it ran.

files_options=()
declare -A files_why=()
files_root=              # --sysroot, where files_options has one
files_image=bin/busybox  # a file of the image

files_plain()
{
    files_why[diff-running]='a plain directory: there is no layer below to compare with'
    files_why[diff-stopped]=${files_why[diff-running]}
}

# files_nowhere STATE REASON: no cell of that state is known
files_nowhere()
{
    local cell
    for cell in diff export copy-in copy-out; do files_why[$cell-$1]=$2; done
}

# files_inside PID SCRIPT: by nsenter, in the container's mounts and as its root
files_inside()
{
    local options=(--mount --root --wd)
    [ "/proc/$1/ns/user" -ef /proc/self/ns/user ] || options+=(--user --setuid 0 --setgid 0)
    nsenter --target "$1" "${options[@]}" /bin/sh -c "$2"
}

# files_refused TOOL ARGUMENT...: it fails, with one line and perhaps a hint
files_refused()
{
    ! "$1" "${files_options[@]}" "${@:2}" >out 2>err </dev/null && test_empty out && [ "$(grep -vc '^hint: ' err)" = 1 ] && test_grep "^$1: " err
}

# files_cell CELL TITLE YES NO: the scripts of a cell that the tool can fill, and of one that it cannot
files_cell()
{
    if [ -n "${files_why[$1]-}" ]; then
        matrix_unknown "$1" "${files_why[$1]}" "$files_prereq" "$files_variant: $2: it is said that this cannot be" "$4"
    else
        matrix_yes "$1" "$files_prereq" "$files_variant: $2" "$3"
    fi
}

files_seen_running() { files_inside "$files_pid" 'cat /files-copied'; }

# The uppermost directory, which the cell `layers` compared with what the engine says
files_seen_stopped()
{
    cps_list files.json -a --json --no-trunc "${files_options[@]}" &&
        cat "$files_root$(jq -r --arg ref "$files_ref" '.containers[] | select(.id == $ref or .engine + ":" + .name == $ref).layers.upper' \
            files.json)/files-copied"
}

# files_cells STATE REF PATH CONTENT
files_cells()
{
    files_state=$1 files_ref=$2 files_made=$3 files_content=$4
    files_cell "diff-$1" "cdiff tells what the $1 one has made" '
        cdiff "${files_options[@]}" "$files_ref" >actual && test_grep "^A $files_made$" actual
    ' 'files_refused cdiff "$files_ref"'
    files_cell "export-$1" "the archive of the $1 one has it, and the files of the image" '
        cexport "${files_options[@]}" "$files_ref" >files.tar && tar -tf files.tar >names && test_grep "^$files_image$" names &&
        tar -xOf files.tar "${files_made#/}" >actual && echo "$files_content" >expect && test_cmp expect actual
    ' 'files_refused cexport "$files_ref"'
    files_cell "copy-out-$1" "ccp brings it out of the $1 one" '
        rm -f copied && ccp "${files_options[@]}" "$files_ref:$files_made" copied && echo "$files_content" >expect && test_cmp expect copied
    ' 'rm -f copied && files_refused ccp "$files_ref:/etc/motd" copied && [ ! -e copied ]'
    files_cell "copy-in-$1" "what ccp brings into the $1 one is there" '
        echo "into a $files_state one" >source && ccp "${files_options[@]}" source "$files_ref:/files-copied" &&
        "files_seen_$files_state" >actual && test_cmp source actual
    ' 'echo x >source && files_refused ccp source "$files_ref:/files-copied"'
}

matrix_files()
{
    files_prereq=$1 files_variant=$2 files_pid=$4
    if [ -n "$3" ]; then
        [ -n "${files_why[copy-out-running]-}" ] ||
            test_expect "$1" "$2: setup: a file that the running one makes" 'files_inside "$files_pid" "echo by itself >/files-made"'
        files_cells running "$3" /files-made 'by itself'
    fi
    [ -z "$5" ] || files_cells stopped "$5" "${6%%=*}" "${6#*=}"
    files_why=()
}

files_absent()
{
    local cell
    for cell in diff export copy-in copy-out; do matrix_unknown "$cell-$1" "${@:2}"; done
}
