"""The limit: what one worker could do if HTTP cost nothing. Decoding and inference in a loop, in one process."""

import argparse
import io
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["jpeg", "json"])
    parser.add_argument("content", type=Path, help="the picture, or the JSON body")
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    import model
    import msgspec

    handler, content = model.load(), given.content.read_bytes()
    decode = msgspec.json.Decoder().decode
    if given.kind == "jpeg":
        answer = lambda: handler.predict(images=io.BytesIO(content))  # noqa: E731 - what is timed, in one place
    else:
        answer = lambda: handler.predict(**decode(content))  # noqa: E731 - what is timed, in one place
    for _ in range(50):
        digit = answer()["mnist_result"]
    requests, cpu, began = 0, time.process_time(), time.perf_counter()
    while time.perf_counter() - began < given.seconds:
        for _ in range(20):
            answer()
        requests += 20
    elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"requests_per_second": requests / elapsed, "cpu_us": cpu / requests * 1e6, "digit": digit}))


if __name__ == "__main__":
    main()
