"""A Dockerfile says how the image's containers start, before it is built."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.checks.dockerfile import read_dockerfile
from mooring.checks.dockerfile.lines import instructions


def read(*lines):
    return read_dockerfile("\n".join(lines) + "\n")


def test_exec_form_is_what_it_says_and_shell_form_is_a_shell_s():
    assert read("FROM a", 'CMD ["python3", "app.py"]').config.cmd == ("python3", "app.py")
    found = read("FROM a", "CMD python3 $APP && true")
    assert found.config.cmd == ("/bin/sh", "-c", "python3 $APP && true")
    assert found.shell_form == {"CMD"}


def test_an_array_that_is_not_json_is_shell_form_as_docker_takes_it():
    assert read("FROM a", "CMD ['python3']").config.cmd == ("/bin/sh", "-c", "['python3']")


def test_the_shell_can_be_another():
    assert read("FROM a", 'SHELL ["/bin/bash", "-c"]', "ENTRYPOINT run").config.entrypoint == ("/bin/bash", "-c", "run")


def test_the_last_command_counts_and_its_line_is_known():
    found = read("FROM a", "CMD one", "", "# two", 'CMD ["two"]')
    assert found.config.cmd == ("two",)
    assert found.lines["CMD"] == 5
    assert found.shell_form == frozenset()


def test_an_entrypoint_forgets_the_command_it_took_over_and_keeps_its_own():
    assert read("FROM a AS b", "CMD one", "FROM b", 'ENTRYPOINT ["e"]').config.command == ("e",)
    assert read("FROM a", 'CMD ["one"]', 'ENTRYPOINT ["e"]').config.command == ("e", "one")


def test_only_the_last_stage_counts_and_what_it_begins_from():
    found = read(
        "FROM golang AS build",
        "EXPOSE 1",
        "FROM python:3.11 AS base",
        "ENV A=1",
        "USER 1000:100",
        "FROM base",
        "EXPOSE 8080 9000/udp",
    )
    assert found.base == "python:3.11"
    assert found.config.env == {"A": "1"}
    assert found.config.user == "1000:100"
    assert found.config.exposed_ports == ("8080/tcp", "9000/udp")


def test_lines_are_continued_and_comments_stand_between_them():
    found = read("FROM a", "ENV A=1 \\", "  # why", "", "    B=2", "LABEL x=y")
    assert found.config.env == {"A": "1", "B": "2"}
    assert [(each.line, each.last_line) for each in found.instructions] == [(1, 1), (2, 5), (6, 6)]


def test_another_escape_character_can_be_declared():
    assert read("# escape=`", "FROM a", "ENV A=1 `", " B=2").config.env == {"A": "1", "B": "2"}


def test_heredocs_are_not_instructions():
    found = read("FROM a", "RUN <<EOF", "CMD not this", "EOF", "COPY <<-'END' /x", "USER nor this", "\tEND", "CMD ok")
    assert found.config.cmd[-1] == "ok"
    assert found.config.user == ""
    assert found.lines["CMD"] == 8


def test_variables_are_put_in_where_they_are_known():
    found = read(
        "ARG TAG=3.11",
        "FROM python:${TAG}-slim",
        "ARG PORT=8080",
        "ARG HOME_DIR",
        "ENV APP=/srv LOG=${LEVEL:-info} QUOTED='$APP'",
        "ENV PATH=$APP/bin:$PATH",
        "WORKDIR ${APP}",
        "WORKDIR sub",
        "EXPOSE $PORT",
    )
    assert found.base == "python:3.11-slim"
    assert found.config.env == {"APP": "/srv", "LOG": "info", "QUOTED": "$APP", "PATH": "/srv/bin:$PATH"}
    assert found.config.working_dir == "/srv/sub"
    assert found.config.exposed_ports == ("8080/tcp",)


def test_values_of_one_instruction_do_not_see_each_other():
    assert read("FROM a", "ENV A=1", "ENV A=2 B=$A").config.env == {"A": "2", "B": "1"}


def test_the_old_form_of_env_takes_the_rest_of_the_line():
    assert read("FROM a", "ENV NAME a b  c").config.env == {"NAME": "a b  c"}


def test_labels_stop_signal_and_platform_are_known():
    found = read("FROM --platform=linux/arm64/v8 a", 'LABEL "a.b"="c d" e=f', "STOPSIGNAL SIGINT", "VOLUME /data")
    assert found.config.labels == {"a.b": "c d", "e": "f"}
    assert found.config.stop_signal == "SIGINT"
    assert (found.config.architecture, found.config.variant) == ("arm64", "v8")
    assert found.config.volumes == ("/data",)


@pytest.mark.parametrize(
    ("copy", "source"),
    [
        ("COPY scripts/run.sh /home/run.sh", "scripts/run.sh"),
        ("COPY --chmod=755 run.sh serve.py /home/", "run.sh"),
        ("COPY . /home", "run.sh"),
        ("COPY ./ /home/", "run.sh"),
        ('COPY ["a b/run.sh", "/home/run.sh"]', "a b/run.sh"),
        ("COPY --from=build /run.sh /home/run.sh", ""),
        ("COPY app.py /home/app.py", ""),
    ],
)
def test_the_file_that_becomes_the_boot_file_is_known(copy, source):
    assert read("FROM a", copy).source_of("/home/run.sh") == source


def test_a_copy_into_the_working_folder_is_followed():
    assert read("FROM a", "WORKDIR /home", "COPY start.sh run.sh").source_of("/home/run.sh") == "start.sh"


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm():
    found = read_dockerfile('\ufeffFROM a\r\nUSER \\\r\n  7\r\nCMD ["x"]\r\n')
    assert (found.base, found.config.user, found.config.cmd) == ("a", "7", ("x",))


def test_nonsense_is_no_instruction():
    found = read("FROM a", "???", "", "\\", "CMD")
    assert found.config.cmd == ()


@given(st.text(alphabet="FROMCMDENV \\\n\t\"'${}[]=<#:-abAS", max_size=200))
def test_any_text_is_read_and_lines_stay_in_the_file(text):
    read_dockerfile(text)
    last = 0
    for each in instructions(text):
        assert last < each.line <= each.last_line <= text.count("\n") + 1
        last = each.last_line
