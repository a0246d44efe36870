#!/bin/bash
# cps --path, --cgroup, --ns-inode and a name that is not found, where no engine is needed: what is said, and how.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/docker-store.sh"

root=$TRASH/host
long=a-name-that-somebody-thought-is-worth-fifty-letters-

# dir_of N: the directory of the N-th container, as on its host
dir_of() { echo "/var/lib/docker/containers/$(docker_id "$1")"; }

# damage N...: empties those records
damage()
{
    local n
    for n in "$@"; do : >"$root$(dir_of "$n")/config.v2.json" || return 1; done
}

# on_terminal COLUMNS COMMAND...: its output on a terminal of that width, without the carriage returns
on_terminal()
{
    python3 - "$@" <<-'EOT' | tr -d '\r'
	import fcntl, os, pty, struct, sys, termios
	pid, fd = pty.fork()
	if pid == 0:
	    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("4H", 24, int(sys.argv[1]), 0, 0))
	    os.execvp(sys.argv[2], sys.argv[2:])
	try:
	    while data := os.read(fd, 4096):
	        os.write(1, data)
	except OSError:
	    pass
	os.waitpid(pid, 0)
	EOT
}

# one_finding EXPECT ARGUMENT...: cps answers with just the name EXPECT
one_finding()
{
    local expect=$1
    shift
    cps --no-headings -o NAME "$@" >actual && echo "$expect" >expect && test_cmp expect actual
}

# no_answer TEXT ARGUMENT...: nobody's; TEXT is the first line on stderr
no_answer()
{
    local text=$1
    shift
    test_status 1 cps "$@" >out 2>err && test_empty out && head -n 1 err >first && test_grep "^cps: $text\$" first
}

test_expect JQ,PYTHON 'HOW is whole on a narrow terminal' '
    docker_record "$root" 1 "$long" && docker_record "$root" 2 web && docker_record "$root" 3 lost && docker_record "$root" 4 lost4 &&
    on_terminal 80 cps --sysroot "$root" --path "$(dir_of 1)/x" >out && test_grep "its directory in the engine.s store\$" out &&
    on_terminal 80 cps --sysroot "$root" --path "$(dir_of 2)/x" >out && test_grep "^ID  *NAME ENGINE STATUS  *PID HOW\$" out
'

test_expect JQ 'a path below the mounted root is the one that the other host has' '
    one_finding web --sysroot "$root" --path "$root$(dir_of 2)/x" && (cd "$root" && one_finding web --sysroot . --path ".$(dir_of 2)/x") &&
    ln -s "$root" link && one_finding web --sysroot link --path "$root$(dir_of 2)" &&
    mkdir -p "$root/$root" && no_answer ".$root. is no container.s" --sysroot "$root/" --path "$root" && rm -r "${root:?}/${root#/}"
'

test_expect JQ 'an answer of nobody says what could not be read, in JSON too, and all of it' '
    damage 3 4 && mkdir -p "$root/var/lib/docker/overlay2/xyz" &&
    no_answer ".*overlay2/xyz. is no container.s, .*; not all could be read" --sysroot "$root" --path /var/lib/docker/overlay2/xyz &&
    test_grep "^cps: docker container 000300000000: read .*)\$" err && test_grep "^cps: docker container 000400000000: read .*)\$" err &&
    test_status 1 cps --sysroot "$root" --json --path /var/lib/docker/overlay2/xyz >out 2>err &&
    test_json "[.schema, (.containers | length), (.diagnostics | length)]" "[1,0,2]" out &&
    test_status 1 cps --sysroot "$root" --json nope >out 2>err &&
    test_json "[(.processes | length), (.diagnostics | length)]" "[0,2]" out
'

test_expect JQ 'of several that cannot be read the one that is meant is named, and a similar name told all the same' '
    no_answer "no container .0004.; not all could be read: docker container 000400000000: .* (and 1 more, see .cps -a.)" --sysroot "$root" 0004 &&
    no_answer "no container .wbe.; not all could be read: docker container 000[34].*" --sysroot "$root" wbe &&
    test_grep "^hint: similar names: .web.\$" err
'

test_expect JQ 'a directory that is named as a store and is none is said, with status 2; one that is empty is none yet' '
    mkdir -p other/etc fresh && : >other/etc/passwd &&
    for engine in docker containerd cri podman buildah cri-o; do
        test_status 2 cps -f engine=$engine --store "$engine=$PWD/other" >out 2>err && test_grep "^cps: $engine store .$PWD/other. holds nothing of such a store\$" err || return 1
        ! cps -f engine=$engine --store "$engine=$PWD/fresh" 2>&1 | grep "holds nothing" || return 1
    done &&
    ! cps --docker-root "$root/var/lib/docker" 2>&1 | grep "holds nothing"
'

test_expect 'a line of /proc/PID/cgroup is a cgroup' '
    for line in 0::/nope 8:pids:/nope 1:name=systemd:/nope 4:cpu,cpuacct:/nope; do
        no_answer "no container is in cgroup ./nope., .*" --cgroup "$line" || return 1
    done &&
    for line in 0:/nope x::/nope 0::nope 8:a/b:/nope; do no_answer ".$line. is not a cgroup.*" --cgroup "$line" || return 1; done
'

test_expect 'a namespace of another type than the one that is asked for' '
    net=$(stat -Lc %i /proc/self/ns/net) &&
    no_answer "namespace $net is no mnt namespace, but a net namespace" --ns-inode "mnt:[$net]" && test_grep "^hint: ask for net:\[$net\]\$" err
'

test_expect ROOT,UNSHARE 'who may not look at a process is not told that there is none' '
    { unshare --net sleep 1000 & holder=$!; } && test_cleanup "kill $holder" &&
    test_wait "[ \$(stat -Lc %i /proc/$holder/ns/net) != \$(stat -Lc %i /proc/self/ns/net) ]" &&
    test_status 1 as_nobody cps --ns-inode "$(stat -Lc %i "/proc/$holder/ns/net")" >out 2>err &&
    test_grep "^cps: no process that may be looked at is in a namespace" err && test_grep "^hint: [0-9]* processes may not be looked at: run as root" err
'

test_expect UNSHARE 'what is below /proc/PID is of the container of that process, or the host'"'"'s' '
    { unshare --pid --fork --mount-proc sleep 1000 & outer=$!; } && test_cleanup "kill -9 $outer; wait" &&
    test_wait "pgrep -x -P $outer sleep" && init=$(pgrep -P "$outer") && test_cleanup "kill -9 $init" &&
    cps --path "/proc/$init/root/etc" --no-headings -o PID,HOW >out && test_grep "^ *$init in the root directory of its process $init\$" out &&
    cps --path "/proc/$init/cwd" --no-headings -o PID,HOW >out && test_grep "^ *$init of its process $init\$" out &&
    no_answer "./etc. is no container.s" --path "/proc/$$/root/etc" &&
    no_answer "./proc/$$/cwd. is of a process that is in no container.*" --path "/proc/$$/cwd"
'

test_expect UNSHARE 'of a process that is the parent of a container that is told' '
    { unshare --pid --fork sleep 1000 & outer=$!; } && test_cleanup "kill -9 $outer; wait" &&
    test_wait "pgrep -x -P $outer sleep" && init=$(pgrep -P "$outer") && test_cleanup "kill -9 $init" &&
    mkdir -p runc/served && cat >runc/served/state.json <<-EOT &&
	{"id": "served", "init_process_pid": $init, "init_process_start": $(sed "s/.*) //" "/proc/$init/stat" | cut -d" " -f20), "config": {}}
	EOT
    no_answer "process $outer is in no container" --store "runc=$PWD/runc" -p "$outer" &&
    test_grep "^hint: it is a process of the host itself, and the parent of runc:served\$" err &&
    no_answer "process $$ is in no container" -p $$ && test_grep "^hint: it is a process of the host itself\$" err
'

test_done
