"""Tells which mooring lines to keep and which to replace, from their records."""

import json

import joblib
import log
import numpy as np
from model_service.python_model_service import XgSklServingBaseService

from .columns import COLUMNS

logger = log.getLogger(__name__)


class LineInspection(XgSklServingBaseService):
    def __init__(self, model_path):
        super().__init__(model_path)
        self.model = joblib.load(model_path)
        logger.info("loaded %s, classes %s", model_path, self.model.classes_.tolist())

    def _preprocess(self, data):
        # This engine passes a JSON body as text. Values are picked by name: the order of a caller's keys is no matter.
        body = json.loads(data)
        rows = body["data"]["req_data"]
        return np.array([[float(row[name]) for name in COLUMNS] for row in rows]).reshape(-1, len(COLUMNS))

    def _inference(self, data):
        if not len(data):
            return []
        return self.model.predict_proba(data)

    def _postprocess(self, data):
        classes = self.model.classes_
        return {
            "data": {
                "resp_data": [
                    {"predict_result": str(classes[row.argmax()]), "probability": round(float(row.max()), 4)}
                    for row in data
                ]
            }
        }
