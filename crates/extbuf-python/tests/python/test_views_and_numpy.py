"""Random exporters, random chains of operations: a view and NumPy must agree after every step."""

import array
import ctypes
import mmap

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extbuf import View

testbuffer = pytest.importorskip("_testbuffer", reason="the interpreter came without its test helpers")

DTYPES = [
    "?", "i1", "u1", "<i2", ">i2", "<u4", ">i4", "<i8", ">u8", "<f2", "<f4", ">f4", "<f8", ">f8", "<c8", ">c16", "S3",
    [("x", "<i2"), ("y", ">f4")],
    [("x", "u1"), ("at", "<i2", (2,))],
]  # fmt: skip
SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)
RUN = settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def filled(dtype, shape, order):
    memory = np.zeros(shape, dtype=dtype)
    raw = memory.view("u1") if memory.ndim and memory.size else memory.reshape(-1).view("u1")
    raw[...] = (np.arange(raw.size) % (2 if memory.dtype == bool else 7)).reshape(raw.shape)
    return np.array(memory, order=order)


@st.composite
def exporters(draw):
    """An object that lends its memory, and the NumPy array that says what is in it."""
    kind = draw(st.sampled_from(["numpy", "numpy", "bytes", "array", "ctypes", "mmap", "pointers", "pointers"]))
    if kind == "numpy":
        memory = filled(np.dtype(draw(st.sampled_from(DTYPES))), draw(SHAPES), draw(st.sampled_from("CF")))
        return memory, memory
    if kind == "pointers":
        shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
        code, dtype = draw(st.sampled_from([("h", "<i2"), ("d", "<f8"), (">I", ">u4"), ("i", "<i4")]))
        count = int(np.prod(shape))
        indirect = testbuffer.ndarray(list(range(count)), shape=shape, format=code, flags=testbuffer.ND_PIL)
        return indirect, np.arange(count).astype(dtype).reshape(shape)
    count = draw(st.integers(1, 24))
    if kind == "bytes":
        memory = draw(st.sampled_from([bytes, bytearray]))(range(count))
        return memory, np.frombuffer(memory, "u1")
    if kind == "array":
        memory = array.array(draw(st.sampled_from("bHiLqd")), range(count))
        return memory, np.array(memory)
    if kind == "ctypes":
        memory = (ctypes.c_int16 * 3 * count)()
        np.ctypeslib.as_array(memory)[...] = np.arange(3 * count).reshape(count, 3)
        return memory, np.ctypeslib.as_array(memory).copy()
    memory = mmap.mmap(-1, count)
    memory[:] = bytes(range(count))
    return memory, np.frombuffer(bytes(range(count)), "u1")


@st.composite
def key(draw, shape):
    """What stands between the brackets, for an array of this shape."""
    parts = []
    for extent in shape[: draw(st.integers(0, len(shape)))]:
        bound = st.none() | st.integers(-extent - 2, extent + 2)
        step = st.none() | st.integers(-3, 3).filter(bool)
        choices = [st.builds(slice, bound, bound, step)]
        if extent:
            choices.append(st.integers(-extent, extent - 1))
        parts.append(draw(st.one_of(choices)))
        if draw(st.integers(0, 5)) == 0:
            parts.append(None)
    if draw(st.booleans()):
        # In front of parts only where these name all axes, so that each stays on the axis it was drawn for.
        named = sum(part is not None for part in parts)
        parts.insert(draw(st.integers(0, len(parts))) if named == len(shape) else len(parts), Ellipsis)
    return tuple(parts)


def step(draw, view, expected):
    """One operation on both sides."""
    ndim, shape = expected.ndim, expected.shape
    choices = ["slice", "slice", "permute", "broadcast"]
    if ndim:
        choices += ["windows", "reverse"]
    if ndim >= 2:
        choices += ["diagonal"]
    if expected.flags.c_contiguous and expected.size:
        choices += ["reshape"]
    if expected.dtype.names:
        choices += ["field"]
    match draw(st.sampled_from(choices)):
        case "slice":
            at = draw(key(shape))
            if len(at) == ndim and all(isinstance(part, int) for part in at):
                at = (*at, Ellipsis)  # the part, not the value
            return view[at], expected[at]
        case "permute":
            axes = draw(st.permutations(range(ndim)))
            return view.permute(*axes), expected.transpose(axes)
        case "reverse":
            return view[::-1], expected[::-1]
        case "broadcast":
            wide = (draw(st.integers(1, 2)), *shape)
            return view.broadcast_to(*wide), np.broadcast_to(expected, wide)
        case "windows":
            axis = draw(st.integers(0, ndim - 1))
            if shape[axis] == 0:
                return view, expected
            size = draw(st.integers(1, shape[axis]))
            return view.windows(size, axis), np.lib.stride_tricks.sliding_window_view(expected, size, axis=axis)
        case "diagonal":
            a, b = draw(st.permutations(range(ndim)))[:2]
            offset = draw(st.integers(-2, 2))
            if not -shape[a] <= offset <= shape[b]:
                return view, expected
            return view.diagonal(offset, a, b), expected.diagonal(offset, a, b)
        case "reshape":
            if not view.c_contiguous:
                return view, expected
            wanted = draw(st.permutations(shape))
            return view.reshape(*wanted), expected.reshape(wanted)
        case "field":
            name = draw(st.sampled_from(expected.dtype.names))
            if expected.dtype[name].shape:
                return view, expected
            return view.field(name), expected[name]


@given(st.data())
@RUN
def test_a_view_and_numpy_agree_after_every_step(data):
    memory, expected = data.draw(exporters())
    view = View(memory)
    for _ in range(data.draw(st.integers(1, 5))):
        view, expected = step(data.draw, view, expected)
        if expected.nbytes > 1 << 16 or expected.ndim > 16:
            return
        assert view.shape == expected.shape
        assert view.itemsize == expected.itemsize and view.nbytes == expected.nbytes
        assert view.tobytes() == expected.tobytes()
        assert view.tobytes("F") == expected.tobytes("F")
        if expected.dtype.kind not in "SV":
            assert view.tolist() == expected.tolist()
        assert view == view.copy() and view.copy("F") == view
        if len(view.levels) == 1:
            assert view.c_contiguous == expected.flags.c_contiguous
            assert view.f_contiguous == expected.flags.f_contiguous
            again = np.asarray(view)
            assert again.shape == expected.shape and again.tobytes() == expected.tobytes()


@given(st.data())
@RUN
def test_a_part_is_written_as_numpy_writes_it(data):
    dtype = np.dtype(data.draw(st.sampled_from(["i1", "<i2", ">u4", "<f8", "<c8"])))
    expected = filled(dtype, data.draw(SHAPES), data.draw(st.sampled_from("CF")))
    memory = expected.copy(order="K")
    view = View(memory)
    target = expected
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(key(target.shape))
        if len(at) == target.ndim and all(isinstance(part, int) for part in at):
            break
        view, target = view[at], target[at]
    values = np.arange(100, 100 + target.size).astype(dtype).reshape(target.shape)
    if target.ndim and data.draw(st.booleans()):
        values = values[:1]
    target[...] = values
    view.copy_from(values)
    assert memory.tobytes() == expected.tobytes()
