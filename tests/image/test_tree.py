"""Layers on top of each other, as container runtimes lay them."""

import pytest

from mooring.image import EntryKind, File, MemoryImage


def link(target):
    return File(kind=EntryKind.SYMLINK, target=target)


def hard(target):
    return File(kind=EntryKind.HARD_LINK, target=target)


FOLDER = File(kind=EntryKind.FOLDER, mode=0o755)
PROGRAM = File(b"\x7fELF", 0o755)


def read(*layers):
    return MemoryImage(layers=layers).read()


def paths(files):
    return sorted(entry.path for entry in files.entries())


def odd(files):
    return [(oddity.path, oddity.what) for oddity in files.oddities]


def test_a_whiteout_deletes_what_older_layers_have_and_not_what_its_own_has():
    files = read({"app/a": "old", "app/b": "b"}, {"app/a": "new", "app/.wh.a": "", "app/.wh.b": ""})
    assert paths(files) == ["/app", "/app/a"]
    assert files.get("/app/a").layer == 1


def test_an_opaque_folder_hides_all_that_was_in_it_wherever_in_the_layer_it_says_so():
    files = read({"app/a": "1", "app/deep/b": "2"}, {"app/c": "3", "app/.wh..wh..opq": ""})
    assert paths(files) == ["/app", "/app/c"]
    assert files.hidden_bytes == 2


def test_what_aufs_left_behind_is_no_file():
    files = read({"a": "1", ".wh..wh.plnk/5.6": "", ".wh..wh.aufs": "", ".wh..wh.orph/x": ""})
    assert paths(files) == ["/a"]


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
def test_a_whiteout_that_names_nothing_deletes_nothing(name):
    files = read({"app/a": "1"}, {f"app/{name}": ""})
    assert paths(files) == ["/app", "/app/a"]
    assert files.oddities


def test_deleting_what_is_not_there_is_no_error():
    assert paths(read({"a": "1"}, {"gone/.wh.b": "", ".wh.c": "", "a/.wh.d": "", "gone/.wh..wh..opq": ""})) == ["/a"]


def test_a_file_in_place_of_a_folder_hides_what_was_in_it():
    files = read({"app/a": "1", "app/deep/b": "2"}, {"app": "file"})
    assert paths(files) == ["/app"]
    assert files.get("/app/deep/b") is None


def test_a_folder_in_place_of_a_file_is_a_folder():
    assert paths(read({"app": "file"}, {"app": FOLDER, "app/a": "1"})) == ["/app", "/app/a"]


def test_a_folder_named_again_keeps_what_is_in_it_and_takes_the_new_mode():
    files = read({"app": File(kind=EntryKind.FOLDER, mode=0o755), "app/a": "1"}, {"app": FOLDER})
    files = read({"app/a": "1"}, {"app": File(kind=EntryKind.FOLDER, mode=0o700)})
    assert paths(files) == ["/app", "/app/a"]
    assert files.get("/app").mode == 0o700


def test_a_symlink_in_place_of_a_folder_leads_elsewhere():
    files = read({"lib/a": "1", "usr/lib/b": "2"}, {"lib": link("usr/lib")})
    assert files.get("/lib/a") is None
    assert files.resolve("/lib/b").path == "/usr/lib/b"


def test_files_put_below_a_symlink_go_where_it_leads():
    files = read({"bin": link("usr/bin"), "usr/bin/sh": PROGRAM}, {"bin/python3": PROGRAM})
    assert paths(files) == ["/bin", "/usr", "/usr/bin", "/usr/bin/python3", "/usr/bin/sh"]
    assert files.which("python3", "/bin").path == "/usr/bin/python3"


def test_a_whiteout_below_a_symlink_deletes_where_it_leads():
    files = read({"bin": link("usr/bin"), "usr/bin/sh": PROGRAM}, {"bin/.wh.sh": ""})
    assert files.which("sh", "/bin:/usr/bin") is None


def test_a_folder_that_takes_a_symlinks_place_is_told():
    files = read({"bin": link("usr/bin"), "usr/bin/sh": PROGRAM}, {"bin": FOLDER, "bin/x": PROGRAM})
    assert files.which("sh", "/bin") is None
    assert odd(files) == [("/bin", "a folder takes the place of a symlink to usr/bin")]


def test_what_is_put_below_a_file_or_a_dangling_link_makes_folders_of_them():
    files = read({"a": "file", "b": link("/nowhere")}, {"a/x": "1", "b/y": "2"})
    assert paths(files) == ["/a", "/a/x", "/b", "/b/y"]
    assert [path for path, _ in odd(files)] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("/etc/passwd", "/etc/passwd"),
        ("./etc/passwd", "/etc/passwd"),
        ("etc//./passwd", "/etc/passwd"),
        ("etc/x/../passwd", "/etc/passwd"),
    ],
)
def test_a_path_is_the_same_however_it_is_written(name, path):
    files = read({name: "root"})
    assert files.text(path) == b"root"
    assert not files.oddities


@pytest.mark.parametrize("name", ["../../etc/passwd", "/../etc/passwd", "a/../../etc/passwd", ".././../etc/passwd"])
def test_a_path_that_leads_out_of_the_root_stays_inside_and_is_told(name):
    files = read({name: "root"})
    assert paths(files) == ["/etc", "/etc/passwd"]
    assert [path for path, _ in odd(files)] == ["/etc/passwd"]


def test_what_has_no_name_is_left_out_and_told_but_the_root_may_be_named():
    files = read({"": "x", "..": FOLDER, "./": FOLDER, "a": "1"})
    assert paths(files) == ["/a"]
    assert len(files.oddities) == 2
    assert files.get("/").kind is EntryKind.FOLDER


def test_symlinks_are_followed_inside_the_root_only():
    files = read({"etc/passwd": "inside", "a": link("../../../etc/passwd"), "d/b": link("/etc"), "c": link("d/../d/b")})
    assert files.text("/a") == b"inside"
    assert files.resolve("/c/passwd").path == "/etc/passwd"
    assert files.get("/a").kind is EntryKind.SYMLINK
    assert files.get("/c/passwd").path == "/etc/passwd"
    assert files.resolve("/../../etc/passwd").path == "/etc/passwd"


def test_links_in_a_circle_lead_nowhere():
    files = read({"a": link("b"), "b": link("a"), "c": link("c/x"), "d/e": link("/d/e/f"), "self": hard("self")})
    for path in ("/a", "/b", "/c", "/d/e", "/a/x", "/self"):
        assert files.resolve(path) is None
        assert files.text(path) is None


def test_a_chain_of_links_as_long_as_linux_takes_is_followed():
    chain = {f"l{number}": link(f"l{number + 1}") for number in range(41)}
    files = read({**chain, "l41": "end"})
    assert files.resolve("/l1").path == "/l41"
    assert files.resolve("/l0") is None


def test_a_hard_link_is_the_file_whatever_becomes_of_its_first_name():
    files = read({"a": "#!/bin/sh", "b": hard("a"), "c": hard("/b")}, {".wh.a": ""}, {"d": hard("c")})
    assert paths(files) == ["/b", "/c", "/d"]
    for path in ("/b", "/c", "/d"):
        assert files.text(path) == b"#!/bin/sh"
        assert (files.resolve(path).path, files.resolve(path).size) == (path, 9)
    assert files.hidden_bytes == 0
    assert files.size == 9


def test_a_file_is_hidden_with_the_last_of_its_hard_links():
    assert read({"a": "12345", "b": hard("a")}, {".wh.a": "", ".wh.b": ""}).hidden_bytes == 5


def test_a_hard_link_to_nothing_is_told():
    files = read({"b": hard("../../../etc/shadow"), "c": hard("folder"), "folder": FOLDER})
    assert files.resolve("/b") is None
    assert [path for path, _ in odd(files)] == ["/b", "/c"]


def test_of_duplicates_in_a_layer_the_last_counts_and_it_is_told():
    walked = MemoryImage(layers=[{"a": "first", "/a": "second"}]).read(lambda _, stream: stream.read())
    assert [(note.value, note.visible) for note in walked.notes] == [(b"first", False), (b"second", True)]
    assert odd(walked) == [("/a", "is twice in the layer: the last one counts")]


def test_a_folder_twice_in_a_layer_is_nothing_odd():
    assert not read({"a": FOLDER, "a/": FOLDER, "a/x": "1"}).oddities


def test_names_that_are_no_utf_8_are_kept_byte_for_byte():
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    files = read({f"{name}/x": "1"})
    assert paths(files)[0].encode("utf-8", "surrogateescape") == b"/caf\xe9"
    assert files.resolve(f"/{name}/x").size == 1


def test_devices_and_pipes_are_entries_and_no_files():
    files = read({"dev/sda": File(kind=EntryKind.DEVICE), "run/p": File(kind=EntryKind.PIPE, mode=0o600)})
    assert files.get("/dev/sda").kind is EntryKind.DEVICE
    assert files.get("/run/p").kind is EntryKind.PIPE
    assert files.size == 0
    assert files.which("sda", "/dev") is None


def test_a_program_is_found_as_a_shell_would():
    files = read(
        {
            "usr/bin/python3.11": PROGRAM,
            "usr/bin/python3": link("python3.11"),
            "opt/python3": File(b"no execute bit"),
            "sbin/python3": File(kind=EntryKind.FOLDER, mode=0o755),
            "bin": link("/usr/bin"),
        }
    )
    assert files.which("python3", "/opt:/sbin::relative:/nowhere:/bin").path == "/usr/bin/python3.11"
    assert files.which("/bin/python3", "").path == "/usr/bin/python3.11"
    assert files.which("python3", "/opt") is None
    assert files.which("", "/bin") is None


def test_a_claimed_size_counts_and_is_told_apart_from_what_is_stored():
    files = read({"model.bin": File(b"abc", size=31 << 30), "other": "12"})
    assert files.size == (31 << 30) + 2
    assert (files.largest(1)[0].path, files.largest(1)[0].stored_size) == ("/model.bin", 3)


def test_thousands_of_oddities_are_counted_and_not_listed():
    files = read({f"../{number}": "" for number in range(5000)})
    assert len(files.oddities) == 1001
    assert files.oddities[-1].what == "4000 more oddities are not listed"
