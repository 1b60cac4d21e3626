"""The modules that ModelArts images for MXNet have under this name."""
