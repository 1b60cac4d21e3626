"""The mnist project behind FastAPI, as its tutorial writes a blocking call: a plain `def`, run in the thread pool."""

import os
from typing import Annotated

import model
from fastapi import FastAPI, UploadFile
from pydantic import BaseModel, Field

handler = model.load()
app = FastAPI()


class Picture(BaseModel):
    pixels: Annotated[list[float], Field(min_length=784, max_length=784)]


def jpeg(images: UploadFile) -> dict[str, int]:
    return handler.predict(images=images.file)


def numbers(picture: Picture) -> dict[str, int]:
    return handler.predict(pixels=picture.pixels)


# The same with `async def`: faster, but nothing else is answered meanwhile, /health neither.
async def jpeg_on_the_loop(images: UploadFile) -> dict[str, int]:
    return handler.predict(images=images.file)


async def numbers_on_the_loop(picture: Picture) -> dict[str, int]:
    return handler.predict(pixels=picture.pixels)


ways = {
    ("jpeg", "threads"): jpeg,
    ("json", "threads"): numbers,
    ("jpeg", "loop"): jpeg_on_the_loop,
    ("json", "loop"): numbers_on_the_loop,
}
app.post("/")(ways[model.KIND, os.environ.get("BENCH_WAY", "threads")])
