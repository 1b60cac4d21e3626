"""The mnist model asked with 784 numbers instead of a picture."""

import numpy as np
import onnxruntime

from mooring_serve import Handler


class Pixels(Handler):
    def setup(self, model_dir):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = str(model_dir / "model.onnx")
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def predict(self, pixels):
        image = np.array(pixels, dtype=np.float32).reshape(1, 1, 28, 28)
        return {"mnist_result": int(self.session.run(None, {self.input: image})[0].argmax())}
