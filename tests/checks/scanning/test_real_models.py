"""Ordinary models, written by the libraries themselves, are called nothing; what is put into one of them is."""

import io
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WRITE = r"""
import collections, gzip, pickle, sys
import joblib, numpy as np, torch
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

folder = sys.argv[1]
random = np.random.default_rng(0)
x, y = random.normal(size=(60, 4)), random.integers(0, 2, 60)
letters = np.array([["a", "b"]] * 30, dtype=object)
models = {
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y),
    "columns": ColumnTransformer([("letters", OneHotEncoder(), [0, 1])]).fit(letters),
    "forest": RandomForestClassifier(5, random_state=np.random.RandomState(1)).fit(x, y),
    "boosting": GradientBoostingClassifier(n_estimators=3).fit(x, y),
    "histogram": HistGradientBoostingClassifier(max_iter=3).fit(x, y),
    "means": KMeans(2, n_init=1).fit(x),
    "svc": SVC(probability=False).fit(x, y),
    "neighbours": KNeighborsClassifier().fit(x, y),
    "bayes": GaussianNB().fit(x, y),
    "network": MLPClassifier((4,), max_iter=3).fit(x, y),
    "process": GaussianProcessRegressor().fit(x, y),
    "words": TfidfVectorizer().fit(["one two", "two three"]),
    "objects": {"names": np.array(["a", None, {"b": 1}], dtype=object), "x": x, "text": np.array(["ab", "c"])},
}
for name, model in models.items():
    for protocol in (2, 4, 5):
        with open(f"{folder}/{name}-{protocol}.pkl", "wb") as file:
            pickle.dump(model, file, protocol)
    joblib.dump(model, f"{folder}/{name}.joblib")
    joblib.dump(model, f"{folder}/{name}.joblib.zlib", compress=3)
for method in ("gzip", "bz2", "xz", "lzma"):
    joblib.dump(models["forest"], f"{folder}/forest.joblib.{method}", compress=(method, 3))
with gzip.open(f"{folder}/forest.pkl.gz", "wb") as file:
    pickle.dump(models["forest"], file)

net = torch.nn.Sequential(
    torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(3, 2),
    torch.nn.LSTM(2, 2), torch.nn.TransformerEncoderLayer(4, 2, 8), torch.nn.Embedding(3, 4), torch.nn.GELU(),
)
optimiser = torch.optim.Adam(net.parameters())
for zipped in (True, False):
    for name, what in {
        "state": net.state_dict(),
        "module": net,
        "checkpoint": {"model": net.state_dict(), "optimiser": optimiser.state_dict(), "epoch": 3},
        "kinds": [torch.zeros(3, dtype=kind) for kind in (torch.half, torch.bfloat16, torch.int8, torch.bool)],
        "sparse": torch.eye(3).to_sparse(),
        "parameter": torch.nn.Parameter(torch.zeros(2)),
    }.items():
        torch.save(what, f"{folder}/{name}-{zipped}.pt", _use_new_zipfile_serialization=zipped)
torch.save(models["forest"], f"{folder}/forest.pt")
torch.jit.script(torch.nn.Linear(2, 2)).save(f"{folder}/scripted.pt")
np.save(f"{folder}/plain.npy", x)
np.save(f"{folder}/objects.npy", letters)
np.savez(f"{folder}/both.npz", x=x, letters=letters)
np.savez_compressed(f"{folder}/both-small.npz", x=x, letters=letters)
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Files by their names, written by scikit-learn, joblib, numpy and torch."""
    python = ROOT / ".cache" / "torch-env" / "bin" / "python"
    if not python.is_file():
        pytest.skip("PyTorch and scikit-learn are not there: `make torch-env` installs them from locks/torch.txt")
    folder = tmp_path_factory.mktemp("models")
    done = subprocess.run([python, "-W", "ignore", "-c", WRITE, folder], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_ordinary_models_are_called_nothing(look, models):
    assert len(models) > 80
    told = {name: [each.detail for each in found] for name, data in models.items() if (found := look(data, f"/{name}"))}
    assert told == {}


def test_harm_behind_an_ordinary_torch_model_is_found(severities, models):
    harm = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
    for name in ("state-True.pt", "module-True.pt"):
        held = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(models[name])) as old, zipfile.ZipFile(held, "w") as new:
            for member in old.infolist():
                data = old.read(member)
                # The first thing that the model's own pickle does: it makes no difference to what it gives.
                new.writestr(member, harm[:-1] + b"0" + data[2:] if member.filename.endswith("data.pkl") else data)
        assert severities(held.getvalue()) == ["malicious"], name


def test_harm_between_the_arrays_of_a_joblib_file_is_found(severities, models):
    data = models["forest.joblib"]
    harm = b"cposix\nsystem\nX\x04\x00\x00\x00true\x85R0"
    assert severities(data[:-1] + harm + b".") == ["malicious"]


def test_an_array_that_is_none_hides_nothing_from_those_who_load_it_without_joblib(severities, models):
    # joblib takes what follows for an array of many bytes; the unpickler of Python takes it for opcodes.
    data = models["objects.joblib"]
    wrapper = data[: data.index(b"numpy_array_alignment_bytes") + 27]
    wrapper = data[: data.index(b"ub", len(wrapper)) + 2]
    harm = b"cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
    assert severities(wrapper + harm + bytes(5000)) == ["malicious", "unreadable"]


def test_half_a_model_is_unreadable(severities, models):
    assert severities(models["forest-4.pkl"][:-100]) == ["unreadable"]
