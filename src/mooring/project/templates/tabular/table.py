"""The table's columns, in the order of a CSV file, and what it takes for a row to mean something."""

import numpy as np

NUMBER, WORD = np.float32, np.str_

# Name and kind of each column. Their bounds and the words they allow are in config.json, where callers can read them
# and the server checks them.
COLUMNS = {
    "ship_type": WORD,
    "length_m": NUMBER,
    "cargo_tonnes": NUMBER,
    "arrival_hour": NUMBER,
    "wind_m_s": NUMBER,
    "pilot_booked": NUMBER,
}


def inputs(rows):
    """Return what the model reads: for each column an array [n, 1], from rows as dicts, their keys in any order.

    Raises KeyError where a row lacks a column.
    """
    return {name: np.array([[row[name]] for row in rows], dtype=kind).reshape(-1, 1) for name, kind in COLUMNS.items()}
