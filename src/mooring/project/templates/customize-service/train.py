"""Trains the model on generated records and writes model/lines.m: `python train.py`, about a second.

Replace `records()` by your own table, and the rest stays.
"""

import json
from pathlib import Path

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
MODEL = HERE / "model" / "lines.m"
CONFIG = HERE / "model" / "config.json"
SEED = 7


def records(count=4000, seed=SEED):
    """Generated records: (rows, labels); the columns are those of model/columns.py.

    A line wears with age, with storms, and with the load it bore for its thickness; people who inspect lines do not
    always agree, so some noise is in the labels.
    """
    random = np.random.default_rng(seed)
    age = random.uniform(0, 120, count)
    storms = random.poisson(age / 6)
    diameter = random.choice([24, 32, 40, 48], count)
    load = random.gamma(6, diameter / 2)
    wear = age / 40 + storms / 6 + 2 * load / diameter - 10 + random.logistic(0, 0.25, count)
    rows = np.column_stack([age, storms, load, diameter]).astype(float)
    return rows, np.where(wear > 0, "replace", "keep")


def train(rows, labels):
    """A model of scikit-learn, and the share of held-out rows it labels right."""
    seen, unseen, seen_labels, unseen_labels = train_test_split(rows, labels, test_size=0.25, random_state=SEED)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(seen, seen_labels)
    return model, float(model.score(unseen, unseen_labels))


def main():
    model, accuracy = train(*records())
    joblib.dump(model, MODEL)
    config = json.loads(CONFIG.read_text(encoding="utf-8"))
    config["metrics"] = {"accuracy": round(accuracy, 4)}
    CONFIG.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{MODEL.relative_to(HERE)}: accuracy {accuracy:.4f} on held-out records")


if __name__ == "__main__":
    main()
