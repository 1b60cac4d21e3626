"""Trains the network of model/model.onnx and writes its accuracy into config.json.

    python train.py --data mnist_train.npz     (images uint8 [60000, 28, 28], labels uint8 [60000])
    python train.py --download                 (MNIST's public files, kept in data/)

Needs requirements-train.txt; about ten minutes on two cores. The seed is fixed: same packages, same machine, same file.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import training_data
from digits import normalise
from network import exported, learnt
from PIL import Image

HERE = Path(__file__).resolve().parent
SIZE_LIMIT = 600 * 1024


def main():
    args = _arguments()
    torch.set_num_threads(args.threads)
    images, labels = training_data.load(args.data) if args.data else training_data.download(HERE / "data")
    (images, labels), (unseen, answers) = training_data.divided(images, labels)
    network = learnt(as_served(images), labels, epochs=args.epochs)
    content = exported(network)
    if len(content) >= SIZE_LIMIT:
        raise SystemExit(f"model.onnx would have {len(content)} bytes, the limit is {SIZE_LIMIT}")
    unseen = as_served(unseen)
    scores = onnxruntime.InferenceSession(content).run(None, {"picture": unseen[:, None]})[0]
    with torch.no_grad():
        difference = np.abs(network(torch.from_numpy(unseen)[:, None]).numpy() - scores).max()
    if difference > 1e-3:
        raise SystemExit(f"the ONNX file does not do what was trained: scores differ by {difference:.6f}")
    measured = metrics(scores.argmax(1), answers)
    print(f"{len(answers)} digits it has not seen: {measured}; {len(content)} bytes")
    (HERE / "model" / "model.onnx").write_bytes(content)
    config = json.loads((HERE / "config.json").read_text(encoding="utf-8"))
    config["metrics"] = measured
    (HERE / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def as_served(images):
    """Return MNIST's images uint8 [n, 28, 28] as the handler would hand them to the network, float32 of the same shape.

    What is learnt from is made by the same steps as what is answered to.
    """
    return np.stack([normalise(Image.fromarray(image)) for image in images])


def metrics(answers, labels):
    """Return accuracy, and precision, recall and f1 as means over the ten digits, each rounded to four places."""
    counts = np.zeros((10, 10))
    np.add.at(counts, (labels, answers), 1)  # row: the digit it is; column: the digit it was taken for
    right = counts.diagonal()
    precision, recall = right / counts.sum(0).clip(1), right / counts.sum(1).clip(1)
    f1 = 2 * precision * recall / (precision + recall).clip(1e-9)
    values = {"accuracy": right.sum() / counts.sum(), "precision": precision, "recall": recall, "f1": f1}
    return {name: round(float(np.mean(value)), 4) for name, value in values.items()}


def _arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="FILE", help="an .npz file with images and labels")
    source.add_argument("--download", action="store_true", help="fetch MNIST's public files")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
