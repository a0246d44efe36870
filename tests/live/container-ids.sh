#!/bin/bash
# Containers in user namespaces: the owners of their files are those that the container sees, running and stopped,
# whatever their layers hold; and what is copied in gets them.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/container-ids.sh"
test_engine podman
test_engine docker
test_engine podman-rootless
test_names web
name=$web

test_prereq SUBUID 'have_all useradd newuidmap'

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
unchanged 'podman, --uidmap' PODMAN --store "$(podman_store)"
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
unchanged 'docker, userns-remap' DOCKER,SUBUID --docker-root "$DOCKER_DATA"
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
unchanged 'podman of a user' PODMAN_ROOTLESS
test_expect PODMAN_ROOTLESS 'setup: podman of a user, --userns=keep-id' '
    pmu rm -f "$name" >/dev/null && pmu run -d --name "$name" --network none --userns=keep-id --user 0 "$IMAGE" sh -c "$change; exec sleep 1000000" >/dev/null &&
    test_wait "pmu exec $name stat /data/dir"
'
ids 'podman of a user, --userns=keep-id' PODMAN_ROOTLESS pmu_exec pmu_start pmu_halt
unchanged 'podman of a user, --userns=keep-id' PODMAN_ROOTLESS
test_expect PODMAN_ROOTLESS 'podman of a user is taken down' podman_rootless_down
test_done
