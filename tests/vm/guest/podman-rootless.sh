#!/bin/bash
# Rootless podman of a user whose systemd instance runs.
. "$(dirname "$0")/lib.sh"

# as_u COMMAND...: in that user's session, as a login would have it
as_u()
{
    (cd / && runuser -u u -- env -i HOME=/home/u USER=u XDG_RUNTIME_DIR=/run/user/1000 PATH=/usr/bin:/bin \
        DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus "$@")
}
pmu() { as_u podman "$@"; }
manager=user.slice/user-1000.slice/user@1000.service
podman_options=()

run()
{
    local name=$1 form=$2
    shift 2
    pmu "${podman_options[@]}" run -d --name "$name" --network none "$@" "$IMAGE" sleep 1000000 >/dev/null && rows "$name" "$form"
}

rows()
{
    local id pid
    read -r id pid conmon <<<"$(pmu inspect -f '{{.Id}} {{.State.Pid}} {{.State.ConmonPid}}' "$1")"
    row "$pid" "$manager/${2//@/$id}" podman "$1"
}
conmon=''

matrix_row "podman $(version podman)" "rootless, the user's systemd, v2"

test_expect PODMAN_ROOTLESS 'setup: a user who lingers' '
    useradd -m -u 1000 -s /bin/bash u && loginctl enable-linger u &&
    test_wait "[ \"\$(systemctl is-active user@1000)\" = active ] && [ -S /run/user/1000/bus ]" 60 &&
    cp "$(image_dir)/image.tar" /home/u/ && chmod 644 /home/u/image.tar && pmu load -q -i /home/u/image.tar
'
matrix_yes entered PODMAN_ROOTLESS 'rootless podman: a scope of the user'"'"'s systemd' 'run uweb "user.slice/libpod-@.scope/container"'
test_expect PODMAN_ROOTLESS 'its conmon and the pause process are in no container' '
    in_none "$conmon" "$manager/user.slice/.*\.scope" &&
    in_none "$(cat /run/user/1000/libpod/tmp/pause.pid)" "$manager/user.slice/podman-pause-.*\.scope"
'
test_expect PODMAN_ROOTLESS 'rootless podman from a unit of the user' '
    as_u systemd-run -q --user --unit pj podman run --name fromunit --network none "$IMAGE" sleep 1000000 &&
    test_wait "pmu exec fromunit true" &&
    rows fromunit "user.slice/libpod-@.scope/container" && in_none "$conmon" "$manager/app.slice/pj.service"
'
test_expect PODMAN_ROOTLESS 'rootless podman --cgroup-manager cgroupfs' '
    podman_options=(--cgroup-manager cgroupfs) && run ucgfs "user.slice/(libpod-)?@" && podman_options=()
'
test_expect PODMAN_ROOTLESS 'services and scopes of the user'"'"'s systemd are no containers' '
    as_u systemd-run -q --user --unit sleeper sleep 4721 &&
    { as_u systemd-run -q --user --scope --unit sc1 sleep 4722 & } &&
    test_wait "pgrep -f \"^[^ ]*sleep 4721\" && pgrep -f \"^[^ ]*sleep 4722\"" &&
    in_none "$(pgrep -f "^[^ ]*sleep 4721")" "$manager/app.slice/sleeper.service" &&
    in_none "$(pgrep -f "^[^ ]*sleep 4722")" "$manager/app.slice/sc1.scope"
'
test_expect PODMAN_ROOTLESS 'setup: stopped ones' '
    { pmu run --name done7 --network none "$IMAGE" sh -c "echo new >/srv/new; exit 7"; [ $? = 7 ]; } && pmu create --name made --network none "$IMAGE" true &&
    records_of_podman pmu >expect && records_of_cps expect >actual && [ "$(jq length expect)" = 5 ]
'
columns PODMAN_ROOTLESS 'rootless podman' running stopped name image status exit
matrix_yes layers PODMAN_ROOTLESS 'rootless podman: layers' '
    pmu exec uweb sh -c "echo uweb >/made-here" && pmu inspect -f "{{.GraphDriver.Data.UpperDir}}" uweb >a &&
    jq -r ".containers[] | select(.name == \"uweb\").layers.upper" cps.json | test_cmp a - && echo uweb | test_cmp - "$(cat a)/made-here"
'
matrix_files PODMAN_ROOTLESS "rootless podman" podman:uweb "$(pmu inspect -f "{{.State.Pid}}" uweb)" podman:done7 /srv/new=new

test_done
