"""ModelConfig: the clean form, its parts, and what stands in for what is missing."""

import json
from pathlib import Path

import pytest

from mooring.contract import Level, ModelConfig, edition
from mooring.errors import Invalid, NotFound

CONFIGS = Path(__file__).parent / "configs"
# Thirty files out of public repositories, not part of this one: where they are absent, nothing is asked of them.
CORPUS = sorted((Path(__file__).parents[3] / "shared" / "corpus" / "configs").glob("*.json"))
# A comment wrapped by hand: no reader can tell where it ends.
HOPELESS = "028.json"


def parse(document, **options):
    return ModelConfig.parse(json.dumps(document).encode(), **options)


def ids(config):
    return {finding.id for finding in config.findings}


def test_the_parts_of_a_clean_file():
    config = ModelConfig.load(CONFIGS / "clean.json")
    (api,) = config.apis
    assert (api.protocol, api.url, api.method, api.file_fields) == ("http", "/", "POST", ("images",))
    assert (api.request.content_type, api.response.content_type) == ("multipart/form-data", "application/json")
    assert api.response.data["properties"]["score"] == {"type": "number"}
    assert (config.model_algorithm, config.model_type, config.runtime) == ("image_classification", "PyTorch", None)
    assert config.metrics == {"f1": 0.91}
    assert config.health.url == "/health"
    assert (config.health.initial_delay_seconds, config.health.period_seconds) == (12, None)
    assert [p.requirement for p in config.dependencies[0].packages] == ["numpy>=1.26.0", "pillow"]
    assert config.findings == ()


def test_without_apis_there_is_the_default_one():
    config = parse({"model_algorithm": "a", "model_type": "Image"})
    assert config.clean()["apis"] == [
        {
            "protocol": "http",
            "url": "/",
            "method": "POST",
            "request": {"Content-type": "application/json", "data": {}},
            "response": {"Content-type": "application/json", "data": {}},
        }
    ]
    assert ids(config) == {"CFG-API-03"}


def test_a_bare_list_of_apis_is_an_image():
    config = parse([{"url": "/infer/text", "method": "post"}, {"url": "/version", "method": "get"}])
    assert [(api.method, api.url) for api in config.apis] == [("POST", "/infer/text"), ("GET", "/version")]
    assert config.model_type == "Image"
    assert {"CFG-SHAPE-04", "CFG-TYPE-01", "CFG-ALG-01"} <= ids(config)


def test_what_stands_in_for_a_missing_name_is_told_as_a_breach():
    config = parse({"model_type": "Image", "apis": [{}]})
    (finding,) = config.findings
    assert (finding.id, finding.level) == ("CFG-ALG-01", Level.MUST)
    assert config.model_algorithm == "undefined"


def test_what_stands_in_for_a_missing_name_is_not_written_down_so_that_the_breach_is_told_again():
    config = parse({"model_type": "Image", "apis": [{}]})
    assert "model_algorithm" not in config.clean()
    again = parse(config.clean())
    assert again == config
    assert "CFG-ALG-01" in ids(again)
    assert parse({"model_algorithm": "undefined", "model_type": "Image", "apis": [{}]}).clean()["model_algorithm"]


def test_nothing_unknown_is_dropped():
    document = {
        "model_algorithm": "a",
        "model_type": "Image",
        "apis": [{"url": "/", "x-port": 8443, "request": {"note": "hello"}}],
        "metrics": {"mAP": "60"},
        "health": {"url": "/health", "interval": 3},
        "execution_code": "obs://bucket/code.py",
    }
    config = parse(document)
    clean = config.clean()
    assert clean["execution_code"] == "obs://bucket/code.py" == config.extra["execution_code"]
    assert clean["apis"][0]["x-port"] == 8443
    assert clean["apis"][0]["request"]["note"] == "hello"
    assert clean["metrics"] == {"mAP": "60"}
    assert clean["health"]["interval"] == 3
    told = {finding.message for finding in config.check(edition())}
    assert "config.json has no 'execution_code'" in told
    assert "apis[0] has no 'x-port'" in told
    assert "health has no 'interval'" in told


def test_an_unknown_name_is_reported_with_the_nearest_known_one():
    config = parse({"model_algorithm": "a", "model_type": "Image", "apis": [{}], "depndncs": []})
    hints = {finding.message: finding.hint for finding in config.check(edition())}
    assert hints["config.json has no 'depndncs'"] == "did you mean 'dependencies'?"


def test_wheels_and_extras_are_package_names():
    names = ["/home/mind/model/mmcv-0.5.5+cu100-cp36-cp36m-linux_x86_64.whl", "gym[atari]"]
    groups = [{"installer": "pip", "packages": [{"package_name": name} for name in names]}]
    config = parse({"model_algorithm": "a", "model_type": "PyTorch", "apis": [{}], "dependencies": groups})
    assert [package.requirement for package in config.dependencies[0].packages] == names
    assert not {f.id for f in config.check(edition())} & {"CFG-DEP-04", "CFG-DEP-07"}


def test_groups_keep_their_order_and_versions_their_digits():
    text = b"""{"model_algorithm": "a", "model_type": "PyTorch", "apis": [{}], "dependencies": [
      {"installer": "pip", "packages": [{"package_name": "Cython", "package_version": 0.10, "restraint": "exact"}]},
      {"installer": "pip", "packages": [{"package_name": "numpy", "package_version": "1.2"}]}]}"""
    config = ModelConfig.parse(text)
    requirements = [[p.requirement for p in group.packages] for group in config.dependencies]
    assert requirements == [["Cython==0.10"], ["numpy==1.2"]]
    assert {"CFG-KIND-01", "CFG-DEP-02", "CFG-CASE-01"} == ids(config)


def test_a_folder_means_the_config_in_it(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_algorithm": "inner", "model_type": "Image"}')
    assert ModelConfig.load(tmp_path).model_algorithm == "inner"
    (tmp_path / "config.json").write_text('{"model_algorithm": "outer", "model_type": "Image"}')
    assert ModelConfig.load(tmp_path).model_algorithm == "outer"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"nothing\.json"):
        ModelConfig.load(tmp_path / "nothing.json")
    with pytest.raises(NotFound, match=r"config\.json"):
        ModelConfig.load(tmp_path)


def test_changing_the_clean_form_changes_nobody_elses():
    config = ModelConfig.load(CONFIGS / "clean.json")
    config.clean()["apis"][0]["url"] = "/other"
    assert config.clean()["apis"][0]["url"] == "/"


def test_real_files_are_read_and_their_clean_form_reads_back_as_itself():
    for file in CORPUS:
        if file.name == HOPELESS:
            continue
        config = ModelConfig.load(file)
        again = parse(config.clean())
        assert again.clean() == config.clean(), file.name
        assert again.findings == (), file.name


def test_the_hopeless_file_is_refused_with_its_place():
    for file in CORPUS:
        if file.name == HOPELESS:
            with pytest.raises(Invalid, match=r"028\.json:7:1: expected a name in double quotes, found 'response API'"):
                ModelConfig.load(file)
