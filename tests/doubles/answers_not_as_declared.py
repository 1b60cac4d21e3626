"""Answers with a name and a type that config.json does not know."""

from keeps_the_contract import Api, serve


class Other(Api):
    def predict(self, text):
        return {"predicted_label": "seven"}


serve(Other)
