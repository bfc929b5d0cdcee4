"""The exporter for tests: against the one that CPython has for the same purpose, and where that one does not go."""

import ctypes
import gc
import itertools
import random
import struct
import sys
import threading
import weakref

import numpy as np
import pytest

import extbuf
from extbuf import View, testing
from extbuf.testing import ndarray

_testbuffer = pytest.importorskip("_testbuffer")

FIELDS = ["nbytes", "readonly", "itemsize", "format", "ndim", "shape", "strides", "suboffsets"]

# Every set of bits that a request can have, and a few that mean nothing.
REQUESTS = range(0x200)

FORMATS = ["B", "b", "h", "<i", ">q", "d", "?", "c", "3s", "hBd", "=hBd", "2h", "x h"]


def drawn(rng):
    """Arguments of an array, most of them possible."""
    format = rng.choice(FORMATS)
    size = struct.calcsize(format)
    shape = [rng.choice([1, 1, 2, 3, 4, 0] if rng.random() < 0.3 else [1, 2, 3]) for _ in range(rng.randrange(4))]
    count = max(1, int(np.prod(shape)) + rng.randrange(3))
    offset, strides, flags = 0, None, 0
    if rng.random() < 0.4 and shape:
        steps = np.cumprod([1] + shape[:0:-1])[::-1] * rng.choice([1, 1, 2])
        strides = [int(step) * size * rng.choice([1, -1, 1, 0]) for step in steps]
        below = sum(-stride * (extent - 1) for stride, extent in zip(strides, shape) if stride < 0 and extent)
        above = sum(stride * (extent - 1) for stride, extent in zip(strides, shape) if stride > 0 and extent)
        offset = below
        count = (below + above) // size + 1
    elif rng.random() < 0.3:
        flags |= testing.ND_FORTRAN
    if rng.random() < 0.5:
        flags |= testing.ND_WRITABLE
    if shape and rng.random() < 0.4:
        flags |= testing.ND_PIL
    raw = bytes(rng.randrange(2) if "?" in format else rng.randrange(256) for _ in range(size * count))
    items = [item if len(item) > 1 else item[0] for item in struct.iter_unpack(format, raw)]
    if "d" in format:
        items = [tuple(1.5 if value != value else value for value in item) if isinstance(item, tuple) else 2.5 for item in items]
    arguments = dict(shape=shape, offset=offset, format=format, flags=flags)
    if strides:
        arguments["strides"] = strides
    return items if shape else items[0], arguments


def both(seed):
    items, arguments = drawn(random.Random(seed))
    return ndarray(items, **arguments), _testbuffer.ndarray(items, **arguments)


def answer(exporter, request):
    """What a consumer in C got for a request, or that it got nothing."""
    try:
        got = _testbuffer.ndarray(exporter, getbuf=request)
    except BufferError:
        return "refused"
    return {field: getattr(got, field) for field in FIELDS}


def test_the_names_are_those_of_testbuffer():
    public = {name for name in vars(_testbuffer) if not name.startswith("__")}
    assert public == set(testing.__all__)
    for name in public:
        if isinstance(value := getattr(_testbuffer, name), int):
            assert getattr(testing, name) == value, name
    there = {name for name in dir(_testbuffer.ndarray) if not name.startswith("__")}
    assert there == {name for name in dir(ndarray) if not name.startswith("__")}


@pytest.mark.parametrize("seed", range(60))
def test_every_request_is_answered_as_testbuffer_answers_it(seed):
    ours, theirs = both(seed)
    for request in REQUESTS:
        # The bits of the constructors, or of one flag without those that it implies.
        if request & ~0x1FD or request == 0x100:
            # From Python 3.13 on CPython itself refuses that of the constructors, before it asks.
            with pytest.raises((BufferError, SystemError)):
                _testbuffer.ndarray(ours, getbuf=request)
            continue
        assert answer(ours, request) == answer(theirs, request), hex(request)


@pytest.mark.parametrize("seed", range(60))
def test_values_parts_and_bytes_are_those_of_testbuffer(seed):
    ours, theirs = both(seed)
    assert ours.tolist() == theirs.tolist()
    assert ours.tobytes() == theirs.tobytes()
    for name in [*FIELDS, "c_contiguous", "f_contiguous", "contiguous", "offset"]:
        assert getattr(ours, name) == getattr(theirs, name), name
    assert View(ours).tolist() == View(theirs).tolist()
    for index in itertools.product(*map(range, ours.shape)):
        assert testing.get_pointer(ours, index) == _testbuffer.get_pointer(theirs, index)
    rng = random.Random(seed)
    for _ in range(10):
        bounds = lambda extent: rng.randrange(-extent - 1, extent + 2)
        key = tuple(slice(bounds(n), bounds(n), rng.choice([1, 1, 2, -1, -2])) for n in ours.shape)
        if not key:
            break
        a, b = ours[key], theirs[key]
        assert (a.shape, a.tolist(), a.tobytes()) == (b.shape, b.tolist(), b.tobytes())
        if b.nbytes:
            assert (a.strides, a.suboffsets) == (b.strides, b.suboffsets)
            for request in (0, 0x8, 0x18, 0x38, 0x58, 0x98, 0x118, 0x11C, 0x11D):
                assert answer(a, request) == answer(b, request), hex(request)
        if not ours.readonly:
            ours[key], theirs[key] = a[:], b[:]
            assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_what_was_taken_for_a_request_is_lent_on_with_its_gaps(seed):
    ours, theirs = both(seed)
    for taken in (0x0, 0x4 | 0x8, 0x8, 0x18, 0x1C, 0x118, 0x11C):
        try:
            theirs_on = _testbuffer.ndarray(theirs, getbuf=taken)
        except BufferError:
            with pytest.raises(BufferError):
                ndarray(ours, getbuf=taken)
            continue
        ours_on = ndarray(ours, getbuf=taken)
        assert [getattr(ours_on, name) for name in FIELDS] == [getattr(theirs_on, name) for name in FIELDS]
        assert ours_on.tobytes() == theirs_on.tobytes()
        for request in REQUESTS:
            if request & ~0x1FD or request == 0x100:
                continue
            a, b = answer(ours_on, request), answer(theirs_on, request)
            # Theirs invents a format of one byte for items of several.
            if a == "refused" != b and b["format"] == "B" and b["itemsize"] != 1:
                continue
            assert a == b, (hex(taken), hex(request))


def test_formats_that_the_struct_module_does_not_have():
    points = ndarray([{"x": 1, "y": 2.5}, (3, 4.5)], shape=[2], format="T{i:x:d:y:}", flags=testing.ND_WRITABLE)
    assert points[1].y == 4.5
    assert View(points)[0] == (1, 2.5)
    points[0] = (7, 8)
    assert View(points).field("x").tolist() == [7, 3]
    waves = ndarray([1 + 2j, -3j], shape=[2], format="Zd", flags=testing.ND_PIL)
    assert View(waves).tolist() == waves.tolist() == [1 + 2j, -3j]
    grids = ndarray([[[1, 2], [3, 4]]], shape=[1], format=extbuf.Format("(2,2)<h"))
    assert np.asarray(grids).tolist() == [[[1, 2], [3, 4]]]
    with pytest.raises(ValueError, match="references"):
        ndarray([1], shape=[1], format="O")
    for wrong in ("T{", "@#$", "é"):
        with pytest.raises(struct.error):
            ndarray([1], shape=[1], format=wrong)


def test_arrays_of_others_are_taken_and_lent_on():
    numbers = np.arange(24, dtype=">u2").reshape(2, 3, 4)[:, ::-1]
    taken = ndarray(numbers)
    assert taken.obj is numbers and taken.tolist() == numbers.tolist()
    assert np.asarray(taken[:, 1:, ::2]).tolist() == numbers[:, 1:, ::2].tolist()
    table = (ctypes.c_int32 * 3 * 2)((1, 2, 3), (4, 5, 6))
    assert ndarray(table).tolist() == [[1, 2, 3], [4, 5, 6]]
    taken = ndarray(numbers)
    taken[0, 1, 2] = 500
    taken[1, :, 0:2] = ndarray(np.zeros((3, 2), ">u2"))
    assert numbers[0, 1, 2] == 500 and not numbers[1, :, :2].any()
    thing = type("Thing", (), {})()
    objects = np.array([None, thing], dtype=object)
    taken = ndarray(objects)
    assert taken.tolist() == [None, thing]
    before = sys.getrefcount(thing)
    taken[0] = taken[1]
    after = sys.getrefcount(thing)
    assert objects[0] is thing and after == before + 1


def test_descriptions_of_more_axes_than_anybody_takes():
    wide = ndarray(list(range(6)), shape=[1] * 60 + [2] + [1] * 66 + [3], flags=testing.ND_WRITABLE)
    assert wide.ndim == testing.ND_MAX_NDIM == 128
    for consumer in (memoryview, View):
        with pytest.raises(ValueError, match="64"):
            consumer(wide)
    inner = wide.tolist()
    for _ in range(60):
        (inner,) = inner
    assert testing.get_pointer(wide, [0] * 60 + [1] + [0] * 66 + [2]) == 5
    assert wide[::-1].shape == wide.shape and wide[1:].nbytes == 0
    part = wide[(slice(None),) * 60 + (slice(1, 2),)]
    assert part.tobytes() == b"\3\4\5"
    wide[(0,) * 60 + (1,) + (0,) * 66 + (2,)] = 9
    assert wide.tobytes() == b"\0\1\2\3\4\t"
    assert wide[0].ndim == 127
    with pytest.raises(IndexError):
        wide[1]
    # What is below the limit of consumers can be seen by them.
    assert View(ndarray([7], shape=[1] * 64)).ndim == 64


REFUSING = testing.ND_GETBUF_FAIL | testing.ND_GETBUF_UNDEFINED


@pytest.mark.parametrize(
    "consumer",
    [
        memoryview,
        View,
        lambda exporter: View(exporter, request=0),
        lambda exporter: extbuf.rows([exporter]),
        lambda exporter: extbuf.copy(bytearray(3), exporter),
        lambda exporter: extbuf.struct.unpack_from("B", exporter),
        lambda exporter: extbuf.struct.pack_into("B", exporter, 0, 1),
        lambda exporter: list(extbuf.struct.iter_unpack("B", exporter)),
        lambda exporter: extbuf.Format("B").unpack(exporter),
        lambda exporter: testing.get_pointer(exporter, [0]),
        lambda exporter: testing.py_buffer_to_contiguous(exporter, "C", 0),
        ndarray,
        lambda exporter: exporter[1:],
    ],
)
def test_a_refusal_that_leaves_a_wrong_owner_is_survived(consumer):
    exporter = ndarray([1, 2, 3], shape=[3], flags=REFUSING)
    before = sys.getrefcount(exporter)
    for _ in range(3):
        with pytest.raises(BufferError):
            consumer(exporter)
    assert sys.getrefcount(exporter) == before
    assert exporter.tolist() == [1, 2, 3]


def test_a_memoryview_without_an_owner_outlives_the_array():
    for flags in (0, testing.ND_PIL):
        array = ndarray(list(range(6)), shape=[3, 2], format="h", flags=flags)
        view, part = array.memoryview_from_buffer(), array[::-1, 1:].memoryview_from_buffer()
        assert view.obj is None
        del array
        gc.collect()
        filler = [ndarray([0xFF] * 6, shape=[3, 2], flags=flags) for _ in range(50)]
        assert view.tolist() == [[0, 1], [2, 3], [4, 5]] and part.tolist() == [[5], [3], [1]]
        del filler
    foreign = ndarray(ndarray(ndarray([1], shape=[1])))
    for array in (foreign, ndarray(bytearray(3))):
        with pytest.raises(TypeError):
            array.memoryview_from_buffer()


def test_a_description_that_is_looked_at_stays():
    array = ndarray([1, 2, 3], shape=[3], flags=testing.ND_VAREXPORT)
    first = memoryview(array)
    array.push([(4, 5.0)], shape=[1], format="Bd")
    second = View(array)
    array.push([6] * 4, shape=[2, 2])
    assert (first.tolist(), second.tolist(), array.tolist()) == ([1, 2, 3], [(4, 5.0)], [[6, 6], [6, 6]])
    second.release()  # the one in the middle goes
    array.pop()
    assert array.tolist() == [1, 2, 3]
    with pytest.raises(BufferError):
        array.pop()
    first.release()
    with pytest.raises(BufferError, match="no other"):
        array.pop()


def test_everything_is_given_back():
    memory, live = bytearray(8), len(gc.get_objects())
    before = sys.getrefcount(memory)

    class Source(bytearray):
        pass

    for _ in range(50):
        array = ndarray(memory)
        part = array[::2]
        on = ndarray(part, flags=testing.ND_REDIRECT)
        assert part.obj is array and on.obj is part and memoryview(on).obj is part
        with pytest.raises(BufferError):
            memory.append(1)
        for wrong in (lambda: array["x"], lambda: array[9], lambda: array[0, 0], lambda: array.push([1], [1])):
            with pytest.raises((TypeError, IndexError, BufferError)):
                wrong()
        for wrong in ([], [300], ["x"], [(1, 2)]):
            with pytest.raises((ValueError, struct.error)):
                ndarray(wrong, shape=[1])
        with pytest.raises(ValueError):
            array[1:3] = b"one too many"
        del array, part, on
    assert sys.getrefcount(memory) == before
    memory.append(1)
    # A cycle through the lender, and one through a subclass.
    source = Source(4)
    source.array = ndarray(source)
    gone = weakref.ref(source)
    del source

    class Named(ndarray):
        pass

    named = Named([1], shape=[1])
    named.itself = memoryview(named)
    assert type(named) is Named and repr(named).startswith("<Named format=\"B\", shape=(1,)")
    also_gone = weakref.ref(named)
    del named
    gc.collect()
    assert gone() is None and also_gone() is None
    assert len(gc.get_objects()) < live + 500


def test_values_that_are_kept_are_counted_right():
    value = 2**40
    array = ndarray([value] * 3, shape=[3], format="q", flags=testing.ND_WRITABLE)
    before = sys.getrefcount(value)
    for _ in range(100):
        array[1] = value
        array.tolist()
        array[::-1].tolist()
        testing.get_pointer(array, [1])
    assert sys.getrefcount(value) == before


def test_threads_that_change_read_and_lend_one_array():
    array = ndarray(list(range(4)), shape=[4], format="q", flags=testing.ND_VAREXPORT | testing.ND_WRITABLE)
    errors, stop = [], threading.Event()

    def repeat(use):
        def run():
            try:
                while not stop.is_set():
                    use()
            except Exception as error:  # noqa: BLE001: whatever it is, the test says it
                errors.append(repr(error))

        return run

    def push():
        array.push([(k, k) for k in range(3)], shape=[3], format="qq", flags=testing.ND_WRITABLE)

    def pop():
        try:
            array.pop()
        except BufferError:
            pass

    def lend():
        with memoryview(array) as view, View(array) as other:
            assert view.nbytes in (32, 48) and other.tobytes()
            assert sum(map(bool, view.tobytes())) <= 48

    def read():
        assert all(isinstance(value, (int, tuple)) for value in array.tolist())
        array[::2].tolist()
        repr(array)

    def write():
        try:
            array[1] = 5
        except ValueError:
            array[1] = (5, 6) if array.format == "qq" else 5

    def settle():
        try:
            write()
        except ValueError:
            pass  # the format changed in between

    uses = [push, pop, lend, lend, read, settle]
    threads = [threading.Thread(target=repeat(use)) for use in uses]
    previous = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        stop.wait(1.0)
        stop.set()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(previous)
    assert errors == []
    # Nothing is lent any more, so all but the last description can be taken away.
    with pytest.raises(BufferError, match="no other"):
        while True:
            array.pop()


def test_static_memory_is_lent_with_and_without_an_owner():
    static = testing.staticarray()
    assert View(static).obj is static and View(static).tolist() == list(range(12))
    before = sys.getrefcount(static)
    for request in (0, 0x8, 0x11C):
        assert bytes(memoryview(ndarray(static, getbuf=request))) == bytes(range(12))
    assert sys.getrefcount(static) == before
    legacy = testing.staticarray(legacy_mode=True)
    assert ndarray(legacy).obj is None and View(legacy).obj is None
    view = View(legacy)
    del legacy
    gc.collect()
    assert view.tobytes() == bytes(range(12))
