"""The classes of records: named tuples made from the names of fields."""

from collections import namedtuple
from functools import lru_cache


@lru_cache(maxsize=None)
def record_type(names):
    """The class for records whose fields have these names; "" is a field without one."""
    kind = namedtuple("record", names, rename=True, module="extbuf")
    kind._names = names
    kind.__doc__ = "An item of a buffer: " + ", ".join(kind._fields)
    # The class has no name that pickle could import: it is made again from the names of its fields.
    kind.__reduce__ = lambda self: (_restore, (self._names, tuple(self)))
    return kind


def _restore(names, values):
    return record_type(names)(*values)
