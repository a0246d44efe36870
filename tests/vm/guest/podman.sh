#!/bin/bash
# podman as root: cgroups by systemd, pods, a service, a quadlet. Names differ from those of the other engines here.
. "$(dirname "$0")/lib.sh"

pm() { podman "$@"; }

# run NAME FORM OPTION...: a container and its row
run()
{
    local name=$1 form=$2
    shift 2
    pm "${podman_options[@]}" run -d --name "$name" --network none "$@" "$IMAGE" sleep 1000000 >/dev/null && rows "$name" "$form"
}

podman_options=()

# rows NAME FORM: @ in FORM is the container's id; leaves its conmon in $conmon
rows()
{
    local id pid
    read -r id pid conmon <<<"$(pm inspect -f '{{.Id}} {{.State.Pid}} {{.State.ConmonPid}}' "$1")"
    row "$pid" "${2//@/$id}" podman "$1"
}
conmon=''

matrix_row "podman $(version podman)" 'root, systemd, v2'

test_expect PODMAN 'setup: the image' 'pm load -q -i "$(image_dir)/image.tar"'
matrix_yes entered PODMAN 'podman: a scope with an inner cgroup' 'run pweb "machine.slice/libpod-@.scope/container"'
test_expect PODMAN 'its conmon is in no container' 'in_none "$conmon" "(machine|system).slice/.*"'
test_expect PODMAN 'podman --systemd always --cgroupns host' '
    run odd "machine.slice/libpod-@.scope/container(/.*)?" --systemd always --cgroupns host
'
test_expect PODMAN 'podman --runtime runc --init' '
    podman_options=(--runtime runc) && run byrunc "machine.slice/libpod-@.scope" --init && podman_options=()
'
test_expect PODMAN 'podman --cgroup-manager cgroupfs' '
    podman_options=(--cgroup-manager cgroupfs) && run cgfs "libpod_parent/libpod-@" && podman_options=()
'
test_expect PODMAN 'a process of podman exec' '
    pm exec -d pweb sleep 4712 && test_wait "pgrep -f \"^sleep 4712\"" && is_in "$(pgrep -f "^sleep 4712")" podman pweb
'
test_expect PODMAN 'podman in a service' '
    systemd-run -q --unit pm1 podman run --name inservice --network none "$IMAGE" sleep 1000000 &&
    test_wait "pm exec inservice true" &&
    rows inservice "machine.slice/libpod-@.scope/container" && in_none "$conmon" system.slice/pm1.service
'
test_expect PODMAN 'podman --cgroups split in a service, as quadlets have it' '
    systemd-run -q --unit pq -p Delegate=yes podman run --cgroups split --name split --network none "$IMAGE" sleep 1000000 &&
    test_wait "pm exec split true" &&
    rows split "system.slice/pq.service/libpod-payload-@" && in_none "$conmon" system.slice/pq.service/runtime
'
test_expect PODMAN 'a quadlet' '
    mkdir -p /etc/containers/systemd &&
    printf "[Container]\nImage=%s\nContainerName=quad\nNetwork=none\nPull=never\nExec=sleep 1000000\n" "$IMAGE" >/etc/containers/systemd/quad.container &&
    systemctl daemon-reload && systemctl start quad.service &&
    rows quad "system.slice/quad.service/libpod-payload-@"
'
test_expect PODMAN 'podman in a pod' '
    pm pod create --name shop --network none && run front "machine.slice/machine-libpod_pod_$(pm pod inspect shop --format "{{.ID}}").slice/libpod-@.scope/container" --pod shop &&
    cps_field front .pod >actual && echo "\"shop\"" | test_cmp - actual
'
test_expect PODMAN 'setup: stopped ones' '
    { pm run --name done7 --network none "$IMAGE" sh -c "echo new >/srv/new; exit 7"; [ $? = 7 ]; } && pm create --name made --network none "$IMAGE" true &&
    records_of_podman pm >expect && records_of_cps expect >actual && [ "$(jq length expect)" -ge 10 ]
'
columns PODMAN 'podman' running stopped name image status exit
matrix_yes layers PODMAN 'podman: layers' '
    echo pweb >"/proc/$(pm inspect -f "{{.State.Pid}}" pweb)/root/made-here" && pm inspect -f "{{.GraphDriver.Data.UpperDir}}" pweb >a &&
    jq -r ".containers[] | select(.name == \"pweb\").layers.upper" cps.json | test_cmp a - && echo pweb | test_cmp - "$(cat a)/made-here"
'
# by its id: the user of podman-rootless.sh has one of that name
matrix_files PODMAN podman podman:pweb "$(pm inspect -f "{{.State.Pid}}" pweb)" "$(pm inspect -f "{{.Id}}" done7)" /srv/new=new

test_done
