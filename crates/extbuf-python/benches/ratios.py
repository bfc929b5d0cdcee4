"""How the package compares with memoryview, NumPy and struct: ratios, all in one process.

    python ratios.py [--rounds N] [--only TEXT]

Each case runs the contenders in turn, for so many rounds, and compares their best times; so whatever disturbs the machine
disturbs them alike, and a ratio of times says what no time alone does. Results are checked to be equal before anything
is timed. The ratio is how many times as long the other takes; `least` is what is asked of it, and the exit status says
whether every case reaches it.

No copy is faster than the memory. So for bulk copies a third contender copies as many bytes that lie in order already, on
all threads too, and `of memory` is our speed by its: the bytes read and written (those of skipped items count where they
share a cache line with kept ones) by the time, 1 where both move as many in the same time. A case that does not reach what
is asked, and has three quarters of the speed of memory, is bound by that.
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
    # The last number: bytes read and written by twice the bytes of the result.
    cases = [
        ("u1 reversed both ways", image("u1")[::-1, ::-1], 20, 1, 1),
        ("u1 every second column", image("u1", 5800)[:, ::2], 20, 1, 1.5),
        ("u2 reversed both ways", image("u2", small)[::-1, ::-1], 20, 1, 1),
        ("i4 reversed both ways", image("i4", 2048)[::-1, ::-1], 20, 1, 1),
        ("i4 every second column", image("i4", 2900)[:, ::2], 20, 1, 1.5),
        ("f8 every second row and column", image("f8", 2900)[::2, ::2], 20, 1, 1.5),
        ("f8 reversed both ways", image("f8", 1450)[::-1, ::-1], 20, 1, 1),
        ("u1 transposed", image("u1").T, 10, 3, 1),
        ("i4 transposed", image("i4", 2048).T, None, 3, 1),
        ("f8 transposed", image("f8", 1450).T, None, 3, 1),
        ("rgb to planes", image("u1", 4200).reshape(-1)[: 4200 * 4200 // 3 * 3].reshape(-1, 3).T, 10, 3, 1),
        ("f8 reversed both ways, 64 MB", image("f8", 2896)[::-1, ::-1], 20, 1, 1),
        ("f8 transposed, 64 MB", image("f8", 2896).T, None, 3, 1),
    ]
    for name, array, over_memoryview, over_numpy, traffic in cases:
        theirs, ours = memoryview(array), View(array)
        assert theirs.tobytes() == ours.tobytes() == ours.as_contiguous().tobytes()
        plain = View(np.ascontiguousarray(array))
        memory = (plain.tobytes, traffic)
        yield f"{name}: tobytes", ours.tobytes, theirs.tobytes, "memoryview.tobytes", over_memoryview, memory
        memory = (plain.copy, traffic)
        yield f"{name}: as_contiguous", ours.as_contiguous, theirs.tobytes, "memoryview.tobytes", over_memoryview, memory

        def contiguous(array=array):
            return np.ascontiguousarray(array)

        yield f"{name}: as_contiguous", ours.as_contiguous, contiguous, "np.ascontiguousarray", over_numpy, memory
    rows = [bytes(line) for line in image("u1")]
    ours = extbuf.rows(rows)
    theirs = memoryview(ours)
    assert theirs.tobytes() == ours.tobytes()
    # Whole rows CPython copies by memcpy; both are bound by memory.
    yield "rows behind pointers: tobytes", ours.tobytes, theirs.tobytes, "memoryview.tobytes", 1
    part = ours[::-1, 1::2]
    theirs = memoryview(part)
    assert theirs.tobytes() == part.tobytes()
    memory = (View(part.tobytes()).tobytes, 1.5)
    yield "every second byte of rows: tobytes", part.tobytes, theirs.tobytes, "memoryview.tobytes", 20, memory


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


def packing():
    """One tuple to bytes and back. Nothing is asked."""
    for text, values in [("<i", (5,)), (">hhl", (1, 2, 3)), ("<3d", (1.0, 2.0, 3.0)), ("<ihb4sd", (1, 2, 3, b"abcd", 2.5))]:
        data = struct.pack(text, *values)
        assert extbuf.struct.pack(text, *values) == data and extbuf.struct.unpack(text, data) == values
        yield (
            f"pack {text}",
            lambda text=text, values=values: extbuf.struct.pack(text, *values),
            lambda text=text, values=values: struct.pack(text, *values),
            "struct.pack",
            None,
        )
        yield (
            f"unpack {text}",
            lambda text=text, data=data: extbuf.struct.unpack(text, data),
            lambda text=text, data=data: struct.unpack(text, data),
            "struct.unpack",
            None,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose name or group contains this")
    arguments = parser.parse_args()
    short = []
    for group in (small, unpacking, packing, bulk):
        headed = False
        for name, ours, other, against, least, *memory in group():
            if arguments.only not in f"{group.__name__} {name} {against}":
                continue
            if not headed:
                print(f"\n{group.__doc__}")
                headed = True
            gc.collect()
            gc.disable()
            seconds = 0.002 if group is not bulk else 0
            rounds = arguments.rounds * (3 if group is not bulk else 1)
            mine, theirs, *plain = best([ours, other, *(call for call, _ in memory)], rounds, seconds)
            gc.enable()
            ratio = theirs / mine
            said = f"  {ratio:8.2f}x  {name:<47} {against:<20}" + ("" if least is None else f"  least {least:g}")
            # Two runs of one program differ by as much.
            reached = least is None or ratio >= least * 0.97
            speed = plain[0] * memory[0][1] / mine if plain else 0
            said += f"  {speed:.2f} of memory" if plain else ""
            if not reached and speed >= 0.75:
                said += ", which bounds it"
            elif not reached:
                short.append((name, against, ratio, least))
                said += "  SHORT"
            print(said, flush=True)
    print(f"\n{len(short)} cases fall short" if short else "\nevery case reaches what is asked")
    return bool(short)


if __name__ == "__main__":
    sys.exit(main())
