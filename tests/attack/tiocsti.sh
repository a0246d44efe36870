#!/bin/bash
# TIOCSTI: what runs in the container types into the terminal of the caller; the shell that waits there
# reads it as a command (CVE-2016-10124 and many others). nsenter hands the terminal over; ours must be
# another one. Linux 6.2 lets only CAP_SYS_ADMIN do so where dev.tty.legacy_tiocsti is 0, and what
# entered by nsenter has that.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
test_engine bare
test_prereq TERMINAL 'command -v tmux nsenter'

tm() { tmux -S "$TRASH/tmux" -f /dev/null "$@"; }
test_cleanup 'tm kill-server 2>/dev/null || true'

new_session() { tm new-session -d -x 200 -y 50 "cd '$TRASH' && PS1='host\$ ' PATH='$PATH' exec sh"; }

# in_terminal COMMAND: types it at a shell in a terminal, and waits until the shell is back
in_terminal()
{
    rm -f "$TRASH/back"
    tm kill-session 2>/dev/null
    # the server that has lost its last session may be about to end
    test_wait new_session || return 1
    tm send-keys -l "$1; echo \$? >back" && tm send-keys Enter &&
        test_wait 'test -s back' 15 || { tm capture-pane -p; return 1; }
    sleep 0.5 # for what was pushed to be read
}

up() { bare_up && { [ -d "$BARE_DIR/web" ] || { bare_run web && bare_put web "$HELPERS/push-tty"; }; }; }

test_expect TERMINAL 'naive: a program inside types a command into the shell of the caller' '
    up && { sysctl dev.tty.legacy_tiocsti || echo "always allowed before Linux 6.2"; } &&
    in_terminal "nsenter -t $(bare_pid web) -m -p -- /bin/push-tty \"touch pwned-naive\"" &&
    test_wait "test -e pwned-naive" 5
'

test_expect TERMINAL 'what is typed by a program under cnsenter stays inside' '
    up &&
    in_terminal "cnsenter pid:$(bare_pid web) /bin/push-tty \"touch $TRASH/pwned-cnsenter\"" &&
    test "$(cat back)" = 0 &&
    ! test -e pwned-cnsenter
'

test_expect TERMINAL 'what is typed by a program under cdebug stays inside' '
    up &&
    in_terminal "cdebug pid:$(bare_pid web) -- /target/bin/push-tty \"touch $TRASH/pwned-cdebug\"" &&
    test "$(cat back)" = 0 &&
    ! test -e pwned-cdebug
'

# The caller's terminal must not be reachable at all: not as an fd, not as the controlling terminal.
test_expect TERMINAL 'no program under cnsenter or cdebug holds the terminal of the caller' '
    up &&
    in_terminal "tty >tty-host; cnsenter pid:$(bare_pid web) /bin/sh -c \"stat -Lc %t:%T:%d /proc/self/fd/[012]\" >tty-in" &&
    in_terminal "stat -Lc %t:%T:%d /proc/self/fd/0 >tty-out; cdebug pid:$(bare_pid web) -- /bin/sh -c \"stat -Lc %t:%T:%d /proc/self/fd/0 \" >tty-in2" &&
    test -s tty-in && test -s tty-in2 &&
    ! grep -qxF -f tty-out tty-in && ! grep -qxF -f tty-out tty-in2
'

test_done
