#!/bin/bash
# What a container's server, and a crowd of clients, can do to cdebug --forward: never read, never let go, come by the
# hundred. Its memory and its connections are bounded, and so are its words.
. "$(dirname "$0")/../lib/harness.sh"
. "$SONDE_SOURCE/tests/lib/attack.sh"
. "$SONDE_SOURCE/tests/lib/forward.sh"

# A relay that takes what it can get: memory grows with what the server leaves unread.
cat >naive.py <<'END'
import select, socket, sys
l = socket.create_server(('127.0.0.1', 0))
print(f'Forwarding 127.0.0.1:{l.getsockname()[1]} -> naive', flush=True)
c, _ = l.accept()
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
s.setblocking(False)
held = bytearray()
while True:
    r, w, _ = select.select([c], [s] if held else [], [])
    if r:
        held += c.recv(65536) or exit(0)
    if w:
        del held[:s.send(held[:65536])]
END

peak_mib() { awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$1/status"; }

test_expect UNSHARE,FORWARD 'naive: a server that never reads makes the relay hold all that its client sends' '
    serving && { python3 "$SONDE_SOURCE/tests/lib/forward.py" serve >here.out 2>&1 & here=$!; disown $here; forwarding+=("$here"); } &&
    test_wait "grep -q serving here.out" && { python3 naive.py 7002 >naive.out & naive=$!; disown $naive; forwarding+=("$naive"); } &&
    test_wait "[ -s naive.out ]" && client deaf 127.0.0.1 "$(sed "s/.*:\([0-9]*\) -> .*/\1/" naive.out)" >actual &&
    [ "$(cat actual)" -gt 500 ] && [ "$(peak_mib $naive)" -gt 400 ] && kill -KILL $naive $here
'

test_expect UNSHARE,FORWARD 'a server that never reads stops its client, and costs one buffer' '
    serving && forward --forward 0:7002 --forward 0:7001 && client deaf 127.0.0.1 "$port" >actual &&
    [ "$(cat actual)" -lt 64 ] && [ "$(peak_mib $forward)" -lt 8 ] &&
    port=$(sed -n "2s/.*:\([0-9]*\) -> .*/\1/p" forward.out) && client echo 127.0.0.1 "$port" >actual && test_grep "1 whole" actual
'

cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

test_expect UNSHARE,FORWARD 'a flood of connections is 256 of them and one line; the next is served when they are gone' '
    serving && forward --forward 0:7001 && flood "$port" 600 &&
    # of a flood 64 at a time get in, the others when they knock again: after 1, 3, 7 and 15 s
    test_wait "[ -s forward.err ]" 60 && [ "$(ls /proc/$forward/fd | wc -l)" -le 530 ] &&
    [ "$(peak_mib $forward)" -lt 40 ] && before=$(cpu_ticks $forward) && sleep 1 && [ $(($(cpu_ticks $forward) - before)) -lt 20 ] &&
    test_grep "256 connections: more wait" forward.err && [ "$(wc -l <forward.err)" = 1 ] &&
    kill $flood && client echo 127.0.0.1 "$port" >actual && test_grep "1 whole" actual && unforward
'

test_expect UNSHARE,FORWARD 'a flood of connections that are refused is not one of lines' '
    serving && forward --forward 0:7999 && client closed 127.0.0.1 "$port" 400 >actual && test_grep "400 ended" actual &&
    [ "$(wc -l <forward.err)" -lt 60 ] && [ "$(grep -c refused forward.err)" -ge 1 ] && unforward
'

test_expect UNSHARE,FORWARD 'clients that reset while the server is deaf leave nothing behind, and it does not spin' '
    serving && forward --forward 0:7002 && fds=$(ls "/proc/$forward/fd" | wc -l) && client deaf 127.0.0.1 "$port" >actual &&
    test_wait "[ \"\$(ls /proc/$forward/fd | wc -l)\" = $fds ]" 5 && before=$(cpu_ticks $forward) && sleep 1 &&
    [ $(($(cpu_ticks $forward) - before)) -lt 20 ] && unforward
'

test_done
