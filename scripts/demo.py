"""`make demo`: the main job, seen end to end.

The mnist example is served by a process, asked for a 7, and for every digit we drew. Then, where a container engine
answers, the same from its image. At last a platform deploys it: two instances, called through the gateway, and then a
batch job over all those digits.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
MNIST = Path("examples/mnist")
SAMPLES = MNIST / "samples"
IMAGE = "mooring-demo-mnist:1"
NAME, BATCH = "mooring-demo", "mooring-demo-batch"
PLATFORM_PORT = 8000
MOORING = [sys.executable, "-m", "mooring.cli"]
DIGITS = "0123456789"


def main() -> None:
    """Run the demonstration; exit 1 when an answer is wrong."""
    os.chdir(REPOSITORY)
    port = free_port()
    with serving(port):
        ask_everything(port)
    missing = no_engine()
    if not missing:
        step("build", str(MNIST), "-t", IMAGE)
        step("check", IMAGE, "--sample", f"images=@{SAMPLES / 'seven.jpg'}")
        port = free_port()
        with running(port):
            ask_everything(port)
    deploy(str(MNIST) if missing else IMAGE, *(("--engine", "process") if missing else ()))
    if missing:
        print(f"\nThe image was left out: {missing}")
        print("\nThe process and the platform answered as they should.")
    else:
        print("\nThe process, the image and the platform answered as they should.")


def deploy(source: str, *options: str) -> None:
    """Start a platform of its own, and take the example through it from its import to its end."""
    with tempfile.TemporaryDirectory(prefix="mooring-demo-") as folder, platform(Path(folder), *options):
        step("import", source, NAME, "--kind", "both")
        try:
            step("deploy", NAME, "--instances", "2")
            answer = step("predict", f"{NAME}/", "-F", f"images=@{SAMPLES / 'seven.jpg'}", shown=True)
            expect(json.loads(answer) == {"mnist_result": 7}, "the answer must be 7")
            step("monitor", NAME)
            expect("method=POST path=/ status=200" in step("logs", NAME, shown=True), "the log must have the request")
            step("stop", NAME)
            run_batch(Path(folder))
        finally:
            # The service, and the model: its copy of the image goes with it.
            step("delete", NAME, f"{NAME}:")


def run_batch(folder: Path) -> None:
    """Run the example over every digit we drew, three instances at once, and read what they read."""
    pictures = sorted(one.relative_to(SAMPLES) for one in SAMPLES.rglob("[0-9].*"))
    for picture in pictures:
        (folder / "scans" / picture).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SAMPLES / picture, folder / "scans" / picture)
    words = ("--input", str(folder / "scans"), "--output", str(folder / "read"), "--instances", "3", "--name", BATCH)
    step("batch", "run", NAME, *words)
    try:
        results = [folder / "read" / "infer-result" / f"{one}_result.txt" for one in pictures]
        read = [json.loads(result.read_text())["mnist_result"] for result in results]
        wrong = [str(one) for one, digit in zip(pictures, read, strict=True) if str(digit) != one.stem]
        print(f"{len(pictures)} pictures in one batch job: ", end="")
        print(f"wrong: {', '.join(wrong)}" if wrong else "every digit right")
        expect(not wrong, "some samples were read wrongly")
    finally:
        step("delete", BATCH)


@contextlib.contextmanager
def platform(folder: Path, *options: str) -> Iterator[None]:
    """A platform with its data in that folder; the commands are told where it is."""
    data, address = folder / "data", f"127.0.0.1:{free_port(PLATFORM_PORT)}"
    command = ["up", *options, "--listen", address]
    say(f"{' '.join(['mooring', *command])} &")
    os.environ |= {"MOORING_DATA": str(data), "MOORING_URL": f"http://{address}"}
    process = subprocess.Popen([*MOORING, *command])
    try:
        healthy(f"http://{address}/healthz", process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def ask_everything(port: int) -> None:
    """The seed example, health, and every sample."""
    url = f"http://127.0.0.1:{port}/"
    say(f"curl -X POST {url} -F images=@{SAMPLES / 'seven.jpg'}")
    answer = predicted(url, SAMPLES / "seven.jpg")
    print(json.dumps(answer))
    expect(answer == {"mnist_result": 7}, "the answer must be 7")
    say(f"curl {url}health")
    response = httpx.get(f"{url}health", timeout=10)
    print(response.status_code, response.text)
    expect(response.json() == {"health": "true"}, "health must be true")
    pictures = sorted(SAMPLES.rglob("[0-9].*"))
    wrong = [str(one) for one in pictures if str(predicted(url, one)["mnist_result"]) != one.stem]
    print(f"{len(pictures)} pictures of 0 to 9, in {len({one.parent for one in pictures})} hands: ", end="")
    print(f"wrong: {', '.join(wrong)}" if wrong else "every digit right")
    expect(len(pictures) >= len(DIGITS) and not wrong, "some samples were read wrongly")


def predicted(url: str, picture: Path) -> dict[str, int]:
    """The answer to one picture."""
    response = httpx.post(url, files={"images": (picture.name, picture.read_bytes())}, timeout=30)
    body: dict[str, int] = response.raise_for_status().json()
    return body


@contextlib.contextmanager
def serving(port: int) -> Iterator[None]:
    """The example, served by a process of this machine."""
    say(f"mooring serve {MNIST} --port {port} &")
    process = subprocess.Popen([*MOORING, "serve", str(MNIST), "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        healthy(f"http://127.0.0.1:{port}/health", process)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


@contextlib.contextmanager
def running(port: int) -> Iterator[None]:
    """The example's image, run by the engine."""
    name = f"mooring-demo-{os.getpid()}"
    step("run", IMAGE, "--port", str(port), "--name", name, "--detach")
    try:
        yield
    finally:
        engine = shutil.which("docker") or shutil.which("podman") or "docker"
        subprocess.run([engine, "rm", "--force", name], check=False, capture_output=True)


def healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers 200."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        expect(process.poll() is None, "the server ended")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=5).is_success:
                return
        time.sleep(0.05)
    expect(False, "the server did not become healthy within 60 s")


def no_engine() -> str:
    """Why the image part cannot be shown here, "" when it can."""
    for engine in ("docker", "podman"):
        if (
            shutil.which(engine)
            and subprocess.run([engine, "version"], check=False, capture_output=True).returncode == 0
        ):
            break
    else:
        return "no Docker or Podman answers here"
    if shutil.which("mmdebstrap") is None:
        return "mmdebstrap is not installed, which makes the base image (Debian: apt install mmdebstrap)"
    return "" if os.geteuid() == 0 else "making the base image with mmdebstrap needs root"


def step(*arguments: str, shown: bool = False) -> str:
    """Run one mooring command before everybody's eyes; with `shown`, what it printed is returned, too."""
    say(" ".join(["mooring", *arguments]))
    done = subprocess.run([*MOORING, *arguments], check=False, stdout=subprocess.PIPE if shown else None, text=True)
    if shown:
        print(done.stdout, end="", flush=True)
    expect(done.returncode == 0, "the command failed")
    return done.stdout or ""


def say(command: str) -> None:
    """Show a command as it would be typed."""
    print(f"\n$ {command}", flush=True)


def expect(truth: bool, what: str) -> None:  # noqa: FBT001 - it is an assertion
    """End the demonstration when something is not as it must be."""
    if not truth:
        sys.exit(f"demo: {what}")


def free_port(wished: int = 8080) -> int:
    """That one if it is free, else any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wished))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
