# What a container uses under a load of ours, by the kernel's own files: the truth that ctop's numbers are held to.
# shellcheck shell=bash

# cgroup_file PID CONTROLLER FILE: of the v1 hierarchy where there is one, else of v2
cgroup_file()
{
    local path
    path=$(sed -n "s/^[0-9]*:\([^:]*,\)*$2\(,[^:]*\)*:\(.*\)/\3/p" "/proc/$1/cgroup")
    if [ -n "$path" ]; then
        echo "/sys/fs/cgroup/$2$path/$3"
    else
        echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")/$3"
    fi
}

# cpu_ns PID: processor time of its cgroup
cpu_ns()
{
    cat "$(cgroup_file "$1" cpuacct cpuacct.usage)" 2>/dev/null ||
        awk '$1 == "usage_usec" { print $2 * 1000 }' "$(cgroup_file "$1" cpu cpu.stat)"
}

# net_bytes PID: received and sent, without lo
net_bytes() { awk -F'[: ]+' 'NR > 2 && $2 != "lo" { r += $3; t += $11 } END { print r, t }' "/proc/$1/net/dev"; }

# io_written PID: bytes written to block devices by its cgroup
io_written()
{
    awk '$2 == "Write" { n += $3 } END { print n + 0 }' \
        "$(cgroup_file "$1" blkio blkio.throttle.io_service_bytes_recursive)" 2>/dev/null ||
        awk '{ for (i = 2; i <= NF; i++) if ($i ~ /^wbytes=/) n += substr($i, 8) } END { print n + 0 }' "$(cgroup_file "$1" io io.stat)"
}

# near A B PERCENT: A is within so much of B
near() { awk -v a="$1" -v b="$2" -v p="$3" 'BEGIN { d = a - b; if (d < 0) d = -d; exit !(d * 100 <= b * p) }' || { echo "$1 is not within $3 % of $2"; return 1; }; }
