"""The columns of a row, in the order the model was trained with."""

COLUMNS = ("age_months", "storms", "peak_load_kn", "diameter_mm")
