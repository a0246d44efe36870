#!/bin/bash
# cdebug at a terminal: a tmux of our own is the user's.
. "$(dirname "$0")/../lib/harness.sh"
test_engine runc
web=''

user() { tmux -S "$TRASH/tmux" -f /dev/null "$@"; }
# types TEXT: a line as a user types it
types() { user send-keys -l "$1" && user send-keys Enter; }
# sees PATTERN: the screen has it, soon
sees() { test_wait "user capture-pane -p | grep -q -e '$1'" || { user capture-pane -p; return 1; }; }

test_cleanup 'user kill-server 2>/dev/null || true'

test_expect RUNC,TMUX 'setup: a container, and a shell in a terminal of 100 columns' '
    runc_up && oci_run web sleep 1000000 && web=$(oci_id web) &&
    user new-session -d -x 100 -y 30 "PS1=\"host> \" HOME=$TRASH exec sh" && sees "host>" &&
    types "PATH=$PATH; SHELL=/bin/bash; export PATH SHELL; stty -a >$TRASH/modes" && test_wait "[ -s $TRASH/modes ]"
'

test_expect RUNC,TMUX 'the prompt has the container'"'"'s name, and the terminal is one of its own' '
    types "cdebug --store runc=$OCI_DIR/state $web" && sees "^\[$web\] root@web:/#" &&
    types "tty >/tmp/t; cmp -s /tmp/t - <<<$(user display-message -p "#{pane_tty}") || echo ano\"\"ther" && sees "^another"
'

test_expect RUNC,TMUX 'the size is passed on, also a new one' '
    types "stty size" && sees "^30 100" &&
    user resize-window -x 90 -y 25 && types "stty size" && sees "^25 90"
'

test_expect RUNC,TMUX '^C and ^Z reach the command, not cdebug' '
    types "sleep 1000" && sleep 0.3 && user send-keys C-c && types "echo status \$?" && sees "^status 130" &&
    types "sleep 1001" && sleep 0.3 && user send-keys C-z && sees "Stopped.*sleep 1001" &&
    types "kill %1; wait %1; echo no \"\"jobs" && sees "^no jobs" # with one bash does not heed the first exit
'

test_expect RUNC,TMUX 'after exit the status is the shell'"'"'s and the terminal as it was' '
    types "exit 42" && sees "host>" && types "echo status \$?" && sees "status 42" &&
    types "stty -a >$TRASH/modes.after" && test_wait "[ -s $TRASH/modes.after ]" &&
    sed "s/rows [0-9]*; columns [0-9]*//" modes >expect && sed "s/rows [0-9]*; columns [0-9]*//" modes.after >actual &&
    test_cmp expect actual
'

test_expect RUNC,TMUX 'a pipe behind it gets the bytes as they are, and the terminal is restored' '
    types "cdebug --store runc=$OCI_DIR/state $web -- printf \"a\\\\nb\\\\n\" | od -An -c >$TRASH/bytes" &&
    test_wait "[ -s $TRASH/bytes ]" && echo "   a  \\n   b  \\n" >expect && test_cmp expect bytes
'

test_expect RUNC,TMUX 'a signal that ends cdebug'"'"'s command restores the terminal' '
    types "cdebug --store runc=$OCI_DIR/state $web -- sleep 97$$" && test_wait "pgrep -f \"^sleep 97$$\"" &&
    kill -TERM "$(pgrep -o -f "cdebug.*sleep 97$$")" &&
    test_wait "! pgrep -f \"sleep 97$$\"" && types "echo status \$?" && sees "status 143" &&
    rm modes.after && types "stty -a >$TRASH/modes.after" && test_wait "[ -s $TRASH/modes.after ]" &&
    sed "s/rows [0-9]*; columns [0-9]*//" modes >expect && sed "s/rows [0-9]*; columns [0-9]*//" modes.after >actual &&
    test_cmp expect actual
'

test_expect RUNC,TMUX 'when the terminal goes away nothing is left' '
    types "cdebug --store runc=$OCI_DIR/state $web -- sh -c \"trap : HUP; while :; do sleep 96$$; done\"" &&
    test_wait "pgrep -f \"^sleep 96$$\"" && user kill-server && test_wait "! pgrep -f \"sleep 96$$\""
'

test_done
