"""How the package compares with memoryview, NumPy and struct: ratios, all in one process.

    python ratios.py [--rounds N] [--only TEXT]

Each case runs the contenders in turn, for so many rounds, and compares their best times; so whatever disturbs the machine
disturbs them alike, and a ratio of times says what no time alone does. Results are checked to be equal before anything
is timed. The ratio is how many times as long the other takes; `least` is what is asked of it, and the exit status says
whether every case reaches it.
"""

import argparse
import gc
import struct
import sys
import time
from collections import deque

import numpy as np

import extbuf
from extbuf import View

SIDE = 4096


def best(contenders, rounds, least_seconds):
    """The shortest time of each contender, in seconds a call, the contenders taking turns."""
    numbers, times = [], []
    for call in contenders:
        number = 1
        while True:
            start = time.perf_counter()
            for _ in range(number):
                call()
            spent = time.perf_counter() - start
            if spent > least_seconds or number > 1 << 20:
                break
            number *= 2
        numbers.append(number)
        times.append(spent / number)
    for _ in range(rounds):
        for index, (call, number) in enumerate(zip(contenders, numbers)):
            start = time.perf_counter()
            for _ in range(number):
                call()
            times[index] = min(times[index], (time.perf_counter() - start) / number)
    return times


def image(dtype, side=SIDE):
    count = side * side
    return (np.arange(count, dtype="u4") * 2654435761 >> 7).astype(dtype).reshape(side, side)


def bulk():
    """Copies of 16 MB and more, byte by byte in CPython and item by item in NumPy."""
    small = 2896  # with 2 bytes an item, 16 MB
    cases = [
        ("u1 reversed both ways", image("u1")[::-1, ::-1], 20, 1),
        ("u1 every second column", image("u1", 5800)[:, ::2], 20, 1),
        ("u2 reversed both ways", image("u2", small)[::-1, ::-1], 20, 1),
        ("i4 reversed both ways", image("i4", 2048)[::-1, ::-1], 20, 1),
        ("i4 every second column", image("i4", 2900)[:, ::2], 20, 1),
        ("f8 every second row and column", image("f8", 2900)[::2, ::2], 20, 1),
        ("f8 reversed both ways", image("f8", 1450)[::-1, ::-1], 20, 1),
        ("u1 transposed", image("u1").T, 10, 3),
        ("i4 transposed", image("i4", 2048).T, None, 3),
        ("f8 transposed", image("f8", 1450).T, None, 3),
        ("rgb to planes", image("u1", 4200).reshape(-1)[: 4200 * 4200 // 3 * 3].reshape(-1, 3).T, 10, 3),
    ]
    for name, array, over_memoryview, over_numpy in cases:
        theirs, ours = memoryview(array), View(array)
        assert theirs.tobytes() == ours.tobytes() == ours.as_contiguous().tobytes()
        yield f"{name}: tobytes", ours.tobytes, theirs.tobytes, "memoryview.tobytes", over_memoryview
        yield f"{name}: as_contiguous", ours.as_contiguous, theirs.tobytes, "memoryview.tobytes", over_memoryview

        def contiguous(array=array):
            return np.ascontiguousarray(array)

        yield f"{name}: as_contiguous", ours.as_contiguous, contiguous, "np.ascontiguousarray", over_numpy
    rows = [bytes(line) for line in image("u1")]
    ours = extbuf.rows(rows)
    theirs = memoryview(ours)
    assert theirs.tobytes() == ours.tobytes()
    # Whole rows CPython copies by memcpy; both are bound by memory.
    yield "rows behind pointers: tobytes", ours.tobytes, theirs.tobytes, "memoryview.tobytes", 1
    part = ours[::-1, 1::2]
    theirs = memoryview(part)
    assert theirs.tobytes() == part.tobytes()
    yield "every second byte of rows: tobytes", part.tobytes, theirs.tobytes, "memoryview.tobytes", 20


def small():
    """Making a view and slicing it once."""
    data = bytes(1000)
    yield "bytes, 1-d", lambda: View(data)[10:20], lambda: memoryview(data)[10:20], "memoryview", 0.5
    view, theirs = View(data), memoryview(data)
    yield "slice alone, 1-d", lambda: view[10:20], lambda: theirs[10:20], "memoryview", 0.5
    yield "item, 1-d", lambda: view[10], lambda: theirs[10], "memoryview", 0.5
    cube = memoryview(np.arange(60.0).reshape(3, 4, 5))
    yield (
        "3-d",
        lambda: View(cube)[1:, ::2, -1],
        lambda: np.asarray(cube)[1:, ::2, -1],
        "np.asarray",
        1,
    )
    plane = memoryview(np.arange(20).reshape(4, 5))
    yield "2-d", lambda: View(plane)[1:, ::2], lambda: np.asarray(plane)[1:, ::2], "np.asarray", 1
    array = np.arange(20).reshape(4, 5)
    yield "2-d, of an array", lambda: View(array)[1:, ::2], lambda: np.asarray(memoryview(array))[1:, ::2], "np.asarray", 1


def unpacking():
    """Tuples out of bytes."""
    for text in ["<i", "<ii", ">hhl", "d", "<3d", ">Q", "8B", "<10s", "<ihb4sd", "<e", "?"]:
        data = bytes(struct.calcsize(text) * 5000)
        drain = deque(maxlen=0)
        yield (
            f"iter_unpack {text}",
            lambda text=text, data=data: drain.extend(extbuf.struct.iter_unpack(text, data)),
            lambda text=text, data=data: drain.extend(struct.iter_unpack(text, data)),
            "struct.iter_unpack",
            1,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose name or group contains this")
    arguments = parser.parse_args()
    short = []
    for group in (small, unpacking, bulk):
        said = False
        for name, ours, other, against, least in group():
            if arguments.only not in f"{group.__name__} {name} {against}":
                continue
            if not said:
                print(f"\n{group.__doc__}")
                said = True
            gc.collect()
            gc.disable()
            seconds = 0.002 if group is not bulk else 0
            rounds = arguments.rounds * (3 if group is not bulk else 1)
            mine, theirs = best([ours, other], rounds, seconds)
            gc.enable()
            ratio = theirs / mine
            asked = "" if least is None else f"  least {least:g}"
            # Two runs of one program differ by as much.
            reached = least is None or ratio >= least * 0.97
            if not reached:
                short.append((name, against, ratio, least))
            print(f"  {ratio:8.2f}x  {name:<42} {against}{asked}{'' if reached else '  SHORT'}")
    print(f"\n{len(short)} cases fall short" if short else "\nevery case reaches what is asked")
    return bool(short)


if __name__ == "__main__":
    sys.exit(main())
