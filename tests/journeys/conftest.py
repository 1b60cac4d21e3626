"""How a page of docs/tutorial is walked: its commands typed, its files written, its answers compared.

A page consists of text and of fenced blocks, and no block goes untried:

* ```console: `$ command` is typed in a terminal, `> ` continues it, and what follows must be its output. Commands that
  keep their terminal (`mooring serve`, `run`, `up`) get the first one, all others the second. A block that begins
  with `^C` is that key in the first terminal and what it prints then; a block without any command is what the first
  terminal has printed meanwhile.
* ```diff after a line that ends with `` `path`: `` changes that file; any other block after such a line is the file.

In outputs, `...` stands for anything within a line, and alone on a line for any number of lines. What differs from run
to run (VOLATILE) is not compared. A command that shows nothing must print nothing and succeed.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PATIENCE_SECONDS = 120
END_SECONDS = 30
POLL_SECONDS = 0.05
PORT, PLATFORM_PORT = "8080", "8000"
VOLATILE = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "TIME"),
    (r"\b\d+\.\d+ ?(ms|s)\b", r"SOME \1"),
    (r"\b(ms|queue_ms|model_ms|seconds|dur|pid)=[\d.]+", r"\1=SOME"),
    (r"\b[0-9a-f]{8}-\d{6}\b", "REQUEST"),
    (r"(?<=:1 )[0-9a-f]{12}\b", "IMAGE"),
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID"),
)
# A request is logged when its caller has the answer already: maybe only after the reader's next key.
LATE = r"(?:.* INFO request .*\n)*"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([^`\s]+)`:\n*\Z")
KEEPS_ITS_TERMINAL = re.compile(r"mooring (serve|run|up) (?!.*(?:\s-d\b|--detach))")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its lines, the file it is (or ""), and the page's line its text begins on."""

    kind: str
    lines: tuple[str, ...]
    file: str
    place: int


def blocks(text):
    """The fenced blocks of a page, in order."""
    for found in FENCE.finditer(text):
        named = NAMED.search(text[: found.start()])
        place = text.count("\n", 0, found.start()) + 2
        yield Block(found[1], tuple(found[2].splitlines()), named[1] if named else "", place)


def steps(block):
    """What a console block says: (line of the page, command or "^C" or "", lines shown)."""
    told = []
    for place, line in enumerate(block.lines, block.place):
        if line.startswith("$ ") or line == "^C" or not told:
            is_typed = line.startswith("$ ") or line == "^C"
            told.append((place, line.removeprefix("$ ") if is_typed else "", [] if is_typed else [line]))
        elif line.startswith("> ") and not told[-1][2]:
            told[-1] = (told[-1][0], f"{told[-1][1]}\n{line.removeprefix('> ')}", [])
        else:
            told[-1][2].append(line)
    return told


def pattern(shown):
    """What matches the lines shown, each to its end."""
    parts = []
    for line in shown:
        pieces = (re.escape(piece) for piece in _steady(line).split("..."))
        parts.append(r"(?:.*\n)*?" if line == "..." else "[^\n]*".join(pieces) + r"[^\S\n]*\n")
    return "".join(parts) + r"\n*"


def _steady(text):
    for volatile, steady in VOLATILE:
        text = re.sub(volatile, steady, text)
    return text


@dataclass
class Walk:
    """One reader: a folder, two terminals, and names of their own for what the whole machine can see."""

    folder: Path
    names: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    page: str = ""
    _first: subprocess.Popen[bytes] | None = None
    _log: Path = Path()
    _seen: int = 0

    def read(self, page):
        """Do what the file `page` says; fail at the first thing that is not as it says."""
        here = {f"127.0.0.1:{port}": f"127.0.0.1:{free_port()}" for port in (PORT, PLATFORM_PORT)}
        self.page, self.names = page.name, {**self.names, **here}
        # Where the commands look for a platform unless they are told, but for the port.
        self.environment["MOORING_URL"] = f"http://{here[f'127.0.0.1:{PLATFORM_PORT}']}"
        try:
            for block in blocks(page.read_text(encoding="utf-8")):
                self._do(block)
        finally:
            self._close()

    def _do(self, block):
        if block.kind != "console":
            self._write(block)
            return
        for place, typed, shown in steps(block):
            if typed == "^C":
                self._interrupt(place, shown)
            elif not typed:
                self._await(place, "", shown)
            elif KEEPS_ITS_TERMINAL.match(typed):
                self._open(place, typed, shown)
            else:
                self._type(place, typed, shown)

    def _write(self, block):
        if not block.file:
            self._fail(block.place, "a block must be console, or follow a line that ends with `path`:")
        file = self.folder / block.file
        if block.kind != "diff":
            file.write_text(self._ours("\n".join(block.lines)) + "\n", encoding="utf-8")
            return
        before = "".join(f"{line[1:]}\n" for line in block.lines if line[0] in " -")
        after = "".join(f"{line[1:]}\n" for line in block.lines if line[0] in " +")
        text = file.read_text(encoding="utf-8")
        if text.count(before) != 1:
            self._fail(block.place, f"{block.file} holds these lines {text.count(before)} times:\n{before}")
        file.write_text(text.replace(before, after), encoding="utf-8")

    def _type(self, place, typed, shown):
        try:
            done = self._run(self._ours(typed))
        except subprocess.TimeoutExpired as late:
            self._fail(
                place, f"$ {typed}\nhad not ended after {PATIENCE_SECONDS} s:\n{self._theirs(late.stdout or b'')}"
            )
        got = self._theirs(done.stdout)
        if done.returncode and not shown:
            self._fail(place, f"$ {typed}\nended with exit code {done.returncode}:\n{got}")
        self._compare(place, typed, shown, got)

    def _run(self, command):
        return subprocess.run(
            ("bash", "-c", command),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def _open(self, place, typed, shown):
        if self._first and not self._ended(END_SECONDS):
            self._fail(place, f"$ {typed}\nbut the first terminal is still busy")
        is_platform = typed.startswith("mooring up")
        address = self.names[f"127.0.0.1:{PLATFORM_PORT if is_platform else PORT}"]
        where = f"--listen {address}" if is_platform else f"--port {address.partition(':')[2]}"
        self._log, self._seen = self.folder.parent / "first-terminal.log", 0
        with self._log.open("wb") as output:
            self._first = subprocess.Popen(
                ("bash", "-c", f"exec {self._ours(typed)} {where}"),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._await(place, typed, shown)

    def _await(self, place, typed, shown):
        """Wait until the first terminal shows these lines, one after the other; what comes before them may be more."""
        start = "" if typed else r"(?:.*\n)*?"
        wanted = re.compile(start + pattern(shown))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            ended = not self._first or self._first.poll() is not None
            output = self._log.read_bytes()[self._seen :] if self._first else b""
            got = self._theirs(output)
            if wanted.match(_steady(got)):
                self._seen += len(output)
                return
            if ended or time.monotonic() > deadline:
                self._fail(place, _difference(typed or "(in the first terminal)", shown, got))
            time.sleep(POLL_SECONDS)

    def _interrupt(self, place, shown):
        if not self._first or self._first.poll() is not None:
            self._fail(place, "nothing runs in the first terminal that Ctrl-C could end")
        self._seen = self._log.stat().st_size
        self._first.send_signal(signal.SIGINT)
        if not self._ended(END_SECONDS):
            self._fail(place, f"Ctrl-C, and {END_SECONDS} s later it still runs:\n{self._log.read_text()}")
        self._compare(place, "^C", shown, self._theirs(self._log.read_bytes()[self._seen :]), before=LATE)

    def _compare(self, place, typed, shown, got, *, before=""):
        if not re.fullmatch(before + pattern(shown), _steady(got)):
            self._fail(place, _difference(typed, shown, got))

    def _ended(self, seconds):
        try:
            self._first.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _close(self):
        if self._first and self._first.poll() is None:
            self._first.send_signal(signal.SIGINT)
            if not self._ended(END_SECONDS):
                self._first.kill()
                self._first.wait()
        self._first = None

    def _ours(self, typed):
        for theirs, ours in self.names.items():
            typed = typed.replace(theirs, ours)
        return typed

    def _theirs(self, output):
        text = output.decode(errors="replace").replace("\r\n", "\n")
        for theirs, ours in self.names.items():
            text = text.replace(ours, theirs)
        port = self.names[f"127.0.0.1:{PORT}"].partition(":")[2]
        text = text.replace(f"port={port}", f"port={PORT}")
        return text if not text or text.endswith("\n") else text + "\n"

    def _fail(self, place, what):
        pytest.fail(f"{self.page}, line {place}: {what}", pytrace=False)


def _difference(typed, shown, got):
    return f"$ {typed}\n--- the page says\n" + "\n".join(shown) + f"\n--- the machine says\n{got}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    """Give somebody who has just begun, in an empty folder, with `mooring` on the PATH and nothing set for it."""

    def begins(**names):
        home = tmp_path_factory.mktemp("reader")
        (home / ".curlrc").write_text("no-progress-meter\n")  # as in a terminal, which has no pipe behind it
        (home / "work").mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MOORING_", "PYTEST_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        ours = {"PATH": path, "CURL_HOME": str(home), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        ours |= {"XDG_DATA_HOME": str(home / "data"), "XDG_CONFIG_HOME": str(home / "config")}
        return Walk(folder=home / "work", names=names, environment={**kept, **ours})

    return begins
