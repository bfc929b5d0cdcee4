"""The extended buffer protocol done whole: a memoryview for every layout and every format."""

from collections.abc import Sequence as _Sequence

from extbuf import struct
from extbuf._extbuf import Field, Format, View, __version__, copy, explain, from_dlpack, rows

__all__ = ["Field", "Format", "View", "__version__", "copy", "explain", "from_dlpack", "rows", "struct"]

# As memoryview is: for `isinstance`, and for patterns in `match`.
_Sequence.register(View)
