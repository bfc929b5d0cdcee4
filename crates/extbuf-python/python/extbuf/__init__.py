"""The extended buffer protocol done whole: a memoryview for every layout and every format."""

from extbuf._extbuf import Field, Format, View, __version__

__all__ = ["Field", "Format", "View", "__version__"]
