import re
from dataclasses import replace
from pathlib import Path

import pytest

from mooring.control.settings import Settings
from mooring.errors import Invalid, NotFound


def written(folder, text):
    (folder / "platform.toml").write_text(text, encoding="utf-8")
    return Settings.read(folder, environ={})


def test_a_folder_without_a_file_has_the_defaults(tmp_path):
    settings = Settings.read(tmp_path, environ={})
    assert settings.address == ("127.0.0.1", 8000)
    assert (settings.engine, settings.edition, settings.gate, settings.database) == ("auto", "otc-2022", "strict", "")
    assert settings.quotas.services is None
    assert {flavor.name: flavor.memory_bytes for flavor in settings.flavors}["modelarts.vm.cpu.2u"] == 8 * 1024**3


def test_everything_can_be_said_in_the_file(tmp_path):
    settings = written(
        tmp_path,
        """
        listen = "[::1]:9000"
        engine = "process"
        edition = "otc-2025"
        database = "postgresql://localhost/mooring"
        gate = "static"
        public_url = "https://models.example"
        log_size_per_replica = "16 MB"
        [quotas]
        services = 3
        [timings]
        drain_seconds = 5
        [[flavors]]
        name = "tiny"
        cpu_cores = 0.25
        memory = "1 GB"
        """,
    )
    assert settings.address == ("::1", 9000)
    assert (settings.engine, settings.edition, settings.gate) == ("process", "otc-2025", "static")
    assert settings.quotas.services == 3
    assert settings.quotas.instances is None
    assert settings.timings.drain_seconds == 5
    assert settings.timings.resync_seconds == 1
    assert settings.log_bytes_per_replica == 16 * 1024**2
    [flavor] = settings.flavors
    assert (flavor.name, flavor.cpu_cores, flavor.memory_bytes, flavor.category) == ("tiny", 0.25, 1024**3, "CPU")


def test_the_command_line_goes_above_the_environment_and_that_above_the_file(tmp_path):
    (tmp_path / "platform.toml").write_text('database = "sqlite:///file"\ngate = "off"\n', encoding="utf-8")
    environ = {"MOORING_DATABASE": "sqlite:///environment"}
    assert Settings.read(tmp_path, environ={}).database == "sqlite:///file"
    assert Settings.read(tmp_path, environ=environ).database == "sqlite:///environment"
    chosen = Settings.read(tmp_path, environ=environ, database="sqlite:///chosen", gate=None)
    assert (chosen.database, chosen.gate) == ("sqlite:///chosen", "off")


def test_a_password_in_the_database_url_is_not_shown(tmp_path):
    assert "hush" not in repr(Settings.read(tmp_path, environ={}, database="postgresql://me:hush@host/db"))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('lisen = "x"', "no setting 'lisen'", "did you mean 'listen'?"),
        ("[timings]\ndrain_secs = 5", "no setting 'drain_secs'", "did you mean 'drain_seconds'?"),
        ("[quotas]\nservices = -1", "services is -1; it must be a whole number", ""),
        ("[quotas]\nservices = true", "services is True", ""),
        ("quotas = 3", "quotas is 3; it must be a table", ""),
        ("[timings]\ndrain_seconds = 0", "must be a number above 0", ""),
        ("[timings]\ndrain_seconds = inf", "must be a number above 0", ""),
        ("engine = 5", "must be a text", ""),
        ('engine = "podman"', "must be one of auto, process, docker, memory", ""),
        ('gate = "lax"', "must be one of strict, static, off", ""),
        ('listen = "8000"', "must be an address and a port", "127.0.0.1:8000"),
        ('listen = "localhost:99999"', "must be an address and a port", ""),
        ('public_url = "models.example"', "must begin with http:// or https://", ""),
        ('log_size_per_replica = "16 MiB"', "expected an amount with its unit", ""),
        ('[[flavors]]\nname = "a"', "flavors, number 1 does not say cpu_cores, memory", ""),
        ('[[flavors]]\nname = "a"\ncpu_cores = 1\nmemory = "1 GB"\n' * 2, "'a' is there twice", ""),
        ("flavors = 1", "must be a list of tables", ""),
        ("listen", "is not TOML", ""),
        ('[storage]\nendpont = "x"', "no setting 'endpont'", "did you mean 'endpoint'?"),
        ('[storage]\npath_style = "yes"', "must be true or false", ""),
        ('[storage]\nfolders = "/data"', "must be a list of texts", ""),
        ('[storage]\naccess_key = "a"', "the storage's secret key is missing", ""),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, message, hint):
    with pytest.raises(Invalid) as error:
        written(tmp_path, text)
    assert message in error.value.message
    assert hint in error.value.hint


def test_a_secret_of_the_storage_is_not_in_the_message_about_it(tmp_path):
    with pytest.raises(Invalid, match="secret_key must be a text") as error:
        written(tmp_path, "[storage]\nsecret_key = 31415926")
    assert "31415926" not in str(error.value)


def test_the_environment_says_how_storage_is_reached_above_the_file(tmp_path):
    (tmp_path / "platform.toml").write_text(
        '[storage]\nendpoint = "http://file"\nregion = "eu-de"\naccess_key = "a"\nsecret_key = "b"\n'
        'session_token = "t"\nfolders = ["/data"]\n'
    )
    storage = Settings.read(tmp_path, environ={}).storage
    assert (storage.endpoint, storage.access_key, storage.folders) == ("http://file", "a", (Path("/data"),))
    said = {"ENDPOINT": "http://said", "ACCESS_KEY": "c", "SECRET_KEY": "d"}
    environ = {f"MOORING_STORAGE_{name}": value for name, value in said.items()}
    storage = Settings.read(tmp_path, environ=environ).storage
    assert (storage.endpoint, storage.region) == ("http://said", "eu-de")
    assert (storage.access_key, storage.secret_key, storage.session_token) == ("c", "d", "")


def test_an_edition_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(NotFound, match="otc-1999"):
        Settings.read(tmp_path, environ={}, edition="otc-1999")


def test_the_file_in_the_docs_says_the_defaults(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "reference" / "platform.md").read_text(encoding="utf-8")
    settings = written(tmp_path, re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1])
    defaults = Settings(data=tmp_path)
    assert replace(settings, quotas=defaults.quotas, flavors=defaults.flavors) == defaults
    [shown] = settings.flavors
    assert [replace(each, display=shown.display) for each in defaults.flavors if each.name == shown.name] == [shown]
