#!/bin/bash
# The toolbox that `make toolbox` builds: it takes five minutes and a mirror, so it is tried where somebody has built it.
. "$(dirname "$0")/../lib/harness.sh"
test_engine bare
toolbox=$SONDE_SOURCE/build/toolbox/debian.squashfs
test_fact TOOLBOX '[ -e "$SONDE_SOURCE/build/toolbox/debian.squashfs" ]'

# in_box COMMAND…: beside the container "served"
in_box() { cdebug -q --toolbox "$toolbox" "pid:$(bare_pid served)" -- "$@"; }

test_expect UNSHARE,TOOLBOX 'it has less than 150 MB, and all that was promised' '
    [ "$(stat -c %s "$toolbox")" -lt 157286400 ] && bare_up && bare_run served && in_box bash -c "
        for p in bash ls ps ip ss strace gdb ltrace tcpdump curl dig lsof htop vim jq openssl perf apt-get; do command -v \$p >/dev/null || echo no \$p; done" >actual &&
    test_empty actual
'

test_expect UNSHARE,TOOLBOX 'strace attaches to the container'"'"'s process, gdb reads its memory, lsof its files' '
    test_status 124 in_box timeout -s INT 2 strace -f -p 1 >actual 2>&1 && test_grep "Process 1 attached" actual &&
    in_box gdb -p 1 -batch -ex "info proc" >actual 2>&1 && test_grep "^exe = .*/bin/busybox" actual && in_box lsof -p 1 >actual && test_grep /bin/busybox actual
'

test_expect UNSHARE,TOOLBOX 'tcpdump sees its loopback, and ss names who listens there' '
    { nsenter -t "$(bare_pid served)" -a /bin/sh -c "ip link set lo up; exec timeout 60 nc -l -p 7001" >/dev/null 2>&1 </dev/null & disown; } &&
    test_wait "in_box ss -Hlnt | grep -q 7001" && in_box ss -Hlntp >actual && test_grep ":7001 .*pid=" actual &&
    in_box bash -c "timeout 3 tcpdump -l -c 2 -n -i lo tcp port 7001 & sleep 1; echo x >/dev/tcp/127.0.0.1/7001; wait" >actual 2>/dev/null && test_grep "127.0.0.1.7001" actual
'

test_expect UNSHARE,TOOLBOX 'who is not root runs in it, too' '
    in_box true && cdebug -q --user 1234 --toolbox "$toolbox" "pid:$(bare_pid served)" -- bash -c "id -u; jq -n 1+1" >actual && printf "1234\n2\n" >expect && test_cmp expect actual
'

test_done
