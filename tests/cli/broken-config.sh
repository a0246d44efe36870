#!/bin/bash
# An engine's configuration that cannot be parsed, or names a directory that is not there: one line, and the default place
# is looked at. On captured hosts; nothing here needs a privilege.
# lane 2
. "$(dirname "$0")/../lib/harness.sh"

. "$SONDE_SOURCE/tests/lib/fixture.sh"

# broken ROW FILE LINE: host is ROW with standard input in FILE; the list is that of ROW, and on stderr LINE alone, with a hint
broken()
{
    rm -rf host && fixture_copy "$1" && mkdir -p "host/$(dirname "$2")" && cat >"host/$2" && cps -a -q --sysroot "$SONDE_SOURCE/tests/fixtures/$1" >expect &&
        test_status 2 cps -a -q --sysroot host >actual 2>err && test_cmp expect actual &&
        { echo "cps: $3"; grep '^hint: the default .* is looked at$' err; } >expect && test_cmp expect err &&
        test "$(wc -l <err)" = 2
}

# sound ROW FILE: the same, and nothing is said
sound()
{
    rm -rf host && fixture_copy "$1" && mkdir -p "host/$(dirname "$2")" && cat >"host/$2" && cps -a -q --sysroot "$SONDE_SOURCE/tests/fixtures/$1" >expect &&
        cps -a -q --sysroot host >actual 2>err && test_cmp expect actual && test_empty err
}

daemon_json=etc/docker/daemon.json system_conf=etc/containers/storage.conf config_toml=etc/containerd/config.toml

test_expect 'docker: a comma too much, a directory that is not there' '
    echo "{\"data-root\":\"/data/docker\",}" | broken docker-20.10-overlay2 $daemon_json \
        "docker: read '"'/etc/docker/daemon.json'"': not valid JSON: string or '"'}'"' expected near '"'}'"' (line 1, column 29)" &&
    echo "{\"data-root\":\"/data/docker\"}" | broken docker-20.10-overlay2 $daemon_json \
        "docker: open '"'/data/docker'"', which '"'/etc/docker/daemon.json'"' names: No such file or directory"
'

test_expect 'podman: a table without its end, a string without quotes, a number, a directory that is not there' '
    for conf in "[storage\ngraphroot=\"/data/st\"" "[storage]\ngraphroot = /data/st" "[storage]\ngraphroot = 5" \
        "[storage]\ndriver overlay" "[storage]\ndriver = \"overlay" "[storage]\ndriver = \"a\" \"b\""; do
        line=$(printf "$conf" | awk "/storage$/ { n = 1 } END { print n ? 1 : 2 }") &&
        printf "$conf\n" | broken podman-4.3 $system_conf "read '"'/etc/containers/storage.conf'"': line $line cannot be parsed" || return 1
    done &&
    printf "[storage]\ngraphroot = \"/data/st\"\n" | broken podman-4.3 $system_conf \
        "container storage: open '"'/data/st'"', which '"'/etc/containers/storage.conf'"' names: No such file or directory"
'

test_expect 'containerd: the same' '
    printf "version = 2\nroot = /data/cd\n" | broken containerd-2.1 $config_toml \
        "containerd: read '"'/etc/containerd/config.toml'"': line 2 cannot be parsed" &&
    printf "version = 2\nroot = \"/data/cd\"\n" | broken containerd-2.1 $config_toml \
        "containerd: open '"'/data/cd'"', which '"'/etc/containerd/config.toml'"' names: No such file or directory"
'

test_expect 'what is sound is not complained of: an empty daemon.json, a default that is written out, all of TOML' '
    printf " \n" | sound docker-20.10-overlay2 $daemon_json &&
    echo "{\"data-root\":\"/var/lib/docker\"}" | sound docker-20.10-overlay2 $daemon_json &&
    sound containerd-2.1 $config_toml <<END &&
version = 2   # a comment
root = "/var/lib/containerd"
imports = ["/etc/a.toml", # one
    '"'/b.toml'"',
]
oom_score = -999
started = 1979-05-27 07:32:00.5Z
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = """registry/pause:3 "quoted"
  of two lines"""
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    x = { a = 1, "b c".d = [ [1, 2], [] ], e = {} }
    path = '"'''C:\\x'''"'
[[list]]
END
    printf "[storage]\r\ndriver = \"overlay\"\r\n[storage.options]\r\npull_options = {enable_partial_images = \"false\"}" | sound podman-4.3 $system_conf
'

test_done
