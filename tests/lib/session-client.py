#!/usr/bin/env python3
"""session-client.py SOCKET: connects to a detached session as cdebug --attach does, whoever it is; prints what
it is given in a second, or "nothing". With --listen it answers there in the holder's place instead;
with --flood it connects 300 times and says what is no packet.
"""
import os
import socket
import struct
import sys


def attach(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(1)
    got = b''
    try:
        s.connect(path)
        # kind 0: typed
        s.send(struct.pack('I', 0) + b'echo taken over\n')
        while True:
            packet = s.recv(8192)
            if not packet:
                break
            got += packet[4:]
    except PermissionError:
        got = b'denied'
    except OSError:
        pass
    print(got.decode(errors='replace') or 'nothing')


def listen(path):
    if os.path.exists(path):
        os.unlink(path)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(path)
    s.listen(8)
    print('listening', flush=True)
    while True:
        c, _ = s.accept()
        c.send(struct.pack('I', 0) + b'PWNED\n')


def flood(path):
    junk = [b'x', b'\0', struct.pack('I', 99) + b'y' * 9000, struct.pack('I', 1) + b'z']
    many = []
    for n in range(300):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(path)
        try:
            # what is left of the packet before must not count
            s.send(struct.pack('I', 0) + b' ')
            s.send(junk[n % 4])
        except OSError:
            pass
    for n in range(12):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(path)
        many.append(s)
    print('flooded')


if sys.argv[1] == '--listen':
    listen(sys.argv[2])
elif sys.argv[1] == '--flood':
    flood(sys.argv[2])
else:
    attach(sys.argv[1])
