"""What bases there are: the one made of Debian packages, and what is asked of any other."""

import pytest

from mooring.errors import Invalid, Refused
from mooring.project.base import Recipe
from mooring.project.probe import Base, Python


def base(*, machine="x86_64", libc=("glibc", "2.36"), **options):
    python = Python(executable="/usr/bin/python3", version=(3, 11, 2), machine=machine, libc=libc)
    return Base(reference="base:1", id="sha256:0", server=python, worker=python, **options)


@pytest.mark.parametrize(
    ("libc", "step"),
    [(("glibc", "2.36"), 36), (("glibc", "2.17"), 17), (("glibc", "2.30"), 28), (("glibc", "2.99"), 40)],
)
def test_wheels_are_sought_for_the_newest_platform_the_base_can_run(libc, step):
    subject = base(libc=libc)
    assert subject.platform(subject.worker) == f"x86_64-manylinux_2_{step}"


def test_a_base_with_musl_gets_wheels_for_musl():
    subject = base(machine="aarch64", libc=("", ""), musl=True)
    assert subject.platform(subject.worker) == "aarch64-unknown-linux-musl"


@pytest.mark.parametrize("options", [{"machine": "riscv64"}, {"libc": ("glibc", "2.12")}])
def test_a_base_without_wheels_is_refused(options):
    subject = base(**options)
    with pytest.raises(Refused, match="base:1"):
        subject.platform(subject.worker)


def test_what_a_batch_service_would_miss_is_known():
    assert base(programs=("zip",)).missing_for_batch == ("java",)


def test_a_recipe_is_known_by_what_goes_into_it():
    assert Recipe.of().tag == Recipe.of(system_packages=("zip",)).tag
    assert Recipe.of(system_packages=("libgl1", "libpq5")).tag == Recipe.of(system_packages=("libpq5", "libgl1")).tag
    assert Recipe.of().tag != Recipe.of(system_packages=("libgl1",)).tag
    assert Recipe.of().tag == Recipe().tag


def test_the_debian_base_is_for_the_processor_of_this_machine():
    with pytest.raises(Refused, match="linux/s390x"):
        Recipe.of(platform="linux/s390x")


@pytest.mark.parametrize("name", ["libgl1,evil", "-oAPT::x=1", "a b", "../x", "?essential"])
def test_what_is_no_name_of_a_debian_package_does_not_reach_apt(name):
    with pytest.raises(Invalid, match="system_packages"):
        Recipe.of(system_packages=(name,))
