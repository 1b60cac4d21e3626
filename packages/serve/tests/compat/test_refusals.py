"""Packages that cannot be served, and what their authors are told."""

import pytest

PYTORCH = """
from model_service.pytorch_model_service import PTServingBaseService

class Service(PTServingBaseService):
    def _inference(self, data):
        return 1
"""


def test_the_base_class_of_another_engine_is_not_there_and_the_right_import_is_named(package):
    refused = package.of("TensorFlow", PYTORCH).ask().refused
    assert "No module named 'model_service.pytorch_model_service'" in refused
    assert "from model_service.tfserving_model_service import TfServingBaseService" in refused


def test_a_module_that_no_engine_has_is_answered_with_the_right_import(package):
    refused = package.of("PyTorch", "import model_service.pytorch_service", net__pth="").ask().refused
    assert "No module named 'model_service.pytorch_service'" in refused
    assert "from model_service.pytorch_model_service import PTServingBaseService" in refused


def test_a_missing_library_is_named_with_where_to_put_it(package):
    refused = package.of("PyTorch", "import no_such_library.sub", net__pth="").ask().refused
    assert "Install no_such_library" in refused
    assert "dependencies" in refused


def test_a_file_without_a_service_is_refused_with_the_classes_it_has(package):
    code = """
        from model_service.pytorch_model_service import PTServingBaseService
        class Helper:
            pass
        class Service:
            pass
    """
    refused = package.of("PyTorch", code, net__pth="").ask().refused
    assert "no subclass of PTServingBaseService" in refused
    assert "Helper, Service" in refused


def test_a_file_with_several_services_is_refused_with_their_names(package):
    refused = package.of("PyTorch", PYTORCH + PYTORCH.replace("Service(", "Other("), net__pth="").ask().refused
    assert "several service classes: Other, Service" in refused


def test_the_last_of_a_line_of_classes_is_the_service(package):
    code = (
        PYTORCH
        + "class Finer(Service):\n    def _postprocess(self, data):\n        return [data, type(self).__name__]\n"
    )
    assert package.of("PyTorch", code, net__pth="").ask({"value": 1}).answer == (200, [1, "Finer"])


def test_missing_weights_are_refused_with_what_was_found(package):
    refused = package.of("PyTorch", PYTORCH, net__onnx="").ask().refused
    assert "needs one *.pth or *.pt" in refused
    assert "customize_service.py, net.onnx" in refused


def test_several_weights_are_refused_with_their_names(package):
    refused = package.of("PyTorch", PYTORCH, a__pth="", b__pth="").ask().refused
    assert "several weights" in refused
    assert "a.pth, b.pth" in refused


def test_a_package_without_code_is_refused_where_the_engine_needs_code(package):
    package.of("PyTorch", "", net__pth="")
    (package.folder / "customize_service.py").unlink()
    assert "has no customize_service.py" in package.ask().refused


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", "print 'loaded'"])
def test_code_that_is_no_python_is_refused_with_its_line(package, line):
    refused = package.of("PyTorch", f"import os\n{line}\n", net__pth="").ask().refused
    assert "customize_service.py line 2 is not valid Python" in refused
    assert line in refused


@pytest.mark.parametrize("line", ['raise KeyError("labels")', "import sys; sys.exit('no labels')"])
def test_a_constructor_that_fails_is_told_with_the_place(package, line):
    code = f"{PYTORCH}\n    def __init__(self, model_name, model_path):\n        {line}\n"
    refused = package.of("PyTorch", code, net__pth="").ask().refused
    assert "starting Service failed" in refused
    assert "labels" in refused
    assert "customize_service.py:9 in __init__" in refused


def test_a_constructor_of_another_shape_is_refused_with_the_right_one(package):
    code = f"{PYTORCH}\n    def __init__(self, a, b, c):\n        pass\n"
    assert "(self, model_name, model_path)" in package.of("PyTorch", code, net__pth="").ask().refused


def test_a_path_that_only_the_platform_has_is_explained(package):
    code = PYTORCH + '\nopen("/home/mind/model/labels.json")\n'
    refused = package.of("PyTorch", code, net__pth="").ask().refused
    assert "The platform puts the package at /home/mind/model" in refused
    assert "os.path.dirname(__file__)" in refused


def test_a_folder_that_is_not_there_is_named(package):
    assert "there is no folder" in package.of("PyTorch", PYTORCH).ask(directory=package.root / "absent").refused
