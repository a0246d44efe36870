# shellcheck shell=bash
# What engines say of their containers and what cps says, in one form that can be compared:
# a JSON array of {id, name, image, status, pid, exit_code}, by id. An engine's pid 0 or -1 is null, and an
# exit code only counts for a container that has exited.

records_filter='
    map({ id, name, image, status,
          pid: (if (.pid // 0) <= 0 then null else .pid end),
          exit_code: (if .status == "exited" then .exit_code else null end) }) | sort_by(.id)'

# records_of_docker: asks the daemon
records_of_docker()
{
    local ids
    ids=$(dk ps -aq --no-trunc) || return 1
    # shellcheck disable=SC2086 # a list
    dk inspect $ids | jq --slurpfile images <(dk ps -a --no-trunc --format '{{json .}}' | jq -s .) '
        map(. as $c | { id: .Id, name: (.Name | ltrimstr("/")), status: .State.Status, pid: .State.Pid,
            exit_code: .State.ExitCode, image: ($images[0][] | select(.ID == $c.Id).Image) }) |'"$records_filter"
}

# records_of_podman CLIENT: pm or pmu
records_of_podman()
{
    "$1" ps -a --no-trunc --format json | jq '
        map({ id: .Id, name: .Names[0], image: (if .Image == "" then null else .Image end), status: .State, pid: .Pid, exit_code: .ExitCode }) |'"$records_filter"
}

# records_of_oci: what the runtime's list says; a plain runtime knows neither names nor images nor exit codes
records_of_oci()
{
    rt list --format json | jq '
        map({ id, name: .id, image: null, pid, exit_code: null,
              status: (if .status == "stopped" then "exited" else .status end) }) |'"$records_filter"
}

# cps_list FILE ARGUMENT...: cps into FILE. Status 2 is as good as 0 here: a store of somebody else on
# this host may not be readable.
cps_list()
{
    local file=$1 status=0
    shift
    cps "$@" >"$file" 2>cps.err || status=$?
    [ "$status" = 0 ] || [ "$status" = 2 ] || { echo "cps $*: status $status"; cat cps.err; return 1; }
}

# records_of_cps IDS ARGUMENT...: the same of `cps -a --json ARGUMENT...`, of the containers in the
# record file IDS only: this host may have others
records_of_cps()
{
    local ids=$1
    shift
    cps_list cps.json -a --json --no-trunc "$@" || return 1
    jq --slurpfile ours "$ids" '
        ($ours[0] | map(.id)) as $ids | .containers | map(select(.id as $id | $ids | index($id))) |'"$records_filter" cps.json
}

# cps_field NAME FILTER ARGUMENT...: FILTER of the one container of that name
cps_field()
{
    local name=$1 filter=$2
    shift 2
    cps_list cps.json -a --json --no-trunc "$@" || return 1
    jq -c --arg name "$name" ".containers[] | select(.name == \$name) | $filter" cps.json
}

# ns_pids PID...: "host-pid inside-pid" of each, as the kernel says
ns_pids()
{
    local pid
    for pid in "$@"; do
        awk -v pid="$pid" '/^NSpid:/ { print pid, $NF }' "/proc/$pid/status"
    done
}

# same_pidns PID: all processes in that process's pid namespace, by pid
same_pidns()
{
    local ino
    ino=$(readlink "/proc/$1/ns/pid" | tr -cd '0-9') && [ -n "$ino" ] || return 1
    find /proc/[0-9]*/ns/pid -maxdepth 0 -lname "pid:\\[$ino\\]" 2>/dev/null | cut -d/ -f3 | sort -n
}
