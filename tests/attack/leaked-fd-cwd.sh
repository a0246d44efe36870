#!/bin/bash
# CVE-2024-21626: a directory fd of the host that a tool leaks into the container, and a working directory
# outside its root, are each a way to the host's files.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare

host=$TRASH/host
mkdir "$host"
echo "the host's secret" >"$host/secret"

# Fds above 2 that a shell inside has; its own are below 3 (busybox: 10 for a script or terminal).
list_fds='for fd in 3 4 5 6 7 8 9 20 100 500; do [ ! -e "/proc/$$/fd/$fd" ] || echo "fd $fd"; done'

# from_host COMMAND...: called as by somebody who stands in a directory of the host and holds fds on it
from_host() { (cd "$host" && exec 3<. 9<. 20</ 100<. 500<. && "$@"); }

up() { bare_up && { [ -d "$BARE_DIR/web" ] || bare_run web; }; }

# A target that itself stands outside of its root, as `docker run -w /proc/self/fd/8` gave it: its
# directory is the host's, reached by a leaked fd.
bare_outside()
{
    local start='exec "$@"'
    local bare_script=${bare_script/"$start"/"cd /proc/self/fd/8 && exec \"\$@\" 8>&-"}
    bare_run "$1" 8<"$host"
}

test_expect UNSHARE 'naive: an fd of the caller opens the host inside' '
    up &&
    from_host nsenter -t "$(bare_pid web)" -m -p -- /bin/cat /proc/self/fd/9/secret >actual &&
    test_grep "the host.s secret" actual
'

test_expect UNSHARE 'cnsenter leaves no fd of the caller open' '
    up &&
    from_host cnsenter "pid:$(bare_pid web)" /bin/sh -c "$list_fds" >actual &&
    test_empty actual &&
    test_status 1 from_host cnsenter "pid:$(bare_pid web)" /bin/cat /proc/self/fd/9/secret
'

test_expect UNSHARE 'cnsenter into a part of the namespaces leaves no fd open either' '
    up &&
    from_host cnsenter -n "pid:$(bare_pid web)" /bin/sh -c "$list_fds" >actual &&
    from_host cnsenter -p "pid:$(bare_pid web)" /bin/sh -c "$list_fds" >>actual &&
    test_empty actual
'

test_expect UNSHARE 'cdebug leaves no fd of the caller open' '
    up &&
    from_host cdebug "pid:$(bare_pid web)" -- /bin/sh -c "$list_fds" >actual &&
    test_empty actual
'

test_expect UNSHARE 'cnsenter starts in the container, wherever the caller stands' '
    up &&
    echo / >expect &&
    from_host cnsenter "pid:$(bare_pid web)" /bin/readlink /proc/self/cwd >actual &&
    test_cmp expect actual
'

test_expect UNSHARE 'naive: the working directory of a target can be the host' '
    up && bare_outside outside &&
    nsenter -t "$(bare_pid outside)" -m -p -w -- /bin/cat secret >actual &&
    test_grep "the host.s secret" actual
'

test_expect UNSHARE 'cnsenter does not follow a target to a working directory outside of its root' '
    cnsenter "pid:$(bare_pid outside)" /bin/cat /etc/motd | grep -q welcome &&
    { cnsenter -w "pid:$(bare_pid outside)" /bin/cat secret >actual 2>err || test $? != 0; } &&
    { cnsenter --as-target "pid:$(bare_pid outside)" /bin/cat secret >>actual 2>>err || test $? != 0; } &&
    { cnsenter -w/proc/self/fd/3 "pid:$(bare_pid outside)" /bin/cat secret >>actual 2>>err || test $? != 0; } &&
    test_grep -v "the host.s secret" actual
'

test_expect UNSHARE 'cdebug sees nothing of the host below /target of such a target' '
    cdebug "pid:$(bare_pid outside)" -- /bin/cat /target/etc/motd | grep -q welcome &&
    test_status 2 cdebug "pid:$(bare_pid outside)" -- /bin/ls "/target$host/secret" /target/secret
'

test_done
