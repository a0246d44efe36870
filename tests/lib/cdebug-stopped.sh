# shellcheck shell=bash
# What the tests of cdebug beside what does not run share. Sourced after docker-overlay.sh.
#
#   stopped_up [N]         overlay_store of N layers (3) with some files, and: /data and /missing/data are $TRASH/volume,
#                          /file is $TRASH/single, read-only
#   stopped ARGUMENT...    cdebug on it
#   store_state            all that a session could leave in the store and the volume

# stopped_mounts [JQ]: the record with these, and more
# shellcheck disable=SC2120 # cdebug-stopped.sh of attack/
stopped_mounts()
{
    # shellcheck disable=SC2016 # jq's
    docker_record "$HOST" 1 web '.MountPoints = ([
        { Type: "bind", Source: "'"$TRASH"'/volume", Destination: "/data", RW: true },
        { Type: "bind", Source: "'"$TRASH"'/volume", Destination: "/missing/data", RW: true },
        { Type: "bind", Source: "'"$TRASH"'/single", Destination: "/file", RW: false }'"${1-}"'
    ] | map({ key: .Destination, value: . }) | from_entries)'
}

stopped_up()
{
    HOST=$TRASH/stopped-host && rm -rf volume && overlay_store "${1:-3}" && mkdir -p volume && stopped_mounts && echo in >volume/in && echo one >single &&
        mkdir -p "${layers[0]}"/{etc,opaque,data} "$upper"/{etc,opaque} && echo low >"${layers[0]}/etc/low" &&
        echo motd >"${layers[0]}/etc/motd" && echo x >"${layers[0]}/opaque/hidden" && echo up >"$upper/etc/up" &&
        mknod "$upper/etc/low" c 0 0 && setfattr -n trusted.overlay.opaque -v y "$upper/opaque" && : >"$upper/file" &&
        chmod 751 "$upper" && find "$HOST" volume single -type f -exec touch -a -d "3 days ago" {} +
}

stopped() { cdebug --docker-root "$HOST/var/lib/docker" "$@"; }

# Times are part of it: stopped_up made those of access old, so that reading a file would show. Reading a directory may change
# its own, once: the first listing is thrown away.
store_state()
{
    local what=("$HOST"/var/lib/docker/overlay2/0*/diff volume single)
    find "${what[@]}" >/dev/null
    find "${what[@]}" -printf '%p %y %i %m %U:%G %s %l %A@ %T@ %C@\n' | LC_ALL=C sort
    getfattr -R -h -d -m - "${what[@]}" 2>/dev/null
}

# Mounts of ours in any namespace: of a process's table that has the store's, as the overlay of each session's has.
mounts_left() { grep -lF "$HOST" /proc/[0-9]*/mountinfo 2>/dev/null; }
