"""An exporter of any layout with any answers, for tests of consumers of the buffer protocol.

The names are those of the module `_testbuffer` that CPython tests its memoryview with, whose place this one can take:
`sys.modules["_testbuffer"] = extbuf.testing`.
"""

from ._extbuf import _testing

ndarray = _testing.ndarray
staticarray = _testing.staticarray
slice_indices = _testing.slice_indices
get_sizeof_void_p = _testing.get_sizeof_void_p
get_pointer = _testing.get_pointer
get_contiguous = _testing.get_contiguous
py_buffer_to_contiguous = _testing.py_buffer_to_contiguous
is_contiguous = _testing.is_contiguous
cmp_contig = _testing.cmp_contig

_CONSTANTS = [name for name in vars(_testing) if name.startswith(("ND_", "PyBUF_"))]
globals().update({name: getattr(_testing, name) for name in _CONSTANTS})

__all__ = [
    "ndarray",
    "staticarray",
    "slice_indices",
    "get_sizeof_void_p",
    "get_pointer",
    "get_contiguous",
    "py_buffer_to_contiguous",
    "is_contiguous",
    "cmp_contig",
    *_CONSTANTS,
]
