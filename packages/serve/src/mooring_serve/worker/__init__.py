"""The worker: one process that holds the user's model, on the interpreter the project names.

Standard library only, Python 3.8: it shares its interpreter with packages we know nothing of.
"""
