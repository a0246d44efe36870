#!/bin/bash
# cps against systemd-nspawn, whose only word on what runs is its processes.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
. "$SONDE_SOURCE/tests/lib/matrix.sh"
. "$SONDE_SOURCE/tests/lib/matrix-files.sh"
test_engine nspawn

store=nspawn=$NSPAWN_MACHINES
version=$(systemd-nspawn --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')

test_expect NSPAWN 'setup: machines on a tree, volatile, ephemeral, and trees that no machine runs on' '
    nspawn_up && for name in web base state idle; do nspawn_tree $name || return 1; done &&
    : >"$NSPAWN_MACHINES/$(nspawn_name disk).raw" &&
    nspawn_run web -M "$(nspawn_name web)" -D "$(nspawn_name web)" --as-pid2 --bind-ro="$NSPAWN_DIR:/mnt/a\\:b" -- sleep 1000000 &&
    nspawn_run vol --volatile=overlay --private-users=pick --private-network --mach="$(nspawn_name vol)" \
        --directory="$NSPAWN_MACHINES/$(nspawn_name base)" -- sh -c "echo new >/added; exec sleep 1000000" &&
    nspawn_run eph -xD "$(nspawn_name base)" -- sleep 1000000
'

test_expect NSPAWN 'each leader has the pid that its supervisor started' '
    for name in web vol; do
        cps_field "$(nspawn_name $name)" "[.engine, .status, .pid]" --store "$store" >actual &&
        test_json . "[\"nspawn\", \"running\", $(nspawn_leader $name)]" actual || return 1
    done
'

test_expect NSPAWN 'a machine that has no name of its own is called as nspawn calls it' '
    cps_list json --json && jq -r ".containers[] | select(.pid == $(nspawn_leader eph)) | .name" json >actual &&
    test_grep "^$(nspawn_name base)-[0-9a-f]*$" actual && [ -d "/run/systemd/nspawn/propagate/$(cat actual)" ]
'

test_expect NSPAWN 'trees without a running machine are listed as stopped, once' '
    cps_list json -a --json --store "$store" &&
    jq -r ".containers[] | select(.store == \"$NSPAWN_MACHINES\") | .name + \" \" + .status" json | sort >actual &&
    for name in base disk idle state; do echo "$(nspawn_name $name) exited"; done | sort >expect &&
    test_cmp expect actual
'

test_expect NSPAWN 'a name is resolved where a walk is needed and where not' '
    cps --store "$store" --no-headings -o PID "$(nspawn_name web)" >pids && test_grep "^ *$(nspawn_leader web)$" pids &&
    cps --store "$store" --no-headings -o PID "$(nspawn_name vol)" >pids && test_grep "^ *$(nspawn_leader vol)$" pids &&
    test_status 1 cps --store "$store" "$(nspawn_name idle)"
'

test_expect NSPAWN 'cps NAME pairs each process with its pid inside, cps -p finds it' '
    ns_pids $(same_pidns "$(nspawn_leader web)") >expect && [ "$(wc -l <expect)" = 2 ] &&
    cps --no-headings -o PID,NSPID "$(nspawn_name web)" | awk "{ print \$1, \$2 }" >actual && test_cmp expect actual &&
    cps -p "$(nspawn_leader vol)" >actual && test_grep "$(nspawn_name vol)" actual
'

test_expect NSPAWN 'binds of the command line are its mounts' '
    cps_field "$(nspawn_name web)" ".mounts" >actual &&
    test_json "map([.type, .source, .destination, .read_only])" "[[\"bind\",\"$NSPAWN_DIR\",\"/mnt/a:b\",true]]" actual
'

test_expect NSPAWN 'an ephemeral machine has its own copy of the tree for a layer' '
    cps_list json --json && jq -r ".containers[] | select(.pid == $(nspawn_leader eph)) | .layers.upper" json >actual &&
    [ "$(stat -c %i "$(cat actual)/etc/motd")" = "$(stat -c %i "/proc/$(nspawn_leader eph)/root/etc/motd")" ]
'

# bash as systemd-nspawn: -x is an option of both, what follows is a script and a command
test_expect NSPAWN,USERNS 'a program of a user that is called systemd-nspawn is none' '
    mkdir bin && cp "$(command -v bash)" bin/systemd-nspawn && chmod 755 bin bin/systemd-nspawn &&
    printf "unshare --user --map-root-user --mount sleep 1000000 & wait\n" >bin/script &&
    daemon_start "$TRASH/fake" "$TRASH/fake.log" setpriv --reuid 65534 --clear-groups "$PWD/bin/systemd-nspawn" -x "$PWD/bin/script" &&
    test_cleanup "kill -KILL \$(pgrep -P \$(daemon_pid $TRASH/fake)); daemon_signal $TRASH/fake KILL" &&
    test_wait "pgrep -P \$(daemon_pid $TRASH/fake) -x sleep" &&
    cps_list json --json &&
    test_json "[.containers[] | select(.engine == \"nspawn\" and .pid == $(pgrep -P "$(daemon_pid "$TRASH/fake")"))]" "[]" json
'

# --- the matrix --------------------------------------------------------------------------------

no_file='no file of systemd-nspawn holds it'

row()
{
    local name=$1 stopped=$2
    matrix_row "systemd-nspawn $version" "$3"
    matrix_yes running NSPAWN "$3: listed running" '
        cps_field "$(nspawn_name '"$name"')" .status --store "$store" >actual && test_json . running actual'
    matrix_yes stopped NSPAWN "$3: its tree listed as a stopped machine" '
        cps_field "$(nspawn_name '"$stopped"')" .status --store "$store" >actual && test_json . exited actual'
    matrix_yes name NSPAWN "$3: called as its supervisor was told" '
        tr "\0" "\n" <"/proc/$(nspawn_supervisor '"$name"')/cmdline" | grep "$(nspawn_name '"$name"')" &&
        cps_list json --json && jq -r ".containers[] | select(.pid == $(nspawn_leader '"$name"')) | .name" json >actual &&
        test_grep "^$(nspawn_name '"$name"')$" actual'
    matrix_unknown image "$no_file" NSPAWN "$3: the image is unknown" '
        cps_field "$(nspawn_name '"$name"')" .image --store "$store" >actual && test_json . null actual'
    matrix_yes status NSPAWN "$3: paused while its processes are frozen is all that is besides running" '
        cps_field "$(nspawn_name '"$name"')" "[.status, .pid]" --store "$store" >actual &&
        test_json . "[\"running\", $(nspawn_leader '"$name"')]" actual'
    matrix_unknown exit "$no_file" NSPAWN "$3: the exit code is unknown" '
        cps_field "$(nspawn_name '"$stopped"')" .exit_code --store "$store" >actual && test_json . null actual'
    matrix_yes entered NSPAWN "$3: cnsenter enters it" '
        cnsenter "$(nspawn_name '"$name"')" -- cat /etc/motd >actual && test_grep welcome actual'
}

row web idle 'dir'
matrix_yes layers NSPAWN 'dir: its layer is the tree that the machine sees' '
    echo changed >"/proc/$(nspawn_leader web)/root/etc/app.conf" &&
    cps_field "$(nspawn_name web)" "[.layers.kind, .layers.upper]" --store "$store" >actual &&
    test_json ".[0]" directory actual && test_cmp "$(jq -r ".[1]" actual)/etc/app.conf" <(echo changed)
'
files_options=(--store "$store")
files_plain
matrix_files NSPAWN dir "nspawn:$(nspawn_name web)" "$(nspawn_leader web)" "nspawn:$(nspawn_name idle)" '/etc/motd=welcome to the test image'

row vol base 'dir, --volatile=overlay'
matrix_unknown layers 'the upper directory is on a tmpfs that nothing leads to; the lower one is told' NSPAWN \
    '--volatile=overlay: the tree below is told, the upper directory is not' '
    cps_field "$(nspawn_name vol)" "[.layers.kind, .layers.upper, .layers.lowers]" --store "$store" >actual &&
    test_json . "[\"overlay\", null, [\"$NSPAWN_MACHINES/$(nspawn_name base)\"]]" actual
'

files_plain
files_why[diff-running]='the upper directory is on a tmpfs that nothing leads to; the lower one is told'
files_why[export-running]=${files_why[diff-running]}
matrix_files NSPAWN --volatile=overlay "nspawn:$(nspawn_name vol)" "$(nspawn_leader vol)" "nspawn:$(nspawn_name base)" '/etc/motd=welcome to the test image'

test_expect NSPAWN 'a machine that ended is a tree again' '
    nspawn_stop web && cps_field "$(nspawn_name web)" "[.status, .pid]" --store "$store" >actual &&
    test_json . "[\"exited\", null]" actual
'

test_done
