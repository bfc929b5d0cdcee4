"""The extended buffer protocol done whole: a memoryview for every layout and every format."""

from extbuf._extbuf import View, __version__

__all__ = ["View", "__version__"]
