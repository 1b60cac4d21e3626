"""Where the digits to learn from come from."""

import gzip
import http.server
import threading

import numpy as np
import pytest
import training_data


def idx(array):
    sizes = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


@pytest.mark.parametrize("shape", [(3, 28, 28), (7,), (0, 28, 28)])
def test_an_idx_file_is_read_as_the_array_it_holds(shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(np.uint8)
    read = training_data.parse_idx(idx(array))
    assert read.shape == shape
    assert (read == array).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it starts with nothing"),
        (b"<html>", "it starts with 3c 68 74 6d"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01\x00", "unsigned bytes"),
        (b"\x00\x00\x08\x03\x00\x00", "ends within its header"),
        (idx(np.zeros((2, 2)))[:-1], "3 values, and its header says"),
    ],
)
def test_what_is_not_an_idx_file_is_refused_saying_why(content, message):
    with pytest.raises(ValueError, match=message):
        training_data.parse_idx(content)


@pytest.fixture
def mirror():
    """The address of a server that has other files under MNIST's names."""

    class Impostor(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(gzip.compress(idx(np.zeros((1, 28, 28)))))

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Impostor)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_download_with_another_content_is_refused_and_not_kept(mirror, tmp_path):
    with pytest.raises(OSError, match=r"could not be downloaded; .* another SHA-256 than 440fcabf"):
        training_data.download(tmp_path, mirrors=[mirror])
    assert not list(tmp_path.iterdir())


def test_an_npz_file_of_another_shape_is_refused(tmp_path):
    np.savez(tmp_path / "digits.npz", images=np.zeros((5, 32, 32), np.uint8), labels=np.zeros(5, np.uint8))
    with pytest.raises(ValueError, match=r"uint8 \(5, 32, 32\), expected uint8 \(n, 28, 28\)"):
        training_data.load(tmp_path / "digits.npz")


def test_the_hold_out_is_always_the_same_and_shares_nothing_with_the_rest():
    images, labels = np.arange(100, dtype=np.uint8), np.arange(100, dtype=np.uint8)
    (learn, _), (held, answers) = training_data.divided(images, labels, hold_out=20)
    assert sorted([*learn, *held]) == list(range(100))
    assert (held == answers).all()
    assert (training_data.divided(images, labels, hold_out=20)[1][0] == held).all()
