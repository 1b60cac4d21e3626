"""mooring.toml: what it may say."""

import os

import pytest

from mooring.errors import Invalid
from mooring.project.settings import Settings


def read(tmp_path, text):
    file = tmp_path / "mooring.toml"
    file.write_text(text, encoding="utf-8")
    return Settings.read(file)


def test_a_project_without_the_file_has_the_defaults(tmp_path):
    assert Settings.read(tmp_path / "mooring.toml") == Settings()


def test_every_setting_can_be_made(tmp_path):
    text = 'edition = "otc-2025"\npython = "python3.9"\nbase = "debian"\n'
    text += 'system_packages = ["libgl1"]\nexclude = ["data"]\n'
    text += 'accept = ["IMG-USER-01: ours"]\nallow_imports = ["mine.*"]\n'
    assert read(tmp_path, text) == Settings(
        edition="otc-2025",
        python="python3.9",
        base="debian",
        system_packages=("libgl1",),
        exclude=("data",),
        accept=("IMG-USER-01: ours",),
        allow_imports=("mine.*",),
    )


def test_an_unknown_setting_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(Invalid, match="no setting 'editon'") as caught:
        read(tmp_path, 'editon = "otc-2022"')
    assert "'edition'" in caught.value.hint


@pytest.mark.parametrize("text", ["edition = 2022", 'edition = ""', 'system_packages = "libgl1"', "exclude = [1]"])
def test_a_value_of_the_wrong_type_is_refused_by_name(tmp_path, text):
    with pytest.raises(Invalid, match=text.partition(" ")[0]):
        read(tmp_path, text)


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path):
    with pytest.raises(Invalid, match="line 2"):
        read(tmp_path, 'base = "debian"\nedition =\n')


def test_settings_that_are_no_file_are_refused_by_name(tmp_path):
    os.mkfifo(tmp_path / "mooring.toml")
    with pytest.raises(Invalid, match=r"mooring\.toml is a pipe"):
        Settings.read(tmp_path / "mooring.toml")
    with pytest.raises(Invalid, match="is a folder"):
        Settings.read(tmp_path)


def test_settings_without_end_are_refused(tmp_path):
    with pytest.raises(Invalid, match="more than"):
        read(tmp_path, "#" * (1 << 20) + "\n")


def test_settings_that_are_a_link_to_nowhere_are_not_passed_over(tmp_path):
    (tmp_path / "mooring.toml").symlink_to("gone.toml")
    with pytest.raises(Invalid, match="link to nowhere"):
        Settings.read(tmp_path / "mooring.toml")
