"""Asks the port on 127.0.0.1 for /, trusting a CA and calling the server by a name."""

import socket
import ssl
import sys

port, ca, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=ca)
try:
    with socket.create_connection(("127.0.0.1", port), 15) as tcp:
        with context.wrap_socket(tcp, server_hostname=name) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            print(tls.recv(4096).decode())
except ssl.SSLError as error:
    sys.exit(str(error))
