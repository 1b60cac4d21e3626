"""Imports what needs a library that the image does not have."""

import ctypes

ctypes.CDLL("libGL.so.1")
