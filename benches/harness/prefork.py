"""Runs a program so many times, each with a listening socket of its own on one port (SO_REUSEPORT), handed
over as systemd does it: `prefork.py COUNT PORT PROGRAM ARGUMENTS…`."""

import os
import signal
import socket
import sys


def main():
    count, port, argv = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    children = [start(port, argv) for _ in range(count)]

    def stop(*_):
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    for child in children:
        os.waitpid(child, 0)


def start(port, argv):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(4096)
    child = os.fork()
    if child == 0:
        # sd_listen_fds(3): from descriptor 3 on, for the process of this id.
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        os.execv(argv[0], argv)
    listener.close()
    return child


main()
