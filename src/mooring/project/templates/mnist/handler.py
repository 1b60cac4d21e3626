"""Reads the digit in a picture: `curl -F images=@samples/seven.jpg http://127.0.0.1:8080/` -> {"mnist_result": 7}."""

import onnxruntime
from digits import NoDigit, normalise
from pictures import NotAPicture, read

from mooring_serve import BadInput, Handler


class Mnist(Handler):
    """The network of model/model.onnx behind POST /."""

    def setup(self, model_dir):
        """Load the network; `model_dir` is this project's model/ folder."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # one small picture at a time: more threads only wait for each other
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            str(model_dir / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def predict(self, images):
        """Return the digit in the picture that came in the field `images`."""
        try:
            picture = normalise(read(images))
        except (NotAPicture, NoDigit) as error:
            raise BadInput(f"images {error}") from None
        scores = self.session.run(["scores"], {"picture": picture[None, None]})[0]
        return {"mnist_result": int(scores.argmax())}
