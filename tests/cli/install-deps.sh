#!/bin/bash
# What `make demo` and `make check` install, with an apt of ours in front of the host's.
. "$(dirname "$0")/../lib/harness.sh"

# stub NAME SCRIPT
stub() { mkdir -p bin && printf '#!/bin/bash\n%s\n' "$2" >"bin/$1" && chmod +x "bin/$1"; }

# stubs APT_STATUS: a Debian on which libjansson-dev is missing until apt-get has installed it
stubs()
{
    rm -f installed
    stub pkg-config '[ "$2" != jansson ] || [ -e installed ]' && stub dpkg-query '' &&
        stub apt-cache 'echo "  Candidate: 1.0"' &&
        stub apt-get "echo 'Reading package lists...'; echo \"\$@\" >>calls; : >installed; exit $1"
}

# On a /usr/sbin of its own, for policy-rc.d; the names of the packages that this host lacks do not matter.
install_build() { unshare -m sh -c 'mount -t tmpfs none /usr/sbin && PATH=$PWD/bin:$PATH && exec "$1" build' sh "$SONDE_SOURCE/tests/install-deps.sh"; }

test_expect UNSHARE 'what is installed is one line; what apt says is not shown' '
    stubs 0 && install_build >out 2>&1 && test_grep "^install-deps: installing .*libjansson-dev" out &&
    test_grep -v "Reading package lists" out && [ "$(wc -l <out)" = 1 ] &&
    test_grep "install -y --no-install-recommends .*libjansson-dev" calls
'

test_expect UNSHARE 'with everything there it prints nothing and calls no apt' '
    rm calls && : >installed && install_build >out 2>&1 && test_empty out && ! [ -e calls ]
'

test_expect UNSHARE 'when apt fails, all that it said is shown' '
    stubs 100 && test_status 1 install_build >out 2>&1 && test_grep "Reading package lists" out && test_grep "apt-get failed" out
'

test_done
