# shellcheck shell=bash
# The same tests of cexport for every engine: after test_engine and tests/lib/export.sh. The file that sources it has
#
#   up          brings the engine up, and a container $name that runs `sh -c "$export_init"` as its root. What fills it is its own
#               init: an exec by an engine in a chroot would be in the host's root.
#   init        prints the pid of its init on this host
#   out ARG...  cexport with the options that name the engine's store
#   halt        stops the container
#   export_of   the engine's own export to stdout; not defined: it has none
#
# and calls cexport_engine PREREQ VARIANT [plain] [fuse] [gone]; plain: its attributes cannot be set from outside; fuse: the kernel
# shows times that it remembers, not those that were written; gone: nothing is left of one that is stopped.

# tree_facts DIR [OPTION...]: of an unpacked export, without the same places (in the file `mounts`)
tree_facts()
{
    local mounts
    mapfile -t mounts <mounts
    export_facts "$1" "${mounts[@]}" "${@:2}"
}

# live_facts PID [OPTION...]: of the container's files as its processes see them, but where something is mounted in it
live_facts()
{
    awk '$5 != "/" { print "--without=" $5 }' "/proc/$1/mountinfo" >mounts && tree_facts "/proc/$1/root" "--ids=$1" "${@:2}"
}

cexport_engine()
{
    local kind=" ${*:3} " times=--times
    case $kind in *" fuse "*) times=--holes ;; esac

    test_expect "$1" "$2: setup: a container with what archives lose" '
        up && test_wait "[ -e /proc/$(init)/root/x/filled ]" && { [ "$kind" != "${kind/ plain /}" ] || export_fill_attributes "/proc/$(init)/root"; }
    '

    test_expect "$1" "$2: of a running container it is what the container sees, with attributes, holes and nanoseconds" '
        out "$name" >ours.tar 2>err && test_empty err && export_unpack ours.tar ours &&
        live_facts "$(init)" $times --holes >expect && tree_facts ours $times --holes >actual &&
        test_grep "^/x/deep/er directory" expect && test_cmp expect actual
    '

    # whether a file has an attribute, a hole or nanoseconds is not in it
    if declare -F export_of >/dev/null; then
        test_expect "$1" "$2: and else what the engine itself exports" '
            export_of >engine.tar && export_unpack engine.tar engine &&
            export_facts engine | sed "s/ xattrs=[^ ]*//" >expect && export_facts ours | sed "s/ xattrs=[^ ]*//" >actual &&
            test_cmp expect actual
        '
    fi

    case $kind in *" gone "*) return ;; esac
    test_expect "$1" "$2: of a stopped one it is the same" '
        halt && out "$name" >stopped.tar 2>err && test_empty err && export_unpack stopped.tar stopped &&
        tree_facts ours --times >expect && tree_facts stopped --times >actual && test_cmp expect actual
    '
}
