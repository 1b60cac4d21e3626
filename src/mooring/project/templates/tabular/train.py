"""Trains model/model.onnx on a made-up table of ships, and writes what it is worth into config.json.

    python train.py

Needs requirements-train.txt; a few seconds. The seed is fixed. To start from a table of your own, replace `table_of`.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from table import COLUMNS, WORD, inputs

HERE = Path(__file__).resolve().parent
OPSET = {"": 17, "ai.onnx.ml": 3}


def main():
    config = json.loads((HERE / "config.json").read_text(encoding="utf-8"))
    table, late = table_of(12_000, ship_types(config), np.random.default_rng(2022))
    known, unseen, known_late, unseen_late = train_test_split(table, late, test_size=3_000, random_state=0)
    words = [i for i, kind in enumerate(COLUMNS.values()) if kind is WORD]
    numbers = [i for i, kind in enumerate(COLUMNS.values()) if kind is not WORD]
    columns = ColumnTransformer([("words", OneHotEncoder(), words), ("numbers", "passthrough", numbers)])
    model = make_pipeline(columns, GradientBoostingClassifier(n_estimators=120, max_depth=3, random_state=0))
    model.fit(known, known_late)
    content = exported(model)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in unseen.tolist()]
    answers = onnxruntime.InferenceSession(content).run(None, inputs(rows))[0]
    if (answers != model.predict(unseen)).mean() > 0.001:  # 32-bit numbers may fall on the other side of a threshold
        raise SystemExit("the ONNX file does not do what was trained")
    measured = metrics(unseen_late, answers)
    print(f"{len(answers)} ships it has not seen: {measured}; {len(content)} bytes")
    (HERE / "model" / "model.onnx").write_bytes(content)
    config["metrics"] = measured
    (HERE / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def ship_types(config):
    """Return the words config.json allows, so that they are written down once."""
    rows = config["apis"][0]["request"]["data"]["properties"]["data"]["properties"]["req_data"]
    return rows["items"]["properties"]["ship_type"]["enum"]


def table_of(count, types, chance):
    """Return (rows [count, 6] of objects, in the columns' order; whether each ship left late [count], as words).

    The harbour is made up: `chance` is a numpy random generator. Long ships with much cargo take long; wind stops the
    cranes, and the pilots of ships that have not booked one; those who come at night wait for the morning shift.
    """
    ship = chance.choice(types, count)
    length = chance.uniform(20, 400, count).round(1)
    cargo = (length**2 * chance.uniform(0, 1.2, count)).round()
    hour = chance.integers(0, 24, count)
    wind = chance.gamma(2.5, 3, count).round(1)
    pilot = chance.random(count) < 0.8
    delay = (
        0.9 * (cargo / 60_000)
        + 1.6 * (wind > 14) * (ship != "ferry")
        + 1.3 * ~pilot * (length > 120)
        + 0.8 * ((hour >= 22) | (hour < 5)) * (ship != "ferry")
        + 0.5 * (ship == "tanker")
    )
    late = np.where(delay + chance.normal(0, 0.35, count) > 1.5, "late", "on time")
    table = np.empty((count, len(COLUMNS)), dtype=object)
    for i, column in enumerate((ship, length, cargo, hour, wind, pilot)):
        table[:, i] = column.tolist()
    return table, late


def exported(model):
    """Return the pipeline as the bytes of an ONNX file: one input a column, the words and their chances as outputs."""
    types = [
        (name, (StringTensorType if kind is WORD else FloatTensorType)([None, 1])) for name, kind in COLUMNS.items()
    ]
    return to_onnx(
        model, initial_types=types, options={id(model): {"zipmap": False}}, target_opset=OPSET
    ).SerializeToString()


def metrics(late, answers):
    """Return accuracy, and precision, recall and f1 of the answer "late", each rounded to four places."""
    values = {"accuracy": accuracy_score(late, answers)}
    for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        values[name] = score(late, answers, pos_label="late")
    return {name: round(float(value), 4) for name, value in values.items()}


if __name__ == "__main__":
    main()
