"""Says which ships will leave their berth late: JSON rows in, as many JSON rows out."""

import onnxruntime
from table import inputs

from mooring_serve import Handler


class Ships(Handler):
    """The model of model/model.onnx behind POST /."""

    def setup(self, model_dir):
        """Load the model; `model_dir` is this project's model/ folder."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a few rows at a time: more threads only wait for each other
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(model_dir / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def predict(self, data):
        """Return an answer for each row, in order. What config.json demands of a row has been checked before."""
        rows = data["req_data"]
        if not rows:
            return {"data": {"resp_data": []}}
        answers, chances = self.session.run(None, inputs(rows))
        return {
            "data": {
                "resp_data": [
                    {"predict_result": answer, "probability": round(float(chance.max()), 4)}
                    for answer, chance in zip(answers.tolist(), chances, strict=True)
                ]
            }
        }
