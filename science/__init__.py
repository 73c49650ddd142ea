"""A research workbench for AI in science: shared Lightning modules drive domain packages."""

__version__ = "0.1.0"
