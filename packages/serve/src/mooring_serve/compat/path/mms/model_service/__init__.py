"""The base class of MXNet packages."""
