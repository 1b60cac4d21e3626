"""What each engine's base class brings: where `model_path` points, how it is constructed, what `_inference` does."""

import pytest

WHERE = """
import os
{statement}

class Service({base}):
    def _inference(self, data):
        return os.path.relpath(self.model_path, os.path.dirname(os.path.abspath(__file__)))
    def _postprocess(self, data):
        return [data, self.model_name]
"""


@pytest.mark.parametrize(
    ("model_type", "statement", "files", "path"),
    [
        ("TensorFlow", "from model_service.tfserving_model_service import TfServingBaseService", (), "."),
        ("PyTorch", "from model_service.pytorch_model_service import PTServingBaseService", ["net.pth"], "net.pth"),
        ("PyTorch", "from model_service.pytorch_model_service import PTServingBaseService", ["net.pt"], "net.pt"),
        ("MindSpore", "from model_service.model_service import SingleNodeService", ["a.ckpt", "tmp.om"], "."),
        ("MXNet", "from mms.model_service.mxnet_model_service import MXNetBaseService", (), "."),
        (
            "Spark_MLlib",
            "from model_service.spark_model_service import SparkServingBaseService",
            ["spark_model/metadata/part-0"],
            "spark_model",
        ),
        ("XGBoost", "from model_service.python_model_service import XgSklServingBaseService", ["xgb.m"], "xgb.m"),
        ("Scikit_Learn", "from model_service.python_model_service import XgSklServingBaseService", ["s.m"], "s.m"),
        ("Custom", "from model_service.model_service import SingleNodeService", ["net.onnx"], "."),
        ("Custom", "from model_service.pytorch_model_service import PTServingBaseService", ["n.pth"], "n.pth"),
    ],
)
def test_model_path_is_the_weights_or_their_folder_as_the_engine_has_it(package, model_type, statement, files, path):
    package.of(model_type, WHERE.format(statement=statement, base=statement.split()[-1]))
    for name in files:
        package.write(name, "")
    body = {"value": {"data": {"req_data": []}}}
    assert package.ask(body).answer == (200, [path, "serve"])


def test_a_pytorch_model_runs_once_for_each_key_and_without_gradients(package):
    code = """
        import torch
        from model_service.pytorch_model_service import PTServingBaseService

        class Service(PTServingBaseService):
            def __init__(self, model_name, model_path):
                super(Service, self).__init__(model_name, model_path)
                self.model = lambda batch: [batch, torch.gradients]
    """
    torch = """
        gradients = True
        class no_grad:
            def __enter__(self):
                global gradients
                gradients = False
            def __exit__(self, *_):
                global gradients
                gradients = True
    """
    package.of("PyTorch", code, net__pth="", torch__py=torch)
    assert package.ask({"value": {"a": 1, "b": 2}}).answer == (200, {"a": [1, False], "b": [2, False]})


def test_a_pytorch_package_that_builds_no_model_is_refused(package):
    code = """
        from model_service.pytorch_model_service import PTServingBaseService
        class Service(PTServingBaseService):
            pass
    """
    assert "sets no self.model" in package.of("PyTorch", code, net__pth="").ask().refused


TENSORFLOW = """
class Array(list):
    def tolist(self):
        return list(self)
class Graph:
    def as_default(self):
        return self
    def __enter__(self):
        pass
    def __exit__(self, *_):
        pass
class Session:
    def __init__(self, graph):
        pass
    def run(self, fetches, fed):
        return {name: Array([tensor, sorted(fed.items())]) for name, tensor in fetches.items()}
class Info:
    def __init__(self, name):
        self.name = name
class Signature:
    inputs = {"images": Info("in:0")}
    outputs = {"scores": Info("out:0")}
class saved_model:
    def load(session, tags, folder):
        return type("Meta", (), {"signature_def": {"predict_images": Signature, "__saved_model_init_op": None}})
class compat:
    pass
compat.v1 = type("v1", (), {"Graph": Graph, "Session": Session, "saved_model": saved_model})
"""
PLAIN_TENSORFLOW = """
from model_service.tfserving_model_service import TfServingBaseService

class mnist_service(TfServingBaseService):
    pass
"""


def test_a_saved_model_takes_and_gives_what_its_signature_names(package):
    package.of("TensorFlow", PLAIN_TENSORFLOW, saved_model__pb="", tensorflow__py=TENSORFLOW)
    run = package.ask({"value": {"images": [1]}}, {"value": {"photo": [1]}})
    assert run.answers[0] == {"status": 200, "body": {"scores": ["out:0", [["in:0", [1]]]]}}
    assert run.answers[1]["status"] == 500
    assert "_preprocess returned photo; the SavedModel's inputs are images" in run.output


def test_a_tensorflow_package_without_code_serves_its_saved_model(package):
    package.of("TensorFlow", "", saved_model__pb="", tensorflow__py=TENSORFLOW)
    (package.folder / "customize_service.py").unlink()
    assert package.ask({"value": {"images": [1]}}).answer[0] == 200


def test_a_tensorflow_package_without_a_saved_model_is_refused(package):
    assert "holds no saved_model.pb" in package.of("TensorFlow", PLAIN_TENSORFLOW).ask().refused


CAFFE = """
TEST = 1
class Net:
    def __init__(self, network, weights, phase):
        self.files = [network.rsplit("/", 1)[1], weights.rsplit("/", 1)[1]]
        self.blobs = {"data": None}
    def forward(self, **blobs):
        return {"prob": [self.files, self.blobs["data"] or blobs["data"]]}
"""
PLAIN_CAFFE = """
from model_service.caffe_model_service import CaffeBaseService

class LenetService(CaffeBaseService):
    def _preprocess(self, data):
        if data["fill"]:
            self.net.blobs["data"] = "filled"
            return
        return {"data": "given"}
"""


@pytest.mark.parametrize(("fill", "blob"), [(True, "filled"), (False, "given")])
def test_a_caffe_network_is_loaded_and_runs_over_the_blobs(package, fill, blob):
    package.of("Caffe", PLAIN_CAFFE, deploy__prototxt="", lenet__caffemodel="", caffe__py=CAFFE)
    answer = (200, {"prob": [["deploy.prototxt", "lenet.caffemodel"], blob]})
    assert package.ask({"value": {"fill": fill}}).answer == answer


def test_a_caffe_package_without_its_network_is_refused(package):
    package.of("Caffe", PLAIN_CAFFE, lenet__caffemodel="", caffe__py=CAFFE)
    assert "one deploy.prototxt" in package.ask().refused


def test_a_pyspark_session_starts_when_it_is_first_asked_for(package):
    code = """
        from model_service.spark_model_service import SparkServingBaseService

        class Service(SparkServingBaseService):
            def _inference(self, data):
                return [self.spark, self.spark is self.spark]
    """
    sql = """
        class Builder:
            def getOrCreate(self):
                return "session"
        class SparkSession:
            builder = Builder()
    """
    package.of("Spark_MLlib", code)
    package.write("spark_model/metadata", "")
    package.write("pyspark/__init__.py", "")
    package.write("pyspark/sql.py", sql)
    assert package.ask({"value": {"a": 1}}).answer == (200, ["session", True])


@pytest.mark.parametrize(
    ("model_type", "statement", "told"),
    [
        ("MindSpore", "from model_service.model_service import SingleNodeService", "has no _inference"),
        ("MXNet", "from mms.model_service.mxnet_model_service import MXNetBaseService", "built-in _inference of MXNet"),
    ],
)
def test_a_package_that_relies_on_an_inference_we_do_not_have_is_refused_with_the_way_out(
    package, model_type, statement, told
):
    code = f"{statement}\nclass Service({statement.split()[-1]}):\n    pass\n"
    refused = package.of(model_type, code).ask().refused
    assert told in refused
    assert "_inference" in refused
