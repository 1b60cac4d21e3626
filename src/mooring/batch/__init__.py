"""Nobody is waiting: inputs fed to a model one by one, and a result and a line for each of them."""
