"""Predicts and answers health one after the other."""

import threading
import time

from keeps_the_contract import Api, serve

ONE_AT_A_TIME = threading.Lock()


class Blocking(Api):
    def health(self):
        with ONE_AT_A_TIME:
            super().health()

    def predict(self, text):
        with ONE_AT_A_TIME:
            time.sleep(0.5)
            return super().predict(text)


serve(Blocking)
