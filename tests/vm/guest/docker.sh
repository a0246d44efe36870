#!/bin/bash
# docker as a distribution's package sets it up: a unit of systemd, its cgroup driver, containerd's unit.
. "$(dirname "$0")/lib.sh"

dk() { docker "$@"; }

# Without networks: bridges and firewall rules are what takes docker's time in an emulated machine.
daemon_json()
{
    mkdir -p /etc/docker && jq -n '{ bridge: "none", iptables: false, ip6tables: false, "ip-forward": false, "ip-masq": false,
        "userland-proxy": false, runtimes: { crun: { path: "/usr/bin/crun" } } } + $more' --argjson more "${1:-{\}}" \
        >/etc/docker/daemon.json
}

# run NAME FORM OPTION...: a container, and its row; @ in FORM is its id
run()
{
    local name=$1 form=$2 id
    shift 2
    id=$(dk run -d --name "$name" "$@" "$IMAGE") || return 1
    row "$(dk inspect -f '{{.State.Pid}}' "$name")" "${form//@/$id}" docker "$name"
}

# upper_of NAME: cps' upper directory is docker's, and where the container's changes are
upper_of()
{
    echo "$1" >"/proc/$(dk inspect -f '{{.State.Pid}}' "$1")/root/made-here" && dk inspect -f '{{.GraphDriver.Data.UpperDir}}' "$1" >a &&
        jq -r --arg name "$1" '.containers[] | select(.name == $name).layers.upper' cps.json | test_cmp a - && echo "$1" | test_cmp - "$(cat a)/made-here"
}

matrix_row "docker $(version docker.io)" 'systemd cgroups, v2'

test_expect DOCKER 'setup: docker.service' '
    daemon_json && systemctl start docker && dk load -q -i "$(image_dir)/image.tar" &&
    dk info -f "{{.CgroupDriver}} {{.CgroupVersion}}" >actual && echo "systemd 2" | test_cmp - actual
'

matrix_yes entered DOCKER 'docker: a scope of systemd' 'run dweb "system.slice/docker-@.scope"'
test_expect DOCKER 'docker --cgroupns host --privileged --init' '
    run priv "system.slice/docker-@.scope" --cgroupns host --privileged --init
'
test_expect DOCKER 'docker with crun: an inner cgroup' 'run bycrun "system.slice/docker-@.scope/container" --runtime crun'
test_expect DOCKER 'docker below a slice as a kubelet names them' '
    run dpod "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1234.slice/docker-@.scope" \
        --cgroup-parent kubepods-burstable-pod1234.slice
'
test_expect DOCKER 'a process of docker exec' '
    dk exec -d dweb sleep 4711 && test_wait "pgrep -f \"^sleep 4711\"" &&
    is_in "$(pgrep -f "^sleep 4711")" docker dweb
'
test_expect DOCKER 'dockerd, containerd and the shims are in no container' '
    in_none "$(pidof dockerd)" system.slice/docker.service &&
    in_none "$(pidof containerd)" system.slice/containerd.service &&
    in_none "$(pgrep -f containerd-shim | head -n 1)" system.slice/containerd.service
'
test_expect DOCKER 'setup: stopped ones' '
    { dk run --name done7 "$IMAGE" sh -c "echo new >/srv/new; exit 7"; [ $? = 7 ]; } && dk create --name made "$IMAGE" true &&
    records_of_docker >expect && records_of_cps expect >actual && [ "$(jq length expect)" = 6 ]
'
columns DOCKER 'docker' running stopped name image status exit
matrix_yes layers DOCKER 'docker: layers' 'upper_of dweb'
matrix_files DOCKER docker docker:dweb "$(dk inspect -f '{{.State.Pid}}' dweb)" docker:done7 /srv/new=new

test_expect DOCKER 'a restarted docker.service: its containers have exited' '
    daemon_json "{ \"exec-opts\": [ \"native.cgroupdriver=cgroupfs\" ] }" && systemctl restart docker &&
    dk info -f "{{.CgroupDriver}} {{.CgroupVersion}}" >actual && echo "cgroupfs 2" | test_cmp - actual &&
    records_of_docker >expect && records_of_cps expect >actual && test_cmp expect actual
'
matrix_row "docker $(version docker.io)" 'cgroupfs driver, v2'
matrix_yes entered DOCKER 'docker, cgroupfs driver' 'run dcgfs "docker/@"'
test_expect DOCKER 'docker, cgroupfs driver, --cgroup-parent' 'run below "foo/bar/@" --cgroup-parent /foo/bar'
test_expect DOCKER 'setup: a record of all' 'records_of_docker >expect && records_of_cps expect >actual'
columns DOCKER 'cgroupfs driver' running stopped name image status exit
matrix_yes layers DOCKER 'cgroupfs driver: layers' 'upper_of dcgfs'
matrix_files DOCKER 'cgroupfs driver' docker:dcgfs "$(dk inspect -f '{{.State.Pid}}' dcgfs)" docker:done7 /srv/new=new

test_done
