#!/bin/bash
# cdebug's command line; nothing here enters anything.
. "$(dirname "$0")/../lib/harness.sh"

test_expect 'without a container it says so and exits 125' '
    test_status 125 cdebug 2>err &&
    test_grep "which container" err && test_grep "cdebug --help" err
'

test_expect 'usage errors are one line and the hint to --help, and exit 125' '
    test_status 125 cdebug --nope web 2>err && test_grep nope err && test_grep "cdebug --help" err &&
    test_status 125 cdebug --ns mnt web 2>err && test_grep "mnt.*no namespace that cdebug joins" err &&
    test_grep "^hint: pid, net, " err &&
    test_status 125 cdebug --memory 64 web 2>err && test_grep "less than 6M" err &&
    test_status 125 cdebug --ns pid,bogus web 2>err && test_grep bogus err &&
    test_status 125 cdebug --cap-drop bogus web 2>err && test_grep "bogus.*no capability" err &&
    test_status 125 cdebug --memory lots web 2>err && test_grep lots err &&
    test_status 125 cdebug --cpus many web 2>err && test_grep many err &&
    test_status 125 cdebug --write --keep-changes d web 2>err && test_grep "keep-changes and --write exclude" err && [ ! -e d ] &&
    test_status 125 cdebug --rerun --as-target web 2>err && test_grep "rerun is not with --as-target" err &&
    test_status 125 cdebug --rerun --profile general web 2>err && test_grep "rerun is not with" err &&
    test_status 125 cdebug --rerun --ns pid web 2>err && test_grep "only net may be" err &&
    test_status 125 cdebug --write image:no-such-$$ 2>err && test_grep "not with --write" err &&
    test_status 125 cdebug image:no-such-$$ 2>err && test_grep "no image .no-such-$$" err &&
    test_status 125 cdebug --exec web 2>err && test_grep "exec is for --in-target" err &&
    test_status 125 cdebug --env =V web 2>err && test_grep "=V.*NAME" err &&
    test_status 125 cdebug --env "" web 2>err && test_grep "NAME.=VALUE" err
'

test_expect 'what is about no container says so, and --list --json is one line' '
    test_status 125 cdebug --json 2>err && test_grep "json is for --list" err &&
    test_status 125 cdebug --toolbox list web 2>err && test_grep "toolbox list takes no container" err &&
    test_status 125 cdebug image: 2>err && test_grep "image: which" err &&
    test_status 125 cdebug image:no-such-$$ 2>err && test_grep "^hint: NAME:TAG or the id" err &&
    if [ "$(id -u)" = 0 ]; then cdebug --list --json >out && [ "$(wc -l <out)" = 1 ]; fi
'

test_expect 'that there is no toolbox is said, with what one does then' '
    if [ ! -e /usr/local/lib/sonde/toolbox ] && [ ! -e /usr/lib/sonde/toolbox ]; then
        HOME=$PWD/nowhere cdebug --toolbox list >out 2>err && test_grep "^NAME" out && test_grep "^hint: none is installed" err
    fi
'

test_expect 'who the command runs as is said once, by words that there are' '
    test_status 125 cdebug --profile baseline web 2>err && test_grep "general restricted netadmin sysadmin" err &&
    test_status 125 cdebug --as-target --user 0 web 2>err && test_grep "not with --user or --profile" err &&
    test_status 125 cdebug --as-target --profile general web 2>err && test_grep "not with --user or --profile" err &&
    test_status 125 cdebug --workdir tmp web 2>err && test_grep "tmp. does not begin with /" err
'

test_expect 'what --forward does not understand is one line, an example, and 125' '
    for bad in 80 80: :80 a:b 1:2:3 80:0 65536:80 1:2:3:4:5 [::1:80:80 ::1:80:80 [::1]80:80 10.0.0:80:80 example.org:80:80 -1:80 \
        [::1%lo]:80:80 [127.0.0.1]:80:80 +80:80 80:80: ""; do
        test_status 125 cdebug "--forward=$bad" no-such-$$ 2>err && test_grep "is not .ADDR:.PORT:.ADDR:.PORT" err &&
            test_grep "^hint: as in 8080:80" err && [ "$(wc -l <err)" = 2 ] || { echo "$bad"; return 1; }
    done &&
    test_status 125 cdebug --forward 80:80 no-such-$$ true 2>err && test_grep "runs no command" err
'

test_expect 'every form of --forward is understood' '
    for good in 80:80 0:80 127.0.0.1:80:80 80:10.0.0.1:80 [::1]:80:80 80:[::1]:80 localhost:80:localhost:80 [::]:80:[fe80::1]:65535; do
        test_status 125 cdebug --forward $good no-such-$$ 2>err && test_grep "no-such-$$" err || { echo "$good"; return 1; }
    done
'

test_expect 'a toolbox that is none is one line and 125' '
    : >file && test_status 125 cdebug --toolbox ./nope-$$ no-such-$$ 2>err && test_grep "no toolbox .*nope-$$" err && [ "$(grep -c "^cdebug: " err)" = 1 ] &&
    test_status 125 cdebug --toolbox ./file no-such-$$ 2>err && test_grep "toolbox ..*file" err && [ "$(grep -c "^cdebug: " err)" = 1 ] &&
    test_status 125 cdebug --toolbox "" no-such-$$ 2>err && test_grep "no toolbox" err
'

test_expect 'a toolbox that is there, and the host, are taken' '
    mkdir -p box && for good in host ./box "$PWD/box"; do
        test_status 125 cdebug --toolbox "$good" no-such-$$ 2>err && test_grep "no-such-$$" err || { echo "$good"; return 1; }
    done
'

test_expect 'what is about detached sessions takes no container, and one thing at a time' '
    test_status 125 cdebug --list web 2>err && test_grep "take no container" err && test_status 125 cdebug --attach 0123 web 2>err && test_grep "take no container" err &&
    test_status 125 cdebug --list --stop 0123 2>err && test_grep "exclude each other" err && test_status 125 cdebug -d --list 2>err && test_grep "exclude each other" err &&
    test_status 125 cdebug --attach 0123 --json 2>err && test_grep "json is for --list" err && test_status 125 cdebug --json web 2>err && test_grep "json is for --list" err &&
    test_status 125 cdebug -d --forward 0:80 web 2>err && test_grep "exclude each other" err
'

test_expect '--pod is instead of a container; --share-cgroup is not with limits of its own, nor without the pid namespace' '
    test_status 125 cdebug --pod no-such-$$ 2>err && test_grep "no pod .no-such-$$" err && test_status 125 cdebug --pod no-such-$$ -- ls 2>err && test_grep "no pod .no-such-$$" err &&
    test_status 125 cdebug --pod x --forward 0:80 ls 2>err && test_grep "runs no command" err &&
    test_status 125 cdebug --share-cgroup --memory 64M web 2>err && test_grep "not with --memory" err && test_status 125 cdebug --share-cgroup --pids 5 web 2>err && test_grep "not with --memory" err &&
    test_status 125 cdebug --share-cgroup --ns net web 2>err && test_grep "not without its pid namespace" err
'

test_expect 'a name that no container has exits 125' '
    test_status 125 cdebug no-such-container-$$ true 2>err && test_grep "no-such-container-$$" err
'

test_expect 'the letters of docker exec -it are taken' '
    test_status 125 cdebug -it no-such-container-$$ -- true 2>err && test_grep "no container .no-such-container-$$" err
'

test_expect 'a process that is in no container exits 125' '
    test_status 125 cdebug pid:$$ true 2>err && test_grep "$$" err
'

test_expect 'help and version are on stdout' '
    cdebug --help >out 2>err && test_empty err && test_grep "cdebug .*CONTAINER" out &&
    cdebug --version >out 2>err && test_empty err && test_grep "^cdebug " out
'

test_done
