"""The mnist project behind BentoML: a file arrives as a path, numbers as an annotated list."""

from pathlib import Path
from typing import Annotated

import bentoml
import model
from annotated_types import Len


class Base:
    def __init__(self) -> None:
        self.handler = model.load()


if model.KIND == "jpeg":

    @bentoml.service(workers=1)
    class Mnist(Base):
        @bentoml.api(route="/predict")
        def predict(self, images: Path) -> dict[str, int]:
            with images.open("rb") as file:
                return self.handler.predict(images=file)

else:

    @bentoml.service(workers=1)
    class Mnist(Base):
        @bentoml.api(route="/predict")
        def predict(self, pixels: Annotated[list[float], Len(784, 784)]) -> dict[str, int]:
            return self.handler.predict(pixels=pixels)
