"""The module `mmap`, whose maps are read and written at an index through a view of them."""

import mmap as _mmap
import operator
from mmap import *  # noqa: F403: whatever the interpreter has there

from extbuf import View

error = _mmap.error


def settled(key):
    """A key whose numbers have been asked for, before a view keeps the map from being closed."""
    if not isinstance(key, slice):
        return operator.index(key)
    bounds = (key.start, key.stop, key.step)
    return slice(*(bound if bound is None else operator.index(bound) for bound in bounds))


class mmap(_mmap.mmap):
    def __getitem__(self, key):
        key = settled(key)
        with View(self) as view:
            part = view[key]
            return part.tobytes() if isinstance(key, slice) else part

    def __setitem__(self, key, value):
        key = settled(key)
        if not isinstance(key, slice) and hasattr(value, "__index__"):
            value = operator.index(value)
        with View(self) as view:
            view[key] = value


# What the repr of a map begins with.
mmap.__name__ = "mmap.mmap"
