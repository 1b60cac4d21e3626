import socket
import sys
from pathlib import Path

import pytest

from mooring.engine.sockets import Listener, listeners

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
little_endian = sys.byteorder == "little"


def table(*rows):
    return "\n".join([HEADER, *(f"   {n}: {row} 00000000:00000000 00:00000000" for n, row in enumerate(rows))])


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        ("0100007F:1F90 00000000:0000 0A", "127.0.0.1:8080"),
        ("00000000:1F40 00000000:0000 0A", "0.0.0.0:8000"),
        ("00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A", "[::]:8080"),
        ("00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A", "[::1]:8080"),
    ]
    if little_endian
    else [],
)
def test_a_listening_socket_is_read_as_people_write_it(row, seen):
    assert [str(one) for one in listeners([table(row)])] == [seen]


def test_a_connection_is_not_a_listener():
    assert listeners([table("0100007F:1F90 0100007F:D431 01")]) == ()


@pytest.mark.parametrize(
    "row", ["ZZZZ:QQ 0 0A", "0100007F:FFFFFF 00000000:0000 0A", "0100007F 0 0A", "01007F:1F90 00000000:0000 0A"]
)
def test_what_is_no_line_of_the_kernel_is_passed_over(row):
    assert listeners([table(row), "\x000 0 0A"]) == ()


def test_the_name_server_of_the_engine_is_not_the_images_doing():
    assert listeners([table("0B00007F:A1B2 00000000:0000 0A")]) == () or not little_endian


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True)]
)
def test_loopback_in_every_spelling_is_loopback(host, loopback):
    assert Listener(8080, host).is_loopback is loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "172.17.0.2", "::ffff:0.0.0.0"])
def test_an_address_others_reach_is_not_loopback(host):
    assert not Listener(8080, host).is_loopback


@pytest.mark.parametrize("kernel_table", [path for path in (Path("/proc/net/tcp"),) if path.exists()])
def test_a_socket_of_this_process_is_found_in_the_kernels_own_table(kernel_table):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert Listener(port, "127.0.0.1") in listeners([kernel_table.read_text()])
