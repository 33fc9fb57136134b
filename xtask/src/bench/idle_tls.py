"""idle_tls.py PORT COUNT...: opens COUNT SMTP connections with STARTTLS and holds them, for each COUNT (growing) in turn.

Prints `held COUNT` when they are open, and goes on when it reads a line; ends when its input does. Standard library only.
"""
import socket
import ssl
import sys


def reply(connection):
    """Reads one reply, which may have many lines."""
    data = b""
    while True:
        part = connection.recv(4096)
        if not part:
            raise OSError("closed by the server after %r" % data)
        data += part
        lines = data.split(b"\r\n")
        if lines[-1] == b"" and lines[-2][3:4] == b" ":
            return data


def connect(port, context):
    """Connects as far as the EHLO after STARTTLS."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    reply(plain)
    plain.sendall(b"EHLO client.example.org\r\n")
    if b"STARTTLS" not in reply(plain):
        raise OSError("the server offers no STARTTLS")
    plain.sendall(b"STARTTLS\r\n")
    reply(plain)
    connection = context.wrap_socket(plain)
    connection.sendall(b"EHLO client.example.org\r\n")
    reply(connection)
    return connection


def main():
    port = int(sys.argv[1])
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    held = []
    for count in map(int, sys.argv[2:]):
        while len(held) < count:
            held.append(connect(port, context))
        print("held", count, flush=True)
        if not sys.stdin.readline():
            break


main()
