# shellcheck shell=sh
# What a user may do in the target view without starting anything of the container; run in it, by the toolbox's shell. Each
# line that ends well says so.
# one that this host does not have is no failure
ok() { name=$1; shift; command -v "$1" >/dev/null || { echo "ok $name: absent"; return; }; if timeout 30 "$@" >/.sonde/var/tmp/out 2>&1 </dev/null; then echo "ok $name"; else echo "no $name"; fi; cat /.sonde/var/tmp/out >&2; }
ok bash bash -c 'echo "$BASH_VERSION"'
ok bash-interactive bash -i -c true
ok bash-login bash -l -c true
ok sh-login sh -l -c true
ok id id root
ok ls ls -l /proc/1/status
ok getent getent passwd root
ok iconv iconv -f UTF-16 -t UTF-8
ok awk-system awk 'BEGIN { exit system("echo here; true") }'
ok find-exec find /proc/self -maxdepth 0 -exec true ';'
ok xargs sh -c 'echo x | xargs echo'
ok less less /proc/1/status
ok ps ps ax
ok perl perl -e 'use strict; exit system("true; true") >> 8'
ok python python3 -c 'import json, os; os._exit(os.system("true; true") >> 8)'
ok gdb gdb -q -batch -p 1 -ex 'info registers' -ex 'python print("in gdb")' -ex 'shell true'
ok strace strace -o /dev/null true
ok vim vim --not-a-term -T dumb -c 'q!'
ok curl sh -c 'curl -s https://127.0.0.1:1/; [ $? = 7 ]'
ok tput tput -T xterm cols
ok script sh -c "ldd --version"
