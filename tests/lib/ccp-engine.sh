# shellcheck shell=bash
# The same tests of ccp for every engine: after test_engine. The file that sources it has
#
#   up          brings the engine up, and a container $name that runs `sh -c "$ccp_init"`
#   init        prints the pid of its init on this host
#   ours ARG... ccp with the options that name the engine's store
#   halt        stops the container
#   again       starts it again; not defined: it cannot be

ccp_init='[ -e /ready ] || { rm -rf /data/kept /etc/motd; echo live >/data/live; mkdir /data/dir; echo in >/data/dir/file; chmod 750 /data/dir
    ln -s dir /data/link; echo 1 >/ready; }; sleep 1000000'

# ccp_fill: what is copied in
ccp_fill()
{
    [ -d tree ] || { mkdir -p tree/sub && echo a >tree/file && ln tree/file tree/sub/hard && ln -s ../file tree/sub/link && mkfifo tree/pipe &&
        echo s >tree/setuid && chmod 4755 tree/setuid && chmod 2770 tree/sub && truncate -s 1M tree/hole && touch -d '2020-01-02 03:04:05.6' tree/file tree/sub; }
}

ccp_times=%T@ # or nothing, where fuse-overlayfs shows what it remembers, and not what it has written

# ccp_facts DIR: names, types, modes, links, sizes, times and contents
ccp_facts()
{
    (cd "$1" && find . -printf '%P %y %m %l ' \( -type d -o -printf "%n %s $ccp_times " \) \( -type f -exec md5sum {} \; -o -printf '\n' \) | LC_ALL=C sort)
}

# facts of what was copied out, of which DIR was copied in; ccp_no_set_ids: a user's container
ccp_facts_out() { ccp_facts "$1" | if [ -n "${ccp_no_set_ids-}" ]; then sed 's/^setuid f 4755 /setuid f 755 /'; else cat; fi; }

root_of_init() { echo "/proc/$(init)/root"; }

# ccp_engine PREREQ VARIANT
ccp_engine()
{
    test_expect "$1" "$2: setup" '
        ccp_fill && up && test_wait "[ -e /proc/$(init)/root/ready ]"
    '

    test_expect "$1" "$2: out of a running one" '
        rm -rf data && ours "$name:/data" data && ccp_facts data >actual && ccp_facts "$(root_of_init)/data" >expect && test_grep "^dir/file" expect && test_cmp expect actual
    '

    test_expect "$1" "$2: into a running one" '
        ours tree "$name:/srv/" && ours tree/file "$name:/etc/motd" && ours tree "$name:/data/kept" && ccp_facts tree >expect &&
        for dir in srv/tree data/kept; do ccp_facts "$(root_of_init)/$dir" >actual && test_cmp expect actual || return 1; done && cmp tree/file "$(root_of_init)/etc/motd"
    '

    test_expect "$1" "$2: out of a stopped one" '
        halt && rm -rf data2 back && ours "$name:/data/." data2 && mv data2/kept back && ccp_facts data >expect && ccp_facts data2 >actual && test_cmp expect actual &&
        ccp_facts_out tree >expect && ccp_facts back >actual && test_cmp expect actual
    '

    test_expect "$1" "$2: into a stopped one" '
        ours tree "$name:/usr/lib/" && ours tree/file "$name:/data/link/new" && ours tree/. "$name:/data/kept" && tar -C tree --format=posix -c . | ours - "$name:/var/log"
    '

    if declare -F again >/dev/null; then
        test_expect "$1" "$2: which it sees when it is started again" '
            again && test_wait "[ -e /proc/$(init)/root/usr/lib/tree/file ]" && ccp_facts tree >expect && ccp_facts "$(root_of_init)/usr/lib/tree" >actual && test_cmp expect actual &&
            ccp_facts "$(root_of_init)/data/kept" >actual && test_cmp expect actual && cmp tree/file "$(root_of_init)/data/dir/new" && cmp tree/file "$(root_of_init)/var/log/sub/hard"
        '
    else
        test_expect "$1" "$2: which is read back" '
            rm -rf back && ours "$name:/usr/lib/tree" back && ccp_facts_out tree >expect && ccp_facts back >actual && test_cmp expect actual && ours "$name:/data/dir/new" new && cmp tree/file new
        '
    fi
}
