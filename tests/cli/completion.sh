#!/bin/bash
# The bash completion that `make` prints from a tool's option table.
. "$(dirname "$0")/../lib/harness.sh"

# complete_line WORD...: what bash offers for the last word, in `actual`. In a shell of its own: completion
# scripts are not written for `set -u`.
complete_line()
{
    bash -c '
        . "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        compopt() { :; }
        "_$1"; printf "%s\n" "${COMPREPLY[@]}"
    ' - "$SONDE_BUILD/completion/$1" "$@" >actual 2>err && test_empty err
}

offers() { local expect=$1; shift; complete_line "$@" && tr ' ' '\n' <<<"$expect" >expect && test_cmp expect actual; }

# stub SCRIPT: a cps of ours in front of the real one
stub() { mkdir -p bin && printf '#!/bin/bash\n%s\n' "$1" >bin/cps && chmod +x bin/cps; }

test_expect 'options are completed' '
    offers "--no-trunc --no-headings" cps --no- && offers "--sort" cps -a --so
'

test_expect 'every tool has a completion that bash reads' '
    for tool in "$SONDE_BUILD"/completion/*; do
        bash -n "$tool" && complete_line "$(basename "$tool")" --he && test_grep "^--help$" actual || return 1
    done
'

test_expect 'arguments of options are completed, also behind =' '
    offers "net" cps --ns -t ne && offers "status=" cps -f st && offers "NAME" cps -o NA && offers "NAME" cps --output = NA &&
    offers "+ID,NAME" cps -o +ID,NA && offers "-NAME" cps --sort -NA
'

test_expect 'operands are the names of containers' '
    stub "echo web; echo db; echo web-2" && PATH=$PWD/bin:$PATH offers "web web-2" cps w
'

test_expect 'a name that bash would expand is quoted, and nothing of it is run' '
    stub "echo \"w\\\$(touch \$PWD/owned)\"; echo \"w*\"; echo \"w;reboot\"" && (PATH=$PWD/bin:$PATH && complete_line cps w) &&
    test ! -e owned && printf "%s\n" "w\\\$\\(touch" "w\\*" "w\\;reboot" >expect && test_cmp expect actual
'

test_done
