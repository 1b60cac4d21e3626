"""A clamd as far as its protocol goes: finds files that hold a word, and takes no more than its limit of a stream."""

import os
import socket
import sys


def take(connection, size):
    held = b""
    while len(held) < size:
        more = connection.recv(size - len(held))
        if not more:
            raise EOFError
        held += more
    return held


def serve(connection, word, limit):
    command = b""
    while not command.endswith(b"\0"):
        command += take(connection, 1)
    if command == b"zVERSION\0":
        connection.sendall(b"ClamAV 0.0.0/double\0")
        return
    held = b""
    while size := int.from_bytes(take(connection, 4), "big"):
        held += take(connection, size)
        if len(held) > limit:
            connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")
            return
    found = word in held
    connection.sendall(b"stream: Double.Word FOUND\0" if found else b"stream: OK\0")


def main(address, word, limit, answers):
    """Serve so many connections, then fall silent: accept, and hang up."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        print("listening", flush=True)
        for number in range(1_000_000):
            connection, _ = listening.accept()
            with connection:
                try:
                    if number < answers:
                        serve(connection, word, limit)
                except (EOFError, OSError):
                    pass


if __name__ == "__main__":
    main(sys.argv[1], os.fsencode(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
