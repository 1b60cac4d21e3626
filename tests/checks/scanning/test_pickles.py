"""Pickles that run code are found by what they are, wherever they hide; ordinary ones are left in peace."""

import bz2
import collections
import datetime as dt
import decimal
import gzip
import io
import lzma
import os
import pickle
import struct
import tarfile
import zipfile
import zlib

import numpy as np
import pytest

from mooring.checks.scanning import Scanner, Severity
from mooring.checks.scanning.inspector import BLOCK


def string(text):
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def imported(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def calls(module, name, *arguments):
    """A pickle of protocol 2 that calls module.name with strings. What it would run is harmless; its names are not."""
    return b"\x80\x02" + imported(module, name) + b"(" + b"".join(map(string, arguments)) + b"tR."


SYSTEM = calls("posix", "system", "true")
# What a study of other scanners found them to miss or to skip, and what each must be called at least.
HARM = {
    "os.system": (SYSTEM, "malicious"),
    "numpy's __builtins__ and BUILD": (
        b"\x80\x02"
        + imported("numpy.core.multiarray", "__builtins__")
        + b"}b"
        + imported("numpy", "eval")
        + b"("
        + string("1")
        + b"tR.",
        "malicious",
    ),
    "importlib.import_module": (calls("importlib", "import_module", "os"), "malicious"),
    "mlflow _run_entry_point": (calls("mlflow.projects.backend.local", "_run_entry_point", "true", "."), "suspicious"),
    "pandas read_csv": (calls("pandas", "read_csv", "http://example.org/x"), "suspicious"),
    "torch.utils.collect_env.run": (calls("torch.utils.collect_env", "run", "true"), "malicious"),
    "pty.spawn": (calls("pty", "spawn", "true"), "malicious"),
    "a module reached through another": (
        b"\x80\x04" + string("pathlib") + string("os.system") + b"\x93(" + string("true") + b"tR.",
        "malicious",
    ),
}


@pytest.mark.parametrize("name", HARM)
def test_what_runs_code_is_found_whatever_the_file_is_called(severities, name):
    data, expected = HARM[name]
    for path in ("/home/model/model.pkl", "/home/model/weights", "/home/model/model.bin", "/usr/share/doc/x.txt"):
        assert severities(data, path)[0] == expected


def zipped(data, compression=zipfile.ZIP_STORED, name="archive/data.pkl"):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", compression) as archive:
        archive.writestr("archive/version", "3\n")
        archive.writestr(name, data)
        archive.writestr("archive/data/0", os.urandom(5000))
    return held.getvalue()


def tarred(data, mode="w"):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as archive:
        for name, content in (("storages", b"\0" * 700), ("pickle", data)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return held.getvalue()


def npy(data):
    """An .npy file of objects, its pickle another one."""
    held = io.BytesIO()
    np.lib.format.write_array_header_1_0(held, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    return held.getvalue() + data


HIDING = {
    "after another pickle, as torch writes them": lambda data: pickle.dumps({"a": 1}) + pickle.dumps([2]) + data,
    "before raw data": lambda data: data + os.urandom(9000),
    "behind a large payload": lambda data: pickle.dumps(b"x" * 9_000_000)[:-1] + b"0" + data[2:],
    "in a stored zip": zipped,
    "in a deflated zip": lambda data: zipped(data, zipfile.ZIP_DEFLATED),
    "in a bzip2 zip": lambda data: zipped(data, zipfile.ZIP_BZIP2),
    "in an lzma zip": lambda data: zipped(data, zipfile.ZIP_LZMA),
    "in a zip in a zip": lambda data: zipped(zipped(data, zipfile.ZIP_DEFLATED), zipfile.ZIP_DEFLATED, "inner.bin"),
    "in a zip behind other bytes": lambda data: b"#!/bin/sh\nexit 0\n" + os.urandom(5_000_000) + zipped(data),
    "in a zip that begins at the end of a block": lambda data: os.urandom(BLOCK - 2) + zipped(data),
    "in a tar whose mark two blocks share": lambda data: os.urandom(BLOCK - 257 - 3) + tarred(data),
    "in an npz": lambda data: zipped(npy(data), zipfile.ZIP_DEFLATED, "arr_0.npy"),
    "in an npy of objects": npy,
    "in a tar": tarred,
    "in a tar.gz": lambda data: tarred(data, "w:gz"),
    "compressed by zlib": zlib.compress,
    "compressed by gzip": gzip.compress,
    "in the second of two gzip streams": lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    "compressed by bzip2": bz2.compress,
    "compressed by xz": lzma.compress,
    "compressed by lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}


@pytest.mark.parametrize("where", HIDING)
def test_it_is_found_where_it_hides(severities, where):
    assert severities(HIDING[where](SYSTEM)) == ["malicious"]
    assert severities(HIDING[where](calls("collections", "OrderedDict"))) == []


def test_a_zip_whose_headers_lie_hides_nothing(severities):
    # The header before the member says that it is encrypted, or stored where it is deflated; readers that believe the
    # central directory unpack it all the same.
    data = bytearray(zipped(SYSTEM, zipfile.ZIP_DEFLATED))
    at = data.index(b"archive/data.pkl") - 30
    data[at + 8 : at + 10] = b"\0\0"
    assert severities(bytes(data)) == ["malicious"]
    data[at + 6] |= 1
    assert severities(bytes(data)) == ["malicious", "unreadable"]


def test_a_member_inside_another_member_is_seen_too(severities):
    inner = zipped(SYSTEM)
    assert severities(zipped(pickle.dumps(inner))) == ["malicious"]


def test_names_are_put_together_through_the_memo(look):
    data = (
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94000"  # both strings into the memo, and away from the stack
        b"h\x00h\x01\x93\x8c\x04true\x85R."
    )
    (found,) = look(data)
    assert found.names == ("posix.system",)
    assert found.severity is Severity.MALICIOUS


def test_a_name_that_only_loading_makes_is_said_to_be_hidden(look):
    data = b"\x80\x04" + imported("builtins", "str") + b"\x8c\x05posix\x85R" + b"\x8c\x06system\x93)R."
    (found,) = look(data)
    assert (found.severity, found.name) == (Severity.SUSPICIOUS, "hidden-import")


def test_imports_by_number_are_suspicious(look):
    assert [each.name for each in look(b"\x80\x02\x82\x05)R.")] == ["registered-import"]


def test_changing_an_imported_object_is_suspicious(look):
    data = b"\x80\x02" + imported("collections", "OrderedDict") + b"}" + string("update") + b"Nsb."
    assert [each.name for each in look(data)] == ["patched-import"]


@pytest.mark.parametrize("protocol", [0, 1])
def test_pickles_of_the_oldest_protocols_have_no_mark_and_are_found(severities, protocol):
    class Harm:
        def __reduce__(self):
            return os.system, ("true",)

    assert severities(pickle.dumps([1, Harm()], protocol)) == ["malicious"]
    assert severities(pickle.dumps(collections.OrderedDict(a=1), protocol)) == []


def test_a_pickle_without_the_opcode_that_names_its_protocol_is_found(severities):
    assert severities(b"\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.") == ["malicious"]


def test_unknown_imports_are_listed_and_a_project_may_vouch_for_them(look):
    data = calls("shop.features", "Prices")
    (found,) = look(data)
    assert found.severity is Severity.SUSPICIOUS
    assert found.names == ("shop.features.Prices",)
    assert "shop.features.Prices" in found.detail
    for allowed in ("shop.*", "shop", "shop.features.Prices", "shop.features.*"):
        assert look(data, scan=Scanner(allowed=[allowed])) == ()
    assert look(data, scan=Scanner(allowed=["shopping.*", "shop.features.Price"]))


def test_nobody_can_vouch_for_what_runs_code(look):
    (found,) = look(SYSTEM, scan=Scanner(allowed=["posix.*", "posix.system"]))
    assert found.severity is Severity.MALICIOUS


def test_names_of_python_2_are_judged_by_what_they_are_today(severities):
    assert severities(calls("__builtin__", "eval", "1")) == ["malicious"]
    assert severities(calls("commands", "getoutput", "true")) == ["malicious"]
    assert severities(calls("__builtin__", "set")) == []


def test_a_broken_pickle_is_unreadable_and_says_what_it_imported_until_there(look):
    whole = pickle.dumps([collections.OrderedDict(a=1), decimal.Decimal("1.5"), list(range(50))])
    (found,) = look(whole[:-9])
    assert found.severity is Severity.UNREADABLE
    assert "decimal.Decimal" in found.detail
    cut = SYSTEM[:-1] + b"\xff"
    assert [each.severity for each in look(cut)] == [Severity.MALICIOUS, Severity.UNREADABLE]


TEXTS = {
    "a word list": "cos\nsystem\ncat\ndog\n",
    "a script": "#!/bin/sh\nexec python3 -c 'import os'\n",
    "python": "import os\nos.getcwd()\n",
    "lisp": "(defun f (x) (if (> x 0) x))\n.\n",
    "a version": "V1.0\nNames:\n.\n",
    "numbers": "I1\nI2\n.",
    "json": '{"a": 1}\n',
    "troff": ".TH cat 1\n.SH NAME\n",
    "csv": "S1,S2\n1,2\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_not_taken_for_a_pickle(look, name):
    assert look(TEXTS[name].encode()) == ()


def test_other_data_that_begins_like_a_pickle_is_left_alone(look):
    for seed in range(300):
        noise = np.random.default_rng(seed).bytes(2000)
        assert look(b"\x80\x04" + noise) == ()
        assert look(noise) == ()


def test_ordinary_values_in_every_protocol_are_left_alone(look):
    value = [
        {"a": (1, 2.5, None, True)},
        {3, 4},
        frozenset([5]),
        "ümlaut\nline",
        b"bytes" * 1000,
        bytearray(b"x"),
        -(2**70),
        complex(1, 2),
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        decimal.Decimal("1.25"),
        collections.defaultdict(list, a=[1]),
        slice(1, 2),
        range(5),
        "long" * 5000,
    ]
    for protocol in range(6):
        assert look(pickle.dumps(value, protocol)) == (), protocol


def test_numpy_objects_are_left_alone(look, tmp_path):
    held = np.array([{"a": 1}, "text", None], dtype=object)
    np.save(tmp_path / "a.npy", held)
    np.savez_compressed(tmp_path / "a.npz", held=held, plain=np.arange(1000))
    for protocol in (2, 4, 5):
        (tmp_path / f"{protocol}.pkl").write_bytes(
            pickle.dumps([held, np.arange(9).reshape(3, 3), np.float32(2), np.random.default_rng(1)], protocol)
        )
    for file in tmp_path.iterdir():
        assert look(file.read_bytes()) == (), file.name


def test_a_bomb_is_said_to_be_one_and_costs_little(look, monkeypatch):
    monkeypatch.setattr("mooring.checks.scanning.pickles.unpacking.FREE", 10_000_000)
    bomb = gzip.compress(pickle.dumps(b"\0" * 40_000_000))
    (found,) = look(bomb)
    assert found.severity is Severity.UNREADABLE
    assert "unpacks to far more" in found.detail


def test_archives_deeper_than_are_followed_are_unreadable(look):
    data = SYSTEM
    for _ in range(8):
        data = zipped(data, zipfile.ZIP_DEFLATED, "inner.zip")
    assert [each.severity for each in look(data)] == [Severity.UNREADABLE]


def test_endless_opcodes_end(look, monkeypatch):
    monkeypatch.setattr("mooring.checks.scanning.pickles.walker.MOST_STEPS", 10_000)
    (found,) = look(b"\x80\x02" + b"N0" * 50_000 + b".")
    assert found.severity is Severity.UNREADABLE
    assert "steps" in found.detail


def test_it_does_not_matter_how_the_bytes_are_cut(severities):
    class Stingy(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7))

    from mooring.image import Entry

    for where, hide in HIDING.items():
        data = hide(SYSTEM)
        if len(data) < 100_000:
            found = Scanner()(Entry(path="/x", size=len(data)), Stingy(data))
            assert [str(each.severity) for each in found] == ["malicious"], where


def test_nothing_is_imported_or_called(look):
    class Tell:
        def __reduce__(self):
            return pytest.fail, ("it was called",)

    assert look(pickle.dumps(Tell()))


def getattr_of(owner, name):
    return b"\x80\x04" + imported("builtins", "getattr") + owner + string(name) + b"\x86R"


def test_getattr_with_plain_names_is_the_import_that_it_stands_for(look):
    zone = imported("zoneinfo", "ZoneInfo")
    assert look(getattr_of(zone, "_unpickle") + string("Europe/Berlin") + b"K\x01\x86R.") == ()
    (found,) = look(getattr_of(zone, "clear_cache") + b")R.")
    assert found.names == ("zoneinfo.ZoneInfo.clear_cache",)
    assert [each.names for each in look(getattr_of(imported("pathlib", "PurePath"), "os") + b".")] != []
    assert look(getattr_of(zone, "__init__") + b".")[0].severity is Severity.MALICIOUS


def test_any_other_use_of_getattr_runs_code(severities):
    for data in (
        b"\x80\x04" + imported("builtins", "getattr") + b".",
        getattr_of(imported("builtins", "dict") + b")R)R", "x") + b".",
        b"\x80\x04" + imported("functools", "partial") + imported("builtins", "getattr") + b"\x85R.",
        b"\x80\x04"
        + imported("builtins", "getattr")
        + b"\x94"
        + imported("zoneinfo", "ZoneInfo")
        + string("_unpickle")
        + b"\x86Rh\x00.",
    ):
        assert severities(data)[0] == "malicious"


def test_an_xgboost_model_is_left_alone(look):
    # The shape of a real one: a classifier whose state holds a booster, whose state holds its bytes.
    booster = imported("xgboost.core", "Booster") + b")\x81}" + string("handle") + imported("builtins", "bytearray")
    booster += b"C\x04{L\x00\x00\x85Rsb"
    model = b"\x80\x04" + imported("xgboost.sklearn", "XGBClassifier") + b")\x81}(" + string("n_estimators") + b"K\x03"
    assert look(model + string("_Booster") + booster + b"ub.") == ()


def test_what_is_made_to_exhaust_a_scanner_is_told_as_such(look, monkeypatch):
    monkeypatch.setattr("mooring.checks.scanning.pickles.content.MOST_MEMBERS", 50)
    header = b"PK\x03\x04\x14\x00\x00\x00\x00\x00" + bytes(16) + b"\x01\x00\x00\x00a"
    (found,) = look(header * 100)
    assert (found.severity, found.name) == (Severity.UNREADABLE, "exhausting")
    assert look(header * 40) == ()


def test_values_within_values_without_end_do_no_harm(look):
    assert look(b"\x80\x02N" + b"\x85" * 300_000 + b".") == ()
    (found,) = look(b"\x80\x02(" + b"N" * 1_100_000 + b".")
    assert "values at a time" in found.detail


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "exec"),
        ("builtins", "compile"),
        ("builtins", "open"),
        ("builtins", "__import__"),
        ("os", "popen"),
        ("nt", "system"),
        ("subprocess", "Popen"),
        ("runpy", "run_path"),
        ("socket", "create_connection"),
        ("ctypes", "CDLL"),
        ("shutil", "rmtree"),
        ("webbrowser", "open"),
        ("asyncio.subprocess", "create_subprocess_exec"),
        ("code", "interact"),
        ("pip", "main"),
        ("types", "CodeType"),
        ("types", "FunctionType"),
        ("marshal", "loads"),
        ("operator", "attrgetter"),
        ("operator", "methodcaller"),
        ("sys", "modules"),
        ("numpy.f2py.crackfortran", "myeval"),
        ("torch.hub", "load"),
        ("numpy", "f2py.compile"),
        ("sklearn.os", "os.system"),
        ("collections", "OrderedDict.__init__.__globals__"),
    ],
)
def test_imports_that_open_the_way_to_running_code_block(look, module, name):
    assert look(calls(module, name, "x"))[0].severity is Severity.MALICIOUS


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("cloudpickle.cloudpickle", "_make_function"),
        ("dill._dill", "_create_code"),
        ("pandas", "read_pickle2"),
        ("torch.storage", "_load_from_bytes"),
        ("numpy", "load"),
        ("sys", "intern"),
        ("__main__", "Net"),
        ("sklearn.datasets", "fetch_openml"),
    ],
)
def test_imports_that_somebody_should_look_at_are_told(look, module, name):
    (found,) = look(calls(module, name, "x"))
    assert found.severity is Severity.SUSPICIOUS
    assert found.names == (f"{module}.{name}",)
