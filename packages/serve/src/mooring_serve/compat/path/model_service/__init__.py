"""The modules that ModelArts images have under this name."""
