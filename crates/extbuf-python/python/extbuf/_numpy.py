"""What a view hands to NumPy when NumPy asks for an array."""


class _Interface:
    """An address with a description, and whoever keeps it."""

    def __init__(self, owner, interface):
        self._owner = owner
        self.__array_interface__ = interface


def array(view, spec, dtype, copy, copied):
    """The items of a view as an array of the dtype that `spec` says, in the same memory unless `copied`."""
    import numpy

    exact = numpy.dtype(spec)
    said = dict(view.__array_interface__)
    # The items as so many bytes each; what they are is said by the dtype, offset for offset.
    said["shape"], said["strides"] = view.shape, view.strides
    said["typestr"] = f"|V{view.itemsize}"
    del said["descr"]
    base, shape = (exact.base, exact.shape) if exact.subdtype else (exact, ())
    if base.hasobject:
        raise TypeError("items hold references to objects, which NumPy would not count")
    items = numpy.asarray(_Interface(view, said))
    if shape:
        # Items that are arrays are axes to NumPy.
        record = numpy.dtype({"names": ["item"], "formats": [(base, shape)], "itemsize": view.itemsize})
        items = items.view(record)["item"]
    elif view.itemsize == 0:
        items = numpy.empty(view.shape, exact)
    else:
        items = items.view(exact)
    if dtype is None or numpy.dtype(dtype) == items.dtype:
        return items
    if copy is False and not copied:
        raise ValueError("an array of another dtype is a copy")
    return items.astype(dtype)
