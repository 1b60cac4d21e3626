"""The mnist project behind MLServer: the picture by a custom handler, the numbers in its own V2 protocol."""

import model
from fastapi import Request
from mlserver import MLModel
from mlserver.handlers import custom_handler
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Mnist(MLModel):
    async def load(self) -> bool:
        self.handler = model.load()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        answer = self.handler.predict(pixels=payload.inputs[0].data.root)
        output = ResponseOutput(name="mnist_result", shape=[1], datatype="INT64", data=[answer["mnist_result"]])
        return InferenceResponse(model_name=self.name, outputs=[output])

    @custom_handler(rest_path="/")
    async def picture(self, request: Request) -> dict[str, int]:
        form = await request.form()
        return self.handler.predict(images=form["images"].file)
