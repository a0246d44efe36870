# shellcheck shell=bash
# What the attack tests share; sourced after the harness. A test here comes in two halves: the attack is
# seen to succeed against a naive way to do the job, and then to fail against ours. An attack that
# succeeds against nothing proves nothing.

# Not the name of the tools: some refer to a container by pid, as any engine's can be.
by_pid() { echo "pid:$1"; }

# attacker NAME CAPABILITY ARGUMENT...: a runc container whose init is attack-proc; CAPABILITY is one
# more than runc's default, or -.
attacker()
{
    local name=$1 cap=$2 bundle=$OCI_DIR/bundles/$1
    shift 2
    oci_bundle "$name" /bin/attack-proc "$@" && cp "$HELPERS/attack-proc" "$bundle/rootfs/bin/" || return 1
    if [ "$cap" != - ]; then
        jq --arg cap "$cap" '.process.capabilities |= map_values(. + [$cap])' <"$bundle/config.json" \
            >"$bundle/config.new" && mv "$bundle/config.new" "$bundle/config.json" || return 1
    fi
    oci_start "$name" && test_wait "grep -q ^watching '$bundle/output'"
}

loot() { echo "$OCI_DIR/bundles/$1/output"; }

# loot_has NAME PATTERN; loot_lacks NAME PATTERN: what the attacker printed
loot_has() { test_wait "grep -q -e '$2' '$(loot "$1")'" 5 || { cat "$(loot "$1")"; return 1; }; }
loot_lacks() { ! grep -e "$2" "$(loot "$1")"; }

# seen NAME: how many processes the attacker met
seen() { grep -c '^seen' "$(loot "$1")"; }

# repeat N COMMAND...: so often; fails with the first that does
repeat()
{
    local i n=$1
    shift
    for ((i = 0; i < n; i++)); do
        "$@" || { echo "run $i: status $?"; return 1; }
    done
}

# bare_put NAME FILE...: files of the host into /bin of a bare container
bare_put()
{
    local root
    root=/proc/$(bare_pid "$1")/root
    shift
    cp "$@" "$root/bin/"
}

# bare_do NAME COMMAND...: inside, by util-linux
bare_do()
{
    local pid
    pid=$(bare_pid "$1") || return 1
    shift
    nsenter -t "$pid" -m -u -i -n -p -- "$@"
}

# bare_start NAME COMMAND...: the same in the background; $started is its pid on the host
bare_start()
{
    local pid
    pid=$(bare_pid "$1") || return 1
    shift
    nsenter -t "$pid" -m -u -i -n -p -- "$@" &
    pid=$!
    disown "$pid"
    started=
    test_wait "read -r -d ' ' started <'/proc/$pid/task/$pid/children'"
}

# within SECONDS COMMAND...: its status; fails when it takes longer, 137
within() { timeout -s KILL "$@"; }
