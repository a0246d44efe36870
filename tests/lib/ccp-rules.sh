# shellcheck shell=bash
# docker cp's rules as a table: every kind of source beside every kind of destination, both programs, what each leaves.
#
#   rules_fill DIR          makes DIR/src, what is copied, and DIR/template, what each case finds at its destination
#   rules_cases             "SRC DST OPTION" lines; SRC is below src, DST below the case's own copy of the template
#   rules_copies DIR        a copy of DIR/template for each case of ./cases, in DIR/docker/N and DIR/ours/N

rules_sources='file dir dir/. linkfile linkdir linkdir/ dangling file/'
rules_destinations='missing missing/ missing/deep file file/ dir linkfile linkdir linkdir/ dangling samefile samedir fifo'
rules_more='missing dir|fifo dir|fifo missing|dir/ dir|dir/sub/.. dir|dir/sub/.. missing|dir missing/.|file dir/.|file dir/'

# shellcheck disable=SC2016 # for the shell that runs it, which may be the container's
rules_script='
    mkdir -p "$1/src/dir/sub" "$1/src/empty" "$1/template/dir" "$1/template/samefile" "$1/template/samedir/dir/sub" "$1/template/sub" &&
    cd "$1/src" && echo source >file && chmod 640 file && ln -s file linkfile && ln -s dir linkdir && ln -s nowhere dangling && mkfifo fifo &&
    echo inner >dir/file && echo script >dir/run && chmod 755 dir/run && ln dir/file dir/sub/again && ln -s ../file dir/sub/up && chmod 711 dir &&
    chmod 2750 dir/sub && touch -h -d "2020-01-02 03:04:05" file dir/file dir/run dir dir/sub &&
    cd "$1/template" && echo old >file && chmod 600 file && ln -s file linkfile && ln -s dir linkdir && ln -s newname dangling && mkfifo fifo &&
    echo kept >dir/kept && for name in file dir empty linkfile linkdir dangling fifo again run; do echo old >"samefile/$name" || exit 1; done &&
    echo old >samedir/dir/file && echo kept >samedir/dir/sub/kept && mkdir samedir/file samedir/linkfile samedir/empty && chmod 700 samedir/dir'

rules_cases()
{
    local src dst options
    for src in $rules_sources; do
        for dst in $rules_destinations; do
            echo "$src $dst"
            case $src in
            linkfile|linkdir|dangling) echo "$src $dst -L" ;;
            esac
        done
    done
    tr '|' '\n' <<<"$rules_more"
}

rules_copies()
{
    local n dir
    for n in $(seq "$(wc -l <cases)"); do
        for dir in docker ours; do
            mkdir -p "$1/$dir/$n" && cp -a "$1/template/." "$1/$dir/$n" || return 1
        done
    done
}

# rules_facts DIR: names, types, modes and contents below each
rules_facts()
{
    (cd "$1" && find . -printf '%P %y %m %l %n' \( -type f -printf ' ' -exec cat {} \; -o -printf '\n' \) | LC_ALL=C sort)
}
