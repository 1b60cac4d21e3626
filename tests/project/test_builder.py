"""What every program that builds must do alike: docker, and buildah where it is installed."""

import shutil
import uuid

import pytest

from mooring.errors import MooringError, NotFound, Unavailable
from mooring.project.buildah import Buildah
from mooring.project.builder import failure
from mooring.project.context import Context, Item, Layer
from mooring.project.docker_cli import DockerCli

BUILDERS = (DockerCli, *((Buildah,) if shutil.which("buildah") else ()))


@pytest.fixture(params=BUILDERS, ids=lambda builder: builder.name)
def builder(request):
    return request.param()


@pytest.fixture
def name(builder):
    name = f"mooring-test-{uuid.uuid4().hex[:8]}"
    yield name
    for tag in builder.tags(name):
        builder.untag(f"{name}:{tag}")


def context(text="x"):
    layer = Layer(name="code", purpose="Code.", items=(Item(path="home/x.txt", content=text.encode()),))
    recipe = 'FROM scratch\nCOPY code/ /\nLABEL io.mooring.test=\'{"it":"is $HOME"}\'\n'
    return Context(dockerfile=recipe, layers=(layer,))


@pytest.mark.engine
def test_an_image_is_there_under_its_name_with_its_labels_as_they_were_said(builder, name):
    assert builder.image(f"{name}:1") is None
    builder.build(context(), tag=f"{name}:1", platform="")
    image = builder.image(f"{name}:1")
    assert image.labels["io.mooring.test"] == '{"it":"is $HOME"}'
    assert image.id
    assert not image.entrypoint


@pytest.mark.engine
def test_tags_are_those_of_the_name_and_no_other(builder, name):
    assert builder.tags(name) == ()
    builder.build(context(), tag=f"{name}:1", platform="")
    builder.build(context("y"), tag=f"{name}:2", platform="")
    assert sorted(builder.tags(name)) == ["1", "2"]
    builder.untag(f"{name}:1")
    assert builder.tags(name) == ("2",)
    assert builder.image(f"{name}:2") is not None


@pytest.mark.engine
def test_a_dockerfile_that_fails_is_an_error_in_the_builder_s_words(builder, name):
    broken = Context(dockerfile="FROM scratch\nCOPY not-there/ /\n", layers=())
    with pytest.raises(MooringError, match="not-there"):
        builder.build(broken, tag=f"{name}:1", platform="")


@pytest.mark.engine
def test_a_folder_with_its_own_dockerfile_is_built_with_its_options(builder, name, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY x.txt /\n")
    (tmp_path / "x.txt").write_text("x")
    said = []
    builder.build_folder(tmp_path, ["--label", "a=b c"], tag=f"{name}:1", say=said.append)
    assert builder.image(f"{name}:1").labels["a"] == "b c"
    assert said


@pytest.mark.parametrize(
    ("said", "kind", "hint"),
    [
        ("write /x: no space left on device", Unavailable, "free some space"),
        ("pull access denied for nope, repository does not exist", NotFound, "--base debian"),
        ("dial tcp: lookup example.invalid: no such host", Unavailable, "--base debian"),
        ("Cannot connect to the Docker daemon at unix:///x", Unavailable, "DOCKER_HOST"),
    ],
)
def test_what_an_engine_says_becomes_what_a_user_can_do(said, kind, hint):
    error = failure(("docker", "build"), f"step 1\n{said}\n")
    assert type(error) is kind
    assert said in error.message
    assert hint in error.hint


@pytest.mark.engine
def test_a_name_that_somebody_else_has_let_go_of_already_is_no_error(builder, name):
    builder.untag(f"{name}:1")
    assert builder.tags(name) == ()
