#!/bin/bash
# Containers in user namespaces: the owners of their files are those that the container sees, running and stopped,
# whatever their layers hold; and what is copied in gets them.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
test_engine podman
test_engine docker
test_engine podman-rootless
test_names web
name=$web

test_prereq SUBUID 'have_all useradd newuidmap'

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
    test_expect "$prereq" "$title: nothing but owners that are others inside is a change" '
        cdiff "${options[@]}" "$name" >actual && test_grep -v os-release actual && test_grep -v home/app actual && test_grep "^A /data/new" actual
    '
}

# --- podman as root: the image's layers are mounted id-mapped, the upper directory is not -------------------------

podman_store() { echo "podman=$PODMAN_ROOT"; }
pm_exec() { pm exec "$name" "$@"; }
pm_start() { pm start "$name"; }
pm_halt() { pm stop -t 0 "$name"; }

test_expect PODMAN 'setup: podman as root, --uidmap' '
    podman_up && pm run -d --name "$name" --uidmap 0:100000:65536 --gidmap 0:200000:65536 "$IMAGE" sh -c "$change; exec sleep 1000000" >/dev/null &&
    test_wait "pm exec $name stat /data/dir"
'
ids 'podman, --uidmap' PODMAN pm_exec pm_start pm_halt --store "$(podman_store)"
test_expect PODMAN 'podman is taken down' podman_down

# --- docker, userns-remap ----------------------------------------------------------------------------------------

dk_exec() { dk exec "$name" "$@"; }
dk_start() { dk start "$name"; }
dk_halt() { dk kill "$name"; }

test_expect DOCKER,SUBUID 'setup: docker, userns-remap' '
    DOCKER_REMAP=yes docker_up && dk run -d --name "$name" "$IMAGE" sh -c "$change; exec sleep 1000000" >/dev/null &&
    test_wait "dk exec $name stat /data/dir"
'
ids 'docker, userns-remap' DOCKER,SUBUID dk_exec dk_start dk_halt --docker-root "$DOCKER_DATA"
test_expect DOCKER,SUBUID 'docker is taken down' docker_down

# --- podman of a user ---------------------------------------------------------------------------------------------

pmu_exec() { pmu exec "$name" "$@"; }
pmu_start() { pmu start "$name"; }
pmu_halt() { pmu stop -t 0 "$name"; }

test_expect PODMAN_ROOTLESS 'setup: podman of a user' '
    podman_rootless_up && pmu run -d --name "$name" --network none "$IMAGE" sh -c "$change; exec sleep 1000000" >/dev/null &&
    test_wait "pmu exec $name stat /data/dir"
'
ids 'podman of a user' PODMAN_ROOTLESS pmu_exec pmu_start pmu_halt
test_expect PODMAN_ROOTLESS 'setup: podman of a user, --userns=keep-id' '
    pmu rm -f "$name" >/dev/null && pmu run -d --name "$name" --network none --userns=keep-id --user 0 "$IMAGE" sh -c "$change; exec sleep 1000000" >/dev/null &&
    test_wait "pmu exec $name stat /data/dir"
'
ids 'podman of a user, --userns=keep-id' PODMAN_ROOTLESS pmu_exec pmu_start pmu_halt
test_expect PODMAN_ROOTLESS 'podman of a user is taken down' podman_rootless_down
test_done
