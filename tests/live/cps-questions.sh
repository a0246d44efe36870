#!/bin/bash
# Whose is it: cps --path, --veth, --ip, --port, --cgroup, --ns-inode against real containers.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/engine-records.sh"
test_engine docker
test_engine podman
test_engine bare
test_names web peer other hostnet gone vol thief pod1 pod2

# ask ARGUMENT...: one question; the names that answer in `names`, sorted; stderr in err. Status 2 is
# as good as 0: a store of somebody else may not be readable.
ask()
{
    local status=0
    cps "$@" --store "podman=$PODMAN_ROOT" --json >answer 2>err || status=$?
    [ "$status" = 0 ] || [ "$status" = 2 ] || { echo "cps $*: status $status"; cat err; return 1; }
    # (before podman is up its store is not there, which is status 2)
    jq -r '.containers[].name' answer | sort >names
}

# answers NAME... : exactly these
answers() { printf '%s\n' "$@" | sort >expect && test_cmp expect names; }

how() { jq -r --arg name "$1" '.containers[] | select(.name == $name).how' answer >said && test_grep "$2" said; }

# nobody TEXT ARGUMENT...: nothing claims it: status 1 and one line (and a hint at most)
nobody()
{
    local text=$1
    shift
    local status=0 stores
    cps "$@" >answer 2>err || status=$?
    # stores that another test is only just making or removing: exit status 2
    stores=$(grep -c "^cps: [a-z-]* store '" err)
    { [ $status = 1 ] || { [ $status = 2 ] && [ "$stores" -gt 0 ]; }; } && test_empty answer && test_grep "^cps: .*$text" err &&
        test "$(grep -vc '^hint: ' err)" = $((stores + 1))
}

field() { dk inspect --format "$2" "$1"; }
pid_of() { field "$1" '{{.State.Pid}}'; }
netns() { stat -Lc %i "/proc/$1/ns/net"; }

# the host's end of a process's eth0: the interface with the index that `eth0@if7` names
veth_of()
{
    local peer
    peer=$(nsenter -t "$1" -n ip -o link show eth0 | sed 's/.*eth0@if\([0-9]*\):.*/\1/') || return 1
    grep -lx "$peer" /sys/class/net/*/ifindex | cut -d/ -f5
}

test_expect DOCKER 'setup: containers with a network of their own, a shared one, the host'"'"'s' '
    docker_up &&
    dk volume create $vol >/dev/null &&
    mkdir -p "$TRASH/bound" && echo x >"$TRASH/bound/file" &&
    dk run -d --name $web -p 127.0.0.1:18123:80 -v $vol:/data -v "$TRASH/bound:/bound:ro" "$IMAGE" \
        sh -c "nc -l -p 80 & sleep 1000000" &&
    dk run -d --name $peer --network container:$web "$IMAGE" sh -c "nc -l -p 81 & sleep 1000000" &&
    dk run -d --name $other "$IMAGE" &&
    dk run -d --name $hostnet --network host "$IMAGE" sh -c "nc -l -p 18124 & sleep 1000000" &&
    dk run --name $gone "$IMAGE" true &&
    web_pid=$(pid_of $web) && other_pid=$(pid_of $other) &&
    web_ip=$(field $web "{{.NetworkSettings.IPAddress}}") && [ -n "$web_ip" ] &&
    other_ip=$(field $other "{{.NetworkSettings.IPAddress}}") &&
    test_wait "nsenter -t $web_pid -n cat /proc/net/tcp /proc/net/tcp6 | grep -q :0050 && nsenter -t $web_pid -n cat /proc/net/tcp /proc/net/tcp6 | grep -q :0051" &&
    test_wait "cat /proc/net/tcp /proc/net/tcp6 | grep -q :46CC"
'

test_expect DOCKER '--veth names the containers at the other end; those that share a network all' '
    ask --veth "$(veth_of "$web_pid")" && answers $web $peer && how $web "interface [0-9]*, is in its network" &&
    ask --veth "$(veth_of "$other_pid")@if99" && answers $other
'

test_expect DOCKER '--veth of a bridge, of no interface, of one that leads nowhere in a container' '
    bridge=$(cat "$DOCKER_DIR/bridge") && nobody "interface .$bridge. is the host.s own (bridge)" --veth "$bridge" &&
    nobody "no interface .nope0. on this host" --veth nope0 && test_grep "^hint: " err &&
    nobody "is not the name of an interface" --veth "a/b" && nobody "is not the name" --veth "" &&
    pair=$(engine_tag | cut -c 1-9) && ip link add "va$pair" type veth peer name "vb$pair" &&
    test_cleanup "ip link del va$pair 2>/dev/null; true" &&
    nobody "both its ends are" --veth "va$pair" &&
    { unshare --net sleep 1000 & holder=$!; } && test_cleanup "kill $holder" &&
    test_wait "[ \$(netns $holder) != \$(netns self) ]" && ip link set "vb$pair" netns "$holder" &&
    nobody "network namespace of process $holder (sleep)" --veth "va$pair"
'

test_expect DOCKER '--ip names who has an address, inside or by the engine' '
    ask --ip "$web_ip" && answers $web $peer && how $web "given by the engine" &&
    ask --ip "$other_ip" && answers $other &&
    ask --ip "::ffff:$other_ip" && answers $other &&
    nsenter -t "$other_pid" -n sh -c "echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6" &&
    nsenter -t "$other_pid" -n ip -6 addr add fd00:dead::7/64 dev eth0 nodad &&
    ask --ip fd00:dead::7 && answers $other && how $other "^address in its network$" &&
    nobody "no container has the address 203.0.113.9" --ip 203.0.113.9 &&
    nobody "no container has the address 2001:db8::9" --ip 2001:db8::9 &&
    nobody "loopback" --ip 127.0.0.1 && nobody "nobody.s" --ip 0.0.0.0 && nobody "is not an IP address" --ip 10.0.0
'

test_expect DOCKER '--ip of the host is the host'"'"'s, and of the containers in its network' '
    gateway=$(field $web "{{.NetworkSettings.Gateway}}") && ask --ip "$gateway" &&
    test_grep "^$hostnet\$" names && test_grep -v "^$web\$" names && how $hostnet "host .$(cat "$DOCKER_DIR/bridge"))"
'

test_expect DOCKER 'a container that takes another'"'"'s address does not hide it' '
    dk run -d --name $thief --cap-add NET_ADMIN "$IMAGE" && thief_pid=$(pid_of $thief) &&
    nsenter -t "$thief_pid" -n ip addr add "$other_ip/32" dev lo &&
    ask --ip "$other_ip" && answers $other $thief && how $other "given by the engine" && how $thief "^address in its network$" &&
    dk rm -f $thief
'

test_expect DOCKER '--port: who listens inside, whose process it is where a network is shared' '
    ask --port 80 && test_grep "^$web\$" names && test_grep -v "^$peer\$" names && how $web "listens on .*:80/tcp (pid" &&
    ask --port 81/tcp && test_grep "^$peer\$" names && test_grep -v "^$web\$" names &&
    nobody "nothing listens on port 81" --port 81/udp &&
    ask --port 18123 && answers $web && how $web "publishes 127.0.0.1:18123 -> 80/tcp" &&
    ask --port 18124 && answers $hostnet && how $hostnet "listens on .*:18124/tcp (pid"
'

test_expect DOCKER,PYTHON '--port of a host process, of none, and what is no port' '
    { python3 -c "import socket, time; s = socket.create_server((\"127.0.0.1\", 18199)); time.sleep(1000)" & listener=$!; } && test_cleanup "kill $listener 2>/dev/null; true" &&
    test_wait "grep -q :4717 /proc/net/tcp /proc/net/tcp6" &&
    nobody "process $listener (.*) of the host listens" --port 18199 &&
    nobody "nothing listens on port 18198" --port 18198 &&
    nobody "is not a port" --port 0 && nobody "is not a port" --port 65536 && nobody "is not a port" --port x/tcp &&
    nobody "protocol" --port 80/ip
'

test_expect DOCKER '--cgroup: a container'"'"'s own, one below, one above' '
    path=$(awk -F: "\$2 ~ /memory/ || \$1 == 0 { print \$3 }" "/proc/$web_pid/cgroup" | grep docker | head -n 1) &&
    id=$(field $web "{{.Id}}") && test_grep "$id" "/proc/$web_pid/cgroup" &&
    ask --cgroup "$path" && answers $web && how $web "^its cgroup\$" &&
    ask --cgroup "$path/below/" && answers $web && how $web "below its cgroup $path" &&
    ask --cgroup "${path%/*}" && test_grep "^$web\$" names && test_grep "^$other\$" names && how $web "holds its cgroup" &&
    dir=$(find /sys/fs/cgroup -maxdepth 6 -type d -name "*$id*" 2>/dev/null | head -n 1) && [ -n "$dir" ] &&
    ask --cgroup "$dir" && answers $web &&
    nobody "no container is in cgroup ./nope." --cgroup /nope && nobody "root" --cgroup /sys/fs/cgroup/memory &&
    nobody "is not a cgroup" --cgroup nope && nobody "is not a cgroup" --cgroup /a/../b
'

test_expect DOCKER 'a cgroup that a container calls like another one is still its own' '
    path=$(awk -F: "\$2 ~ /memory/ || \$1 == 0 { print \$3 }" "/proc/$web_pid/cgroup" | grep docker | head -n 1) &&
    ask --cgroup "$path/docker/$(field $other "{{.Id}}")" && answers $web
'

test_expect DOCKER '--ns-inode: of a container, of several, of a process inside, of the host' '
    ask --ns-inode "$(netns "$web_pid")" && answers $web $peer && how $web "its net namespace" &&
    ask --ns-inode "pid:[$(stat -Lc %i "/proc/$web_pid/ns/pid")]" && answers $web &&
    nobody "net namespace .* is the host.s own" --ns-inode "net:[$(netns self)]" &&
    nobody "no process is in a namespace" --ns-inode 12345 &&
    nobody "is not a namespace" --ns-inode x && nobody "is not a namespace" --ns-inode "net:[x]" && nobody "is not" --ns-inode 0 &&
    { unshare --uts sleep 1000 & holder=$!; } && test_cleanup "kill $holder" &&
    test_wait "[ \$(stat -Lc %i /proc/$holder/ns/uts) != \$(stat -Lc %i /proc/self/ns/uts) ]" &&
    nobody "process $holder (sleep) of the host" --ns-inode "$(stat -Lc %i "/proc/$holder/ns/uts")" &&
    ip netns add "q$web" && test_cleanup "ip netns del q$web 2>/dev/null; true" &&
    nobody "held open by the mount ./run/netns/q$web." --ns-inode "$(stat -Lc %i "/run/netns/q$web")" &&
    ip netns del "q$web"
'

test_expect DOCKER '--path: own layer, work directory, image layer, volume, bind, log, root' '
    upper=$(field $web "{{.GraphDriver.Data.UpperDir}}") && work=$(field $web "{{.GraphDriver.Data.WorkDir}}") &&
    ask --path "$upper" && answers $web && how $web "its own layer" &&
    ask --path "$upper/some/file/that/is/not/there" && answers $web &&
    ask --path "${upper%/diff}" && answers $web && ask --path "$work" && answers $web && how $web "work directory" &&
    lower=$(field $web "{{.GraphDriver.Data.LowerDir}}") &&
    ask --path "${lower%%:*}" && answers $web && how $web "the engine put" &&
    ask --path "${lower##*:}" && test_grep "^$web\$" names && test_grep "^$gone\$" names && how $web "shared by 5 containers" &&
    ask --path "$(dk volume inspect --format "{{.Mountpoint}}" $vol)/x" && answers $web && how $web "volume $vol, mounted at /data" &&
    ask --path "$TRASH/bound/file" && answers $web && how $web "bind of .*, mounted at /bound (read-only)" &&
    (cd "$TRASH" && ask --path bound) && answers $web &&
    log=$(field $web "{{.LogPath}}") && ask --path "$log" && answers $web && how $web "its log" &&
    ask --path "$log.1" && answers $web &&
    ask --path "$(dirname "$log")/hostname" && answers $web && how $web "engine.s store" &&
    ask --path "$(field $web "{{.GraphDriver.Data.MergedDir}}")/etc" && answers $web &&
    ask --path "$(field $gone "{{.GraphDriver.Data.UpperDir}}")" && answers $gone
'

test_expect DOCKER '--path of a volume as du lists it, of what holds several containers, of a volume nobody has' '
    ask --path "$DOCKER_DATA/volumes/$vol" && answers $web && how $web "^volume $vol, mounted at /data\$" &&
    ask --path "$DOCKER_DATA/volumes/$vol/" && answers $web &&
    for dir in overlay2 containers; do
        nobody "$dir. is no single container.s: in the docker store .*, it holds what is [5-9] containers" --path "$DOCKER_DATA/$dir" &&
        test_grep "^hint: name a directory below it" err || return 1
    done &&
    nobody "volumes. is no single container.s: in the docker store .*, it holds what is 1 containers" --path "$DOCKER_DATA/volumes" &&
    dk volume create un$vol &&
    for dir in un$vol un$vol/_data un$vol/_data/x; do
        nobody "is no container.s, though in the docker store" --path "$DOCKER_DATA/volumes/$dir" || return 1
        [ "${dir##*/}" = x ] || test_grep "^hint: a volume that no container has, running or stopped" err || return 1
    done && dk volume rm un$vol
'

test_expect DOCKER '--path of a layer by the link of it that overlay was given' '
    upper=$(field $web "{{.GraphDriver.Data.UpperDir}}") && lower=$(field $web "{{.GraphDriver.Data.LowerDir}}") &&
    short=$(cat "${upper%/diff}/link") && ask --path "$DOCKER_DATA/overlay2/l/$short" && answers $web && how $web "its own layer" &&
    ask --path "$DOCKER_DATA/overlay2/l/$short/etc/x" && answers $web &&
    short=$(cat "$(dirname "${lower##*:}")/link") && ask --path "$DOCKER_DATA/overlay2/l/$short" &&
    test_grep "^$web\$" names && test_grep "^$gone\$" names && how $web "shared by 5 containers" &&
    ln -s "../../../$upper" "$DOCKER_DATA/overlay2/l/FALSE" && test_cleanup "rm -f \"$DOCKER_DATA/overlay2/l/FALSE\"" &&
    nobody "is no container.s, though in the docker store" --path "$DOCKER_DATA/overlay2/l/FALSE" && rm "$DOCKER_DATA/overlay2/l/FALSE" &&
    nobody "is no container.s, though in the docker store" --path "$DOCKER_DATA/overlay2/l/NONE" && test_grep "^hint: there is no such file" err
'

test_expect DOCKER '--path of what no container owns says so' '
    mkdir -p "$DOCKER_DATA/overlay2/orphan/diff" && test_cleanup "rm -rf \"$DOCKER_DATA/overlay2/orphan\"" &&
    nobody "is no container.s, though in the docker store" --path "$DOCKER_DATA/overlay2/orphan/diff" && test_grep "^hint: an image" err &&
    nobody "is no single container.s: the docker store" --path "$DOCKER_DATA" &&
    nobody "is no container.s" --path /etc/passwd && test_grep "^hint: it is the host" err &&
    nobody "is no container.s" --path /nope/nope && test_grep "^hint: there is no such file" err
'

test_expect DOCKER 'a link in a container'"'"'s files leads nowhere else, the administrator'"'"'s does' '
    upper=$(field $web "{{.GraphDriver.Data.UpperDir}}") && theirs=$(field $other "{{.GraphDriver.Data.UpperDir}}") &&
    ln -s "$theirs" "$upper/link" && ask --path "$upper/link/x" && answers $web &&
    ln -s "$theirs" "$DOCKER_DATA/overlay2/orphan/diff/link" &&
    nobody "is no container.s" --path "$DOCKER_DATA/overlay2/orphan/diff/link/x" &&
    ln -s "${theirs%/*/*}" "/var/tmp/$web" && test_cleanup "rm -f /var/tmp/$web" &&
    below=${theirs#"${theirs%/*/*}"} && ask --path "/var/tmp/$web$below" && answers $other && rm "/var/tmp/$web"
'

test_expect DOCKER '-q, -o and the table' '
    cps --ip "$other_ip" -q --no-trunc >out && field $other "{{.Id}}" >expect && test_cmp expect out &&
    cps --ip "$other_ip" -o NAME,HOW --no-headings >out && test_grep "^$other  *address in its network" out &&
    cps --ip "$other_ip" >out && test_grep "^ID .* HOW *\$" out
'

test_expect DOCKER 'a container that ended is found by its files only' '
    ask --path "$(field $gone "{{.GraphDriver.Data.UpperDir}}")/x" && answers $gone && how $gone "its own layer" &&
    dk stop -t 0 $other && nobody "no container has the address" --ip "$other_ip"
'

test_expect DOCKER 'a user without privileges is told that not all could be read' '
    test_status 1 as_nobody cps --ip "$web_ip" >out 2>err && test_grep "^cps: .*; not all could be read" err &&
    test_status 1 as_nobody cps --path "$(field $web "{{.GraphDriver.Data.UpperDir}}")" >out 2>err && test_grep "^cps: .*; not all could be read" err &&
    test_status 1 as_nobody cps --veth "$(veth_of "$web_pid")" >out 2>err &&
    test_status 1 as_nobody cps --port 18123 >out 2>err && test_grep "^cps: .*; not all could be read" err
'

# The network questions of a container without a bridge: a pair of interfaces is put into its network.
asked_of()
{
    local name=$1 pid=$2 ip=10.231.77.$3 pair
    pair=$3$(engine_tag | cut -c 1-9)
    ip link add "vh$pair" type veth peer name "vc$pair" netns "$pid" && test_cleanup "ip link del vh$pair 2>/dev/null; true" &&
        nsenter -t "$pid" -n ip addr add "$ip/24" dev "vc$pair" &&
        ask --veth "vh$pair" && answers "$name" && ask --ip "$ip" && answers "$name" &&
        ask --ns-inode "net:[$(netns "$pid")]" && answers "$name" && ask --port "1812$3" && answers "$name" &&
        how "$name" "listens on .*:1812$3/tcp" && ip link del "vh$pair"
}

test_expect PODMAN 'podman: interface, address, port, namespace, cgroup' '
    podman_up && pm run -d --name $pod1 "$IMAGE" sh -c "nc -l -p 18125 & sleep 1000000" &&
    pod1_pid=$(pm inspect --format "{{.State.Pid}}" $pod1) &&
    test_wait "cat /proc/$pod1_pid/net/tcp /proc/$pod1_pid/net/tcp6 | grep -q :46CD" &&
    asked_of $pod1 "$pod1_pid" 5 &&
    path=$(grep libpod- "/proc/$pod1_pid/cgroup" | head -n 1 | cut -d: -f3) && ask --cgroup "$path/x" && answers $pod1
'

test_expect PODMAN 'podman: its log and its directory' '
    log=$(pm inspect --format "{{.HostConfig.LogConfig.Path}}" $pod1) && ask --path "$log" && answers $pod1 &&
    ask --path "$(dirname "$log")/config.json" && answers $pod1
'

test_expect PODMAN 'podman: a volume as du lists it, one that nobody has' '
    pm volume create p$vol && pm volume create pun$vol && pm create --name $pod2 -v p$vol:/data "$IMAGE" &&
    ask --path "$PODMAN_ROOT/volumes/p$vol" && answers $pod2 && how $pod2 "^volume p$vol, mounted at /data\$" &&
    nobody "is no container.s, though in the podman store" --store "podman=$PODMAN_ROOT" --path "$PODMAN_ROOT/volumes/pun$vol" &&
    test_grep "^hint: a volume that no container has" err &&
    nobody "is no single container.s: in the podman store" --store "podman=$PODMAN_ROOT" --path "$PODMAN_ROOT/overlay-containers"
'

test_expect UNSHARE 'bare: interface, address, port, namespace' '
    bare_up && bare_run box sh -c "nc -l -p 18126 & sleep 1000000" && box_pid=$(bare_pid box) &&
    test_wait "cat /proc/$box_pid/net/tcp /proc/$box_pid/net/tcp6 | grep -q :46CE" &&
    cps -p "$box_pid" -o NAME --no-headings >out && box=$(tr -d " " <out) && asked_of "$box" "$box_pid" 6
'

test_done
