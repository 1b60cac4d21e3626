"""The mnist project, with a prediction that spends a second in C, as a large model does."""

import ctypes

from mooring_serve import Handler


class Slow(Handler):
    def setup(self, model_dir):
        del model_dir
        self.sleep = ctypes.CDLL(None).usleep  # releases the interpreter's lock, as inference engines do

    def predict(self, images):
        del images
        self.sleep(1_000_000)
        return {"mnist_result": 7}
