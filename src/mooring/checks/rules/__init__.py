"""One file a rule: nothing registers them, they are found by looking."""
