"""The image, run once in a cage: what is done to it, and what was seen."""
