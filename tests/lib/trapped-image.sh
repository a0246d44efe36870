# shellcheck shell=bash
# An image of which every file that a program of the toolbox could take for its own is a trap; sourced after the harness.

trap_scripts=(etc/profile etc/profile.d/x.sh etc/bashrc etc/bash.bashrc etc/bash_completion etc/zsh/zshenv etc/zsh/zshrc root/.bashrc
    root/.bash_profile root/.profile root/.shrc .bashrc .profile etc/init.d/functions usr/share/bash-completion/bash_completion)
trap_gdb=(etc/gdb/gdbinit root/.gdbinit .gdbinit usr/share/gdb/system-gdbinit/x.gdb)
trap_python=(json.py site.py sitecustomize.py usercustomize.py usr/lib/python3/dist-packages/sitecustomize.py
    usr/share/gdb/python/gdb/__init__.py usr/share/gdb/auto-load/bin/busybox-gdb.py bin/busybox-gdb.py)
trap_vim=(etc/vim/vimrc etc/vim/vimrc.tiny etc/vim/vimrc.local etc/vimrc root/.vimrc .vimrc .exrc root/.exrc usr/share/vim/vimrc
    usr/share/vim/vimrc.tiny var/lib/vim/addons/plugin/x.vim usr/share/vim/vim90/defaults.vim)
trap_perl=(strict.pm etc/perl/strict.pm usr/share/perl5/strict.pm etc/perl/sitecustomize.pl)
# what the tests start, and what that starts
trap_programs=(sh bash dash ls id cat env grep less vim vim.basic gdb strace python3 perl curl awk mawk find xargs true getent iconv
    ps sed tail head sleep stty which tput clear_console lesspipe)

# put FILE LINE: LINE in FILE of $trap_root
put() { mkdir -p "$(dirname "$trap_root/$1")" && echo "$2" >"$trap_root/$1"; }
# put_trap FILE: the program; put_library FILE
put_trap() { mkdir -p "$(dirname "$trap_root/$1")" && cp --remove-destination "$HELPERS/trap" "$trap_root/$1"; }
put_library() { mkdir -p "$(dirname "$trap_root/$1")" && cp "$HELPERS/trap.so" "$trap_root/$1"; }

trap_text()
{
    local f v
    for f in "${trap_scripts[@]}"; do put "$f" 'echo TRAPPED >&2; echo TRAPPED >>/.sonde/var/tmp/trapped' || return 1; done
    for f in "${trap_gdb[@]}"; do put "$f" 'echo TRAPPED\n' || return 1; done
    for f in "${trap_vim[@]}"; do put "$f" 'call writefile(["TRAPPED"], "/.sonde/var/tmp/trapped", "a")' || return 1; done
    for f in "${trap_perl[@]}"; do put "$f" 'warn "TRAPPED"; 1;' || return 1; done
    for v in /usr/lib/python3.*; do trap_python+=("${v#/}/site.py" "${v#/}/os.py" "${v#/}/encodings/__init__.py" "etc/${v##*/}/sitecustomize.py"); done
    for v in /usr/share/perl/5.*; do trap_perl+=("${v#/}/strict.pm"); done
    for f in "${trap_python[@]}"; do
        put "$f" 'import sys; sys.stderr.write("TRAPPED\n"); open("/.sonde/var/tmp/trapped", "a").write("TRAPPED")' || return 1
    done
}

# Every library that a program of the host could ask for by its name.
trap_libraries()
{
    local f d
    for f in /lib/*-linux-gnu/*.so.[0-9] /lib64/*.so.[0-9] /usr/lib64/*.so.[0-9]; do
        [ ! -f "$f" ] || put_library "${f#/}" || return 1
    done
    for d in /usr/lib/*-linux-gnu; do
        put_library "${d#/}/gconv/UTF-16.so" && put "${d#/}/gconv/gconv-modules" 'module UTF-16// INTERNAL UTF-16 1' &&
            put_library "${d#/}/libnss_evil.so.2" || return 1
        for f in "$d"/*.so.[0-9]; do put_library "${f#/}" || return 1; done
    done
    put etc/nsswitch.conf 'passwd: evil files' && put etc/ld.so.preload /trap.so && put_library trap.so &&
        put etc/ld.so.cache garbage && put etc/inputrc '"\C-m": "echo TRAPPED\n"' &&
        put usr/lib/ssl/openssl.cnf "$ssl" && put etc/ssl/openssl.cnf "$ssl"
}
ssl='openssl_conf = a
[a]
providers = b
[b]
evil = c
[c]
module = /trap.so
activate = 1'

# trapped_image DIR: a root with an application, busybox, that sleeps, and nothing else that is not a trap
trapped_image()
{
    local f busybox
    trap_root=$1
    busybox=$(command -v busybox) || return 1
    mkdir -p "$1"/{proc,sys,dev,tmp,etc,bin,usr/bin,sbin,root,app} && cp -L "$busybox" "$1/app/busybox" &&
        put etc/passwd 'root:x:0:0:root:/root:/bin/bash' && put etc/motd trapped || return 1
    for f in "${trap_programs[@]}"; do put_trap "bin/$f" && put_trap "usr/bin/$f" || return 1; done
    for f in /lib64/ld-linux*.so.* /lib/ld-*.so.* /lib/*/ld-linux*.so.*; do
        [ ! -e "$f" ] || put_trap "${f#/}" || return 1
    done
    trap_text && trap_libraries && put_trap lib64/ld-linux-x86-64.so.2 && put_trap usr/lib/command-not-found
}
