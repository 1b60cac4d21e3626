"""Models on their way in: what is kept of them, what the gate says, and what kills and deletes leave behind."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import docker
import pytest
from doubles import archives
from doubles.registry import Registry, digest_of, tar_of

from mooring.control.catalog import Catalog
from mooring.control.copies import image_name
from mooring.control.importing import Importer
from mooring.control.model_views import ModelWish
from mooring.control.settings import Settings, Timings
from mooring.control.story import EventQuery, Story
from mooring.control.tables import Project
from mooring.errors import NotFound
from mooring.gateway.table import Principal

PROJECT = "a" * 32
ME = Principal(PROJECT, "me", "key-1")
PATIENCE_SECONDS = 200
HANDLER = """
from mooring_serve import Handler


class Knots(Handler):
    def setup(self, model_dir):
        self.scale = float((model_dir / "scale.txt").read_text())

    def predict(self, speed):
        return {"knots": speed * self.scale}
"""
HEALTH = {"url": "/health", "protocol": "http", "initial_delay_seconds": "12", "timeout_seconds": "3"}


def config(properties, answers, *, health=HEALTH, **more):
    body = {"Content-type": "application/json", "data": {"type": "object", "properties": properties}}
    answer = {"Content-type": "application/json", "data": {"type": "object", "properties": answers}}
    api = {"protocol": "http", "url": "/", "method": "POST", "request": body, "response": answer}
    return {"model_algorithm": "reading", "model_type": "Image", "apis": [api], "health": health, **more}


KNOTS = config({"speed": {"type": "number", "minimum": 0}}, {"knots": {"type": "number"}})
TEXT = config({"text": {"type": "string", "maxLength": 1000}}, {"mnist_result": {"type": "integer"}})


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "knots"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "scale.txt").write_text("1.94")
    (folder / "handler.py").write_text(HANDLER)
    (folder / "config.json").write_text(json.dumps(KNOTS))
    return folder


# A platform's importer in a process of its own, for whoever kills it.
PLATFORM = """
import asyncio, sys
from pathlib import Path
from mooring.control.database import Database, now_ms
from mooring.control.importing import Importer
from mooring.control.settings import Settings
from mooring.control.story import Story

settings = Settings(data=Path(sys.argv[1]), database=sys.argv[2])
db = Database.open(settings)
asyncio.run(Importer(db, Story(db, now_ms), settings, now_ms, "process").work())
"""


class Yard:
    """A catalog and its importer on a database; another one on the same goes on where this one was left."""

    def __init__(self, db, clock, data, *, engine="process", gate="strict"):
        timings = Timings(database_seconds=1, resync_seconds=0.05)
        self.settings = Settings(data=data, gate=gate, timings=timings)
        self.db, self.engine = db, engine
        self.story = Story(db, clock)
        self.catalog = Catalog(db, self.story, self.settings, clock)
        self.importer = Importer(db, self.story, self.settings, clock, engine)
        self.catalog.on_wish = self.importer.wake

    def create(self, place, *, version="1.0.0", initial_config="", **how):
        fields = {"model_type": "Image", "install_type": ("real-time",), **how}
        sent = json.dumps(initial_config) if initial_config else ""
        return self.catalog.create(
            ME,
            ModelWish(
                model_name="knots", model_version=version, source_location=str(place), initial_config=sent, **fields
            ),
        )

    def get(self, model_id):
        return self.catalog.get(ME, model_id)

    def events(self, model_id, kind=""):
        query = EventQuery(order="asc", event_type=kind)
        return [one.event_info for one in self.story.events(PROJECT, model_id, query).items]

    def kept(self):
        folder = self.settings.data / "models"
        return sorted(os.listdir(folder)) if folder.exists() else []

    def work_until(self, done):
        """Let the importer work until it is so; then it is cancelled, as when the platform goes down."""

        async def work():
            task = asyncio.create_task(self.importer.work())
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not await asyncio.to_thread(done):
                assert time.monotonic() < deadline, "it was still not so"
                assert not task.done(), task.exception()
                await asyncio.sleep(0.02)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        asyncio.run(work())

    def settle(self, *model_ids):
        self.work_until(lambda: all(self.get(one).status not in ("publishing", "building") for one in model_ids))
        found = [self.get(one) for one in model_ids]
        return found[0] if len(found) == 1 else found


@pytest.fixture
def yard(db, clock, settings):
    with db.begin() as session:
        session.add(Project(id=PROJECT, name="default", domain_id="d", domain_name="mooring", created_at=clock()))

    def make(**how):
        return Yard(db, clock, settings.data, **how)

    return make


def test_a_project_is_checked_copied_and_published(yard, project):
    here = yard()
    made = here.create(project)
    model = here.settle(made)
    assert (model.status, model.error_msg) == ("published", "")
    copy = Path(model.image)
    assert copy.is_relative_to(here.settings.data)
    assert (copy / "handler.py").read_text() == HANDLER
    assert model.image_digest.startswith("sha256:")
    assert model.size_bytes == sum(file.stat().st_size for file in project.rglob("*") if file.is_file())
    assert json.loads(model.initial_config) == KNOTS
    assert model.config["apis"][0]["url"] == "/"
    assert here.catalog.report(ME, made)["verdict"] == "keeps"
    told = here.events(made)
    assert (told[0], told[-1]) == ("Start model import.", "The model is imported.")


def test_the_copy_leads_to_the_projects_own_python_and_keeps_its_settings(yard, project):
    (project / ".venv").mkdir()
    (project / "mooring.toml").write_text('edition = "otc-2022"\n')
    here = yard()
    copy = Path(here.settle(here.create(project)).image)
    assert (copy / ".venv").readlink() == project / ".venv"
    assert (copy / "mooring.toml").read_text() == 'edition = "otc-2022"\n'


def test_without_a_copy_the_folder_itself_is_kept_by_its_path(yard, project):
    here = yard()
    assert here.settle(here.create(project, source_copy=False)).image == str(project)


def test_another_config_counts_in_the_place_of_the_projects_and_is_echoed_as_it_was_sent(yard, project):
    sent = {**KNOTS, "model_algorithm": "wind"}
    here = yard()
    model = here.settle(here.create(project, initial_config=sent))
    assert model.initial_config == json.dumps(sent)
    assert model.config["model_algorithm"] == "wind"
    report = json.dumps(here.catalog.report(ME, model.id))
    assert str(here.settings.data) not in report


def test_what_must_be_mended_keeps_a_model_out_and_is_told(yard, project):
    wrong = {**KNOTS, "dependencies": [{"installer": "pip", "packages": [{"package_name": "numpy"}]}]}
    wrong["apis"] = [{**KNOTS["apis"][0], "method": "BREW"}]
    (project / "config.json").write_text(json.dumps(wrong))
    here = yard(gate="static")
    made = here.create(project)
    model = here.settle(made)
    assert model.status == "failed"
    assert model.error_msg.startswith("CFG-API-04: ")
    assert model.error_msg.endswith("(and 1 more)")
    told = here.events(made, "abnormal")
    assert any(line.startswith("Customize model does not support dependencies. CFG-DEP-01") for line in told)
    assert here.catalog.report(ME, made)["verdict"] == "breaks"
    assert here.kept() == []


def test_an_open_gate_lets_everything_in_and_writes_no_report(yard, project):
    wrong = {**KNOTS, "apis": [{**KNOTS["apis"][0], "method": "BREW"}]}
    (project / "config.json").write_text(json.dumps(wrong))
    here = yard(gate="off")
    model = here.settle(here.create(project))
    assert model.status == "published"
    with pytest.raises(NotFound):
        here.catalog.report(ME, model.id)


def test_what_the_project_accepts_is_accepted(yard, project):
    wrong = {**KNOTS, "apis": [{**KNOTS["apis"][0], "method": "BREW"}]}
    (project / "config.json").write_text(json.dumps(wrong))
    (project / "mooring.toml").write_text('accept = ["CFG-API-04: a teapot"]\n')
    here = yard()
    assert here.settle(here.create(project)).status == "published"


def test_a_link_out_of_the_project_is_not_followed(yard, project):
    (project / "model" / "passwd").symlink_to("/etc/passwd")
    here = yard()
    model = here.settle(here.create(project))
    assert model.status == "failed"
    assert "outside of the project" in model.error_msg
    assert here.kept() == []


def test_a_project_with_a_server_of_its_own_needs_another_engine(yard, project):
    (project / "handler.py").unlink()
    (project / "Dockerfile").write_text("FROM scratch\n")
    here = yard()
    model = here.settle(here.create(project))
    assert (model.status, "has a server of its own" in model.error_msg) == ("failed", True)


def test_an_image_needs_another_engine(yard):
    here = yard()
    model = here.settle(here.create("team/knots:1", initial_config=TEXT))
    assert model.status == "failed"
    assert "--engine docker" in model.error_msg


def test_a_package_of_an_engine_is_taken_from_its_folder(yard, tmp_path):
    package = tmp_path / "package" / "model"
    package.mkdir(parents=True)
    (package / "customize_service.py").write_text("class Service:\n    pass\n")
    (package / "config.json").write_text(json.dumps({**KNOTS, "model_type": "PyTorch"}))
    here = yard(gate="static")
    model = here.settle(here.create(package.parent, model_type="pytorch"))
    assert (model.status, model.error_msg, model.model_type) == ("published", "", "PyTorch")


def archive(path, *, labels, server="print('hello')"):
    layer = archives.layer(archives.file("app/serve.py", server, mode=0o755))
    described = archives.config_of([layer], ["COPY"], User="1000:100", Cmd=["/app/serve.py"], Labels=labels)
    return archives.docker_save(path, [layer], described)


def test_an_archive_is_read_for_its_config_and_judged_without_an_engine(yard, tmp_path):
    place = archive(tmp_path / "knots.tar", labels={"io.mooring.config": json.dumps(TEXT)})
    here = yard(engine="memory")
    model = here.settle(here.create(place))
    assert (model.status, model.error_msg) == ("published", "")
    assert (model.image, json.loads(model.initial_config)) == (str(place), TEXT)
    assert here.catalog.report(ME, model.id)["wish"]["static"] is True


def test_what_batch_services_alone_have_against_an_image_keeps_it_out_of_those_alone(yard, tmp_path):
    place = archive(tmp_path / "knots.tar", labels={"io.mooring.config": json.dumps(TEXT)})
    here = yard(engine="memory")
    both = here.create(place, install_type=("real-time", "batch"))
    batch = here.create(place, install_type=("batch",), version="2.0.0")
    assert [model.status for model in here.settle(both, batch)] == ["published", "failed"]
    against = [line for line in here.events(batch, "abnormal") if line.startswith("IMG-")]
    assert against
    assert here.events(both, "abnormal") == [f"for batch services: {line}" for line in against]


def test_an_archive_that_is_none_fails_with_what_is_wrong(yard, tmp_path):
    (tmp_path / "broken.tar").write_bytes(b"not an archive at all" * 100)
    here = yard(engine="memory")
    model = here.settle(here.create(tmp_path / "broken.tar"))
    assert model.status == "failed"
    assert "broken.tar" in model.error_msg
    assert here.events(model.id, "abnormal")[-1].startswith("Failed to import the model: ")


def test_what_a_killed_import_left_is_done_again_and_nothing_is_doubled(yard, project):
    here = yard()
    made = here.create(project)
    # As a kill would leave it: a copy half made, and a row that is still publishing.
    half = here.settings.data / "models" / made / ".project"
    half.mkdir(parents=True)
    (half / "old.py").write_text("")
    again = yard()
    model = again.settle(made)
    assert model.status == "published"
    assert sorted(os.listdir(Path(model.image).parent)) == ["project"]
    assert not (Path(model.image) / "old.py").exists()


def test_deleting_lets_go_of_the_copy_and_leaves_the_users_folder(yard, project):
    here = yard()
    made = here.create(project)
    here.settle(made)
    assert here.kept() == [made]
    here.catalog.delete(ME, made)
    here.work_until(lambda: here.kept() == [])
    assert (project / "handler.py").exists()


def test_what_is_left_of_a_model_that_was_deleted_while_nobody_looked_goes_at_the_next_start(yard):
    here = yard()
    (here.settings.data / "models" / "gone-model").mkdir(parents=True)
    here.work_until(lambda: here.kept() == [])


@pytest.fixture
def virus_scanner(tmp_path, monkeypatch):
    """One that takes files and says nothing of them, until `close`; `entered` tells that a check waits for it."""

    class Silent:
        def __init__(self):
            self.entered = threading.Event()
            self._callers = []
            self._listening = socket.socket(socket.AF_UNIX)
            self._listening.bind(str(tmp_path / "clamd"))
            self._listening.listen(64)
            threading.Thread(target=self._accept, daemon=True).start()

        def _accept(self):
            with contextlib.suppress(OSError):
                while True:
                    self._callers.append(self._listening.accept()[0])
                    self.entered.set()

        def close(self):
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            for caller in self._callers:
                caller.close()

    monkeypatch.setenv("MOORING_CLAMD", f"unix:{tmp_path / 'clamd'}")
    return Silent()


def test_an_import_is_broken_off_by_a_delete(yard, project, virus_scanner):
    here = yard()
    made = here.create(project)
    deleted = []

    def nothing_is_left():
        if virus_scanner.entered.is_set() and not deleted:
            deleted.extend(here.catalog.delete(ME, made).success)
            virus_scanner.close()
        return deleted and here.kept() == [] and not imports_of(made)

    here.work_until(nothing_is_left)
    assert here.events(made) == []


def sparse(project, size):
    """A file in the project that takes no room, and is larger than any disk."""
    with (project / "model" / "large.bin").open("wb") as file:
        file.truncate(size)


def test_a_project_that_the_disk_has_no_room_for_is_refused_before_it_is_read(yard, project):
    sparse(project, 10 << 40)
    here = yard()
    model = here.settle(here.create(project))
    assert model.status == "failed"
    assert "the disk of the platform's folder has" in model.error_msg


def test_the_reading_of_a_large_project_is_broken_off_by_a_delete(yard, project):
    sparse(project, 10 << 40)
    here = yard(gate="off")
    made = here.create(project, source_copy=False)
    here.work_until(lambda: imports_of(made))
    here.catalog.delete(ME, made)
    here.work_until(lambda: not imports_of(made))


def test_a_platform_that_is_killed_leaves_its_imports_to_the_next(
    yard, project, virus_scanner, monkeypatch, database_url
):
    here = yard()
    made = here.create(project)
    words = [sys.executable, "-c", PLATFORM, str(here.settings.data), database_url]
    with subprocess.Popen(words) as platform:
        assert virus_scanner.entered.wait(PATIENCE_SECONDS)
        platform.kill()
    virus_scanner.close()
    assert here.get(made).status == "publishing"
    monkeypatch.delenv("MOORING_CLAMD")
    model = yard().settle(made)
    assert (model.status, here.kept()) == ("published", [made])
    assert here.events(made).count("The model is imported.") == 1


def test_a_platform_that_goes_down_leaves_its_imports_to_the_next(yard, project, virus_scanner, monkeypatch):
    here = yard()
    made = here.create(project)

    def is_time_to_go():
        if virus_scanner.entered.is_set():
            # While the platform waits for its imports to notice.
            threading.Timer(0.3, virus_scanner.close).start()
        return virus_scanner.entered.is_set()

    here.work_until(is_time_to_go)
    assert here.get(made).status == "publishing"
    assert not imports_of(made)
    monkeypatch.delenv("MOORING_CLAMD")
    assert yard().settle(made).status == "published"


def imports_of(model_id):
    return [one for one in threading.enumerate() if model_id in one.name]


@pytest.fixture
def names(engine):
    """The names of ours in the engine, of one model; what a test leaves is removed."""
    client = docker.DockerClient(base_url=engine.address.url)
    made = []

    def of(model_id, version="1.0.0"):
        made.append(image_name(model_id, version))
        return [name for name in engine.image_names() if model_id in name]

    yield of
    for name in made:
        engine.remove_image(name)
    client.close()


@pytest.mark.engine
def test_an_image_is_checked_running_and_kept_by_a_name_of_the_platforms(yard, double, engine, names):
    image = double("keeps_the_contract")
    here = yard(engine="docker")
    made = here.create(image, initial_config=TEXT)
    model = here.settle(made)
    assert (model.status, model.error_msg) == ("published", "")
    assert names(made) == [model.image]
    assert engine.image(model.image).id == engine.image(image).id == model.image_digest
    assert model.size_bytes > 1_000_000
    report = here.catalog.report(ME, made)
    assert report["verdict"] == "keeps"
    assert any(one["rule"].startswith("RUN-") and one["status"] == "passed" for one in report["results"])
    here.catalog.delete(ME, made)
    here.work_until(lambda: names(made) == [])
    assert engine.image(image)


@pytest.mark.engine
def test_an_image_that_misbehaves_is_kept_out_and_its_story_says_why(yard, double, names):
    brief = {**HEALTH, "initial_delay_seconds": "1", "period_seconds": "1", "failure_threshold": "5"}
    label = json.dumps({**TEXT, "health": brief})
    image = double("listens_on_8000", labels={"io.mooring.config": label})
    here = yard(engine="docker")
    made = here.create(image)
    model = here.settle(made)
    assert model.status == "failed"
    assert model.error_msg.startswith("RUN-PORT-01: ")
    told = here.events(made, "abnormal")
    assert any("not on port 8080" in line for line in told)
    assert names(made) == []


@pytest.mark.engine
def test_an_image_that_is_not_copied_keeps_its_own_name_and_its_own_config(yard, double, names):
    label = json.dumps(TEXT)
    image = double("keeps_the_contract", labels={"io.mooring.config": label})
    here = yard(engine="docker", gate="static")
    model = here.settle(here.create(image, source_copy=False))
    assert (model.status, model.image, model.initial_config) == ("published", image, label)
    assert names(model.id) == []


@pytest.mark.engine
def test_an_archive_is_handed_to_the_engine_and_kept_there(yard, tmp_path, engine, names):
    place = archive(tmp_path / "knots.tar", labels={"io.mooring.config": json.dumps(TEXT)})
    here = yard(engine="docker", gate="static")
    model = here.settle(here.create(place))
    assert (model.status, model.error_msg) == ("published", "")
    assert names(model.id) == [model.image]
    assert engine.image(model.image).id == model.image_digest


@pytest.mark.engine
def test_an_image_in_a_registry_is_fetched_and_kept_by_the_engine(yard, engine, names):
    with Registry() as registry:
        files = {"app/serve.py": b"print('hello')"}
        layers = {"type": "layers", "diff_ids": [digest_of(tar_of(files))]}
        registry.image(files, config={"rootfs": layers, "config": {"User": "1000:100", "Cmd": ["/app/serve.py"]}})
        here = yard(engine="docker", gate="off")
        model = here.settle(here.create(registry.name(), initial_config=TEXT, source_copy=False))
    assert (model.status, model.error_msg) == ("published", "")
    assert names(model.id) == [model.image]
    assert engine.image(model.image).id == model.image_digest


@pytest.mark.engine
def test_a_registry_that_does_not_answer_fails_the_import(yard):
    with Registry() as gone:
        name = gone.name()
    here = yard(engine="docker")
    model = here.settle(here.create(name))
    assert model.status == "failed"
    assert "does not answer" in model.error_msg


@pytest.mark.engine
def test_a_project_is_built_checked_running_and_kept(yard, project, engine, names):
    here = yard(engine="docker")
    made = here.create(project)
    model = here.settle(made)
    assert (model.status, model.error_msg) == ("published", "")
    assert names(made) == [model.image]
    assert json.loads(model.initial_config)["apis"][0]["url"] == "/"
    told = here.events(made)
    assert told.index("Start to build the image.") < told.index("The image is built.")
    assert here.catalog.report(ME, made)["subject"]["kind"] == "project"


@pytest.mark.engine
def test_an_image_that_nobody_has_fails_with_the_nearest_name(yard):
    here = yard(engine="docker")
    model = here.settle(here.create("no-such-image-anywhere:1"))
    assert model.status == "failed"
    assert "has no image no-such-image-anywhere:1" in model.error_msg


@pytest.mark.engine
def test_a_project_that_cannot_be_built_says_so(yard, project):
    (project / "handler.py").unlink()
    (project / "Dockerfile").write_text("FROM scratch\nRUN nothing\n")
    here = yard(engine="docker")
    model = here.settle(here.create(project))
    assert model.status == "building_failed"
    assert "Failed to build the image." in here.events(model.id, "abnormal")
    assert here.kept() == []
