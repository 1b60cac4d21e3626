"""Which packages a project asks for."""

import json

import pytest

from mooring.errors import Invalid, Refused
from mooring.project import Project
from mooring.project.requirements import requirements

API = {"url": "/", "method": "POST", "request": {"Content-type": "application/json", "data": {}}}


def handler(root, text):
    (root / "handler.py").write_text("")
    (root / "config.json").write_text(json.dumps({"model_type": "Image", "model_algorithm": "x", "apis": [API]}))
    (root / "requirements.txt").write_text(text)
    return Project.open(root)


def package(root, *groups, model_type="Scikit_Learn", code=""):
    (root / "model").mkdir()
    (root / "model" / "customize_service.py").write_text(code)
    config = {
        "model_type": model_type,
        "model_algorithm": "x",
        "apis": [API],
        "dependencies": [{"installer": "pip", "packages": group} for group in groups],
    }
    (root / "model" / "config.json").write_text(json.dumps(config))
    return Project.open(root)


def one(name, version="", restraint=""):
    return {"package_name": name, "package_version": version, "restraint": restraint}


def lines(project, **options):
    return requirements(project, **options).text.split()


def test_no_requirements_are_none(tmp_path):
    assert requirements(handler(tmp_path, "# nothing yet\n\n")) is None


def test_a_file_with_a_hash_for_everything_is_locked(tmp_path):
    text = (
        "--index-url https://example.invalid/simple\n"
        "a==1 \\\n    --hash=sha256:00\n"
        "b==2 ; python_version < '3' --hash=sha256:11\n"
    )
    found = requirements(handler(tmp_path, text))
    assert found.locked
    assert found.index_options == ("--index-url https://example.invalid/simple",)


def test_one_line_without_a_hash_makes_it_unlocked(tmp_path):
    assert not requirements(handler(tmp_path, "a==1 --hash=sha256:00\nb==2\n")).locked


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "--editable=./lib",
        "git+https://example.invalid/x.git",
        "x @ git+https://example.invalid/x.git",
        "-r other.txt",
        "-c ../constraints.txt",
        "../outside",
        "x @ file:///etc/x.whl",
    ],
)
def test_a_line_that_would_run_or_read_more_than_packages_is_refused(tmp_path, line):
    with pytest.raises(Refused, match=r"requirements\.txt"):
        requirements(handler(tmp_path, f"numpy\n{line}\n"))


def test_restraints_become_comparisons(tmp_path):
    project = package(
        tmp_path, [one("a", "1.0", "EXACT"), one("b", "2.0", "ATLEAST"), one("C_c", "3", "ATMOST"), one("d")]
    )
    assert lines(project, modules=["sklearn"]) == ["a==1.0", "b>=2.0", "c-c<=3", "d"]


def test_a_later_group_has_the_last_word_and_keeps_the_order(tmp_path):
    project = package(tmp_path, [one("a", "1", "EXACT"), one("b", "1", "EXACT")], [one("A", "2", "EXACT"), one("b")])
    assert lines(project, modules=["sklearn"]) == ["b==1", "a==2"]


def test_the_engine_and_what_the_code_imports_are_added_as_the_platform_has_them(tmp_path):
    code = "import numpy as np\nfrom PIL import Image\nfrom . import pandas\nimport os\n"
    found = requirements(package(tmp_path, [one("numpy", "1.26.0", "ATLEAST")], code=code))
    assert found.added == ("pillow", "scikit-learn")


def test_what_the_base_has_is_not_added_again(tmp_path):
    assert requirements(package(tmp_path, model_type="PyTorch"), modules=["torch"]) is None


def test_a_requirements_file_beside_a_package_takes_charge_of_the_engine(tmp_path):
    project = package(tmp_path, [one("a", "1", "EXACT")], model_type="PyTorch")
    (tmp_path / "requirements.txt").write_text("torch==2.0+cpu\n")
    assert lines(project) == ["a==1", "torch==2.0+cpu"]


def test_code_that_cannot_be_parsed_is_no_reason_to_stop(tmp_path):
    project = package(tmp_path, code="print 'python two'\n", model_type="XGBoost")
    assert lines(project) == ["xgboost"]


def test_a_wheel_beside_the_model_files_is_required_by_its_version(tmp_path):
    project = package(tmp_path, [one("/home/mind/model/mm_cv-0.5.5+cu100-py3-none-any.whl")])
    (tmp_path / "model" / "mm_cv-0.5.5+cu100-py3-none-any.whl").write_bytes(b"")
    assert lines(project, modules=["sklearn"]) == ["mm-cv==0.5.5+cu100"]


def test_a_wheel_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Invalid, match=r"gone-1-py3-none-any\.whl"):
        requirements(package(tmp_path, [one("gone-1-py3-none-any.whl")]))


@pytest.mark.parametrize("name", ["-r /etc/passwd", "a; import os", "git+https://example.invalid/x", ""])
def test_a_dependency_that_is_no_package_name_is_refused(tmp_path, name):
    with pytest.raises(Invalid):
        requirements(package(tmp_path, [one(name, "1", "EXACT")]))
