"""Has no health url, but a file that is there as soon as it listens."""

from pathlib import Path

from keeps_the_contract import Api, Server, serve

WELL = Path("/tmp/well")  # noqa: S108 - the one place that any user may write to


class Bare(Api):
    def health(self):
        self.answer(404, {"reason": "Not Found"})


class Telling(Server):
    def server_activate(self):
        super().server_activate()
        WELL.touch()


serve(Bare, Telling)
