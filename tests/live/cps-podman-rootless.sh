#!/bin/bash
# cps, as root and as the user, against rootless podman. Its stores lie where every user's lie: they
# are found without being told.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
test_engine podman-rootless
test_names web done7 made hostnet app

pid_of() { pmu inspect --format '{{.State.Pid}}' "$1"; }

test_expect PODMAN_ROOTLESS 'setup: containers of a user of our own' '
    podman_rootless_up &&
    pmu run -d --name $web --label tier=web "$IMAGE" sh -c "sleep 1000000 & sleep 1000001" &&
    { pmu run --name $done7 "$IMAGE" sh -c "exit 7"; [ $? = 7 ]; } &&
    pmu create --name $made "$IMAGE" true &&
    pmu run -d --name $hostnet --network host "$IMAGE" &&
    pmu run -d --name $app --user 1000:1000 "$IMAGE" sleep 1000002
'

test_expect PODMAN_ROOTLESS 'root sees of every container of the user what podman says' '
    records_of_podman pmu >expect &&
    [ "$(jq length expect)" = 5 ] &&
    records_of_cps expect >actual &&
    test_cmp expect actual
'

test_expect PODMAN_ROOTLESS 'cps NAME pairs each process with its pid inside' '
    ns_pids $(same_pidns "$(pid_of $web)") >expect &&
    [ "$(wc -l <expect)" = 2 ] &&
    cps --no-headings -o PID,NSPID podman:$web | awk "{ print \$1, \$2 }" >actual &&
    test_cmp expect actual
'

test_expect PODMAN_ROOTLESS 'the user inside is told by the id map and the passwd of the container' '
    cps --no-headings -o USER,COMMAND podman:$app >actual &&
    test_grep "^app  *sleep 1000002" actual
'

test_expect PODMAN_ROOTLESS 'cps -p says whose process it is' '
    cps -p "$(pid_of $hostnet)" >actual &&
    test_grep "$hostnet" actual
'

test_expect PODMAN_ROOTLESS 'the user sees its own containers too' '
    cp "$(command -v cps)" "$ROOTLESS_DIR/home/cps" && chmod 755 "$ROOTLESS_DIR/home/cps" &&
    { as_user ./cps -a --json --no-trunc >json 2>err; [ $? != 1 ]; } &&
    uid=$(id -u "$ROOTLESS_USER") &&
    jq -r ".containers[] | select(.engine == \"podman\" and .owner == $uid).name" json | sort >actual &&
    printf "%s\n" $app $done7 $hostnet $made $web | sort >expect &&
    test_cmp expect actual
'

test_done
