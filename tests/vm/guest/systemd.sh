#!/bin/bash
# What systemd runs is no container, whatever its cgroup is called.
. "$(dirname "$0")/lib.sh"

# is_none NAME FORM OPTION...: systemd-run with a sleep; its process is of no container
n=4740
is_none()
{
    local form=$1
    shift
    n=$((n + 1))
    systemd-run -q "$@" sleep $n >/dev/null 2>&1 </dev/null &
    test_wait "pgrep -f '^[^ ]*sleep $n'" && in_none "$(pgrep -of "^[^ ]*sleep $n")" "$form"
}

test_expect SYSTEMD,CGROUP_V2 'pid 1, and this very process' '
    in_none 1 init.scope && in_none $$ "$own(/runtime)?"
'
test_expect SYSTEMD 'services' '
    is_none system.slice/sr1.service --unit sr1 && is_none "system.slice/run-.*\.service"
'
test_expect SYSTEMD 'scopes' '
    is_none system.slice/sr2.scope --scope --unit sr2 && is_none "system.slice/run-.*\.scope" --scope
'
test_expect SYSTEMD 'a service in a slice of its own, with an inner cgroup' '
    is_none foo.slice/foo-bar.slice/sr4.service/init --unit sr4 --slice foo-bar.slice -p Delegate=yes -p DelegateSubgroup=init
'
test_expect SYSTEMD 'services with namespaces of their own' '
    is_none system.slice/sr5.service --unit sr5 -p PrivateTmp=yes -p PrivateNetwork=yes -p ProtectSystem=strict -p PrivateDevices=yes &&
    is_none system.slice/sr6.service --unit sr6 -p DynamicUser=yes -p PrivateUsers=yes
'
test_expect SYSTEMD 'units that are called as containers are' '
    id=$(printf "%064x" 3735928559) && is_none "system.slice/docker-$id.scope" --scope --unit docker-$id &&
    is_none "machine.slice/libpod-$id.scope" --scope --slice machine.slice --unit libpod-$id
'
test_expect SYSTEMD 'a login session' '
    { runuser -l nobody -s /bin/sh -c "exec sleep 4790" & } && test_wait "pgrep -f \"^sleep 4790\"" &&
    in_none "$(pgrep -f "^sleep 4790")" "user.slice/user-65534.slice/session-.*\.scope"
'

test_done
