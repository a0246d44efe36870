#!/bin/bash
# podman's SQLite database is read 10,000 times while podman makes, starts and removes containers all the time: every answer
# is one transaction's, or an error that says it never settled; no file is made or written beside the database, and no
# lock is taken.
# last
# once
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/churn.sh"
SUITE=trixie
test_engine podman

reads=10000
# Where the readings stop if the machine is too busy for them: the test fails then.
seconds=120

cycle() { pm create --name "$1" "$IMAGE" true && pm start --attach "$1" && pm rm "$1"; }
plain_churn() { cycle "plain-$2"; }

# The same podman, each write of a page delayed as by a slow disk: a transaction is half written for a tenth of a second.
slow_churn()
{
    (
        in_chroot() { strace -f --seccomp-bpf -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:delay_enter=4000 chroot "$(chroot_root "$1")" "${@:2}"; }
        cycle "slow-$2"
    )
}

# What the reader itself does: what it opens and how, whatever else would change a file or lock it. Every 211th of its reads
# waits, too, in front of the file's header, the journal or the pages.
calls=openat,openat2,open,creat,write,pwrite64,ftruncate,truncate,unlink,unlinkat,rename,renameat,renameat2,link,linkat,fcntl,flock,utimensat
watched()
{
    strace -f --seccomp-bpf -qq -o trace -e "trace=read,pread64,$calls" -e inject=read,pread64:delay_enter=20000:when=400+211 "$@"
}

stress()
{
    local status=0
    while_churning plain_churn slow_churn -- watched "$HELPERS/stress-sqlite" "$PODMAN_ROOT" db.sql "$reads" "$seconds" >counts || status=$?
    cat counts
    [ ! -e churn.err ] && return "$status"
}

# The lines of the trace that a reader must not make
changes()
{
    grep -E 'O_(WRONLY|RDWR|CREAT|TRUNC)|(creat|pwrite64|truncate|unlink|unlinkat|rename[a-z0-9]*|link|linkat|flock|utimensat)\(|F_(OFD_)?SETLK' trace |
        grep -vE ' openat\(AT_FDCWD, "/(dev|proc)/'
}

test_expect PODMAN,TRIXIE 'setup: a podman whose database is SQLite' '
    podman_up && pm create --name stays-1 "$IMAGE" true && pm create --name stays-2 "$IMAGE" true && [ -f "$PODMAN_ROOT/db.sql" ] &&
    [ "$(pm info -f "{{.Host.DatabaseBackend}}")" = sqlite ]
'

test_expect PODMAN,TRIXIE,STRACE 'podman: 10,000 readings during constant churn, none of them torn' '
    stress &&
    jq -e ".reads >= $reads and .wrong == 0 and .answers > .unsettled and .transactions >= 50 and .with_journal >= 100 and .most >= 3" counts &&
    sed "s/^/# /" counts >&2
'

test_expect PODMAN,TRIXIE,STRACE 'the reader opened database and journal to read only, and changed and locked nothing' '
    grep -c "\"db.sql\", O_RDONLY" trace && grep -c "\"db.sql-journal\", O_RDONLY" trace && { changes >changed || test_empty changed; } && test_empty changed &&
    ls "$PODMAN_ROOT" | grep "^db" >files && echo db.sql >expect && test_cmp expect files
'

test_done
