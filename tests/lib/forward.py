#!/usr/bin/env python3
"""forward.py serve: servers of several manners on localhost, in the network that it is started in.
forward.py MANNER ADDRESS PORT [N]: a client of one, prints what it got.

  echo    7001, and 7004 on ::1: what comes goes back; after the client's end "bye", then its own end
  deaf    7002: never reads
  pour    7003: 8 MiB, then the end
  reset   7005: an answer, then a reset
"""
import hashlib
import os
import socket
import struct
import sys
import threading
import time

AT_ONCE = struct.pack('ii', 1, 0)  # a reset
POURED = hashlib.sha256(b'pour').digest() * (8 * 1024 * 1024 // 32)


def echo(c):
    while True:
        data = c.recv(65536)
        if not data:
            break
        c.sendall(data)
    c.sendall(b'bye')
    c.close()


def deaf(c):
    time.sleep(1000)


def pour(c):
    c.sendall(POURED)
    c.close()


def reset(c):
    c.recv(1)
    c.sendall(b'no')
    time.sleep(0.2)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    c.close()


def accept(family, address, port, manner):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(300)

    def loop():
        while True:
            c, _ = s.accept()
            threading.Thread(target=manner, args=(c,), daemon=True).start()
    threading.Thread(target=loop, daemon=True).start()


def serve():
    threading.stack_size(256 * 1024)
    for port, manner in ((7001, echo), (7002, deaf), (7003, pour), (7005, reset)):
        accept(socket.AF_INET, '127.0.0.1', port, manner)
    accept(socket.AF_INET6, '::1', 7004, echo)
    print('serving', flush=True)
    time.sleep(1000000)


def connect(address, port):
    return socket.create_connection((address, port), timeout=20)


def client_echo(address, port, n=1):
    """n connections, all open before the first says a word; each says something of its own, ends, and reads on."""
    cs = [connect(address, port) for _ in range(n)]
    for i, c in enumerate(cs):
        c.sendall(b'%d.' % i * 50000)
        c.shutdown(socket.SHUT_WR)
    good = 0
    for i, c in enumerate(cs):
        got = b''.join(iter(lambda: c.recv(65536), b''))
        good += got == b'%d.' % i * 50000 + b'bye'
    print(good, 'whole')


def client_pour(address, port, n=1):
    """A slow reader."""
    c = connect(address, port)
    time.sleep(n)
    print('whole' if b''.join(iter(lambda: c.recv(65536), b'')) == POURED else 'torn')


def client_deaf(address, port, n=1):
    """Writes as long as it can: how much that was, in MiB. Ends with a reset."""
    c = connect(address, port)
    c.setblocking(False)
    sent, last = 0, time.time()
    while time.time() - last < 1 and sent < 1 << 30:
        try:
            sent += c.send(bytes(65536))
            last = time.time()
        except BlockingIOError:
            time.sleep(0.01)
    print(sent >> 20)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)


def client_reset(address, port, n=1):
    c = connect(address, port)
    c.sendall(b'?')
    got = b''
    try:
        got += c.recv(100)
        got += c.recv(100)
        print(got.decode(), 'end')
    except ConnectionResetError:
        print(got.decode(), 'reset')


def client_closed(address, port, n=1):
    """n connections that nobody takes."""
    ends = 0
    for _ in range(n):
        try:
            c = connect(address, port)
            ends += c.recv(1) == b''
        except ConnectionResetError:
            ends += 1
    print(ends, 'ended')


def client_flood(address, port, n=1):
    """n connections that stay open, until it is killed; says when they are made."""
    cs = []
    for _ in range(n):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex((address, port))
        cs.append(s)
    print('flooded', flush=True)
    time.sleep(1000)


if __name__ == '__main__':
    if sys.argv[1] == 'serve':
        serve()
    else:
        globals()['client_' + sys.argv[1]](sys.argv[2], int(sys.argv[3]), *map(int, sys.argv[4:]))
        sys.stdout.flush()
        os._exit(0)
