"""Operations on strided arrays against NumPy: places, strides, flags, views or not, and shared memory.

Run by pytest, or alone: `python3 test_layout_strided.py`.
"""

import random

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from layout_oracle import ask, joined, numbers

CHAINS = 30_000
PAIRS = 20_000
BLOCK = np.zeros(1 << 16, np.uint8)
START = BLOCK.__array_interface__["data"][0]
MIDDLE = BLOCK.size // 2
SIZES = [1, 2, 3, 4, 6, 8, 12]


def dtype(itemsize):
    return np.dtype(f"V{itemsize}")


def base(r, sparse):
    """An array over the block: dense in a random order of axes, or with random strides and place."""
    itemsize = r.choice(SIZES[:3] if sparse else SIZES)
    offset = MIDDLE + (r.randint(-30, 30) if sparse else 0)
    shape = [r.choice([0, 1, 1, 2, 2, 3, 4, 6]) if r.random() < 0.3 else r.randint(1, 4) for _ in range(r.randint(0, 5))]
    if r.random() < (0.1 if sparse else 0.6):
        axes = sorted(range(len(shape)), key=lambda _: r.random()) if r.random() < 0.5 else range(len(shape) - 1, -1, -1)
        strides, size = [0] * len(shape), itemsize
        for axis in axes:
            strides[axis] = size
            size *= max(shape[axis], 1)
    else:
        strides = [
            r.choice([itemsize, *(2 * [r.randint(-60, 60)])] if sparse else [0, itemsize, r.randint(-60, 60)]) for _ in shape
        ]
    array = as_strided(BLOCK[offset : offset + itemsize].view(dtype(itemsize)).reshape(()), shape, strides)
    return array, f"{itemsize};{joined(shape)};{joined(strides)};-;{offset}"


def operation(r, a):
    """A random operation as our text and as a function of NumPy's array; what NumPy refuses raises."""
    shape, ndim = a.shape, a.ndim
    axis = r.randrange(ndim) if ndim else None
    name = r.choice(
        ["slice", "slice", "permute", "transpose", "swap", "move", "broadcast", "reshape", "reshape", "reshape_f"]
        + ["windows", "diagonal", "cast", "field"]
    )
    if name == "slice":
        keys, words = [], []
        for n in shape[: r.randint(0, ndim)]:
            kind = r.random()
            if kind < 0.1:
                keys.append(None)
                words.append("None")
            if kind > 0.9 and n:
                k = r.randrange(-n, n)
                keys.append(k)
                words.append(str(k))
            else:
                parts = [r.choice([None, None, r.randint(-n - 1, n + 1)]) for _ in range(2)]
                parts.append(r.choice([None, 1, 2, -1, -2]))
                keys.append(slice(*parts))
                words.append(":".join("" if part is None else str(part) for part in parts))
        if r.random() < 0.2:
            keys.insert(0, Ellipsis)
            words.insert(0, "...")
        # An ellipsis at the front keeps NumPy from answering with a copied scalar.
        return f"slice [{', '.join(words)}]", lambda a: a[tuple(keys) if Ellipsis in keys else (*keys, Ellipsis)]
    if name == "permute":
        axes = r.sample(range(ndim), ndim)
        return f"permute {joined(axes)}", lambda a: a.transpose(axes)
    if name == "transpose":
        return "transpose", lambda a: a.T
    if name == "broadcast":
        wanted = [r.randint(0, 3) if n == 1 else n + (r.random() < 0.05) for n in shape]
        wanted = [r.randint(1, 3) for _ in range(r.randint(0, 1))] + wanted
        return f"broadcast {joined(wanted)}", lambda a: np.broadcast_to(a, wanted)
    if name.startswith("reshape"):
        factors, wanted = a.size, []
        while factors > 1 and r.random() < 0.8:
            f = r.choice([f for f in range(1, factors + 1) if factors % f == 0])
            wanted.append(f)
            factors //= f
        wanted.insert(r.randint(0, len(wanted)), factors)
        if a.size == 0:
            wanted = [0] + [r.randint(0, 3) for _ in range(r.randint(0, 2))]
        order = "F" if name == "reshape_f" else "C"
        return f"{name} {joined(wanted)}", lambda a: np.reshape(a, wanted, order=order, copy=False)
    if name == "cast":
        size = r.choice(SIZES)
        return f"cast {size}", lambda a: a.view(dtype(size))
    if name == "field":
        offset = r.randint(0, a.itemsize - 1)
        size = r.randint(1, a.itemsize - offset)
        record = np.dtype({"names": ["f"], "formats": [dtype(size)], "offsets": [offset], "itemsize": a.itemsize})
        return f"field {offset},{size}", lambda a: a.view(record)["f"]
    if axis is None:
        return "transpose", lambda a: a.T
    other = r.randrange(ndim)
    if name == "swap":
        return f"swap {axis},{other}", lambda a: a.swapaxes(axis, other)
    if name == "move":
        return f"move {axis},{other}", lambda a: np.moveaxis(a, axis, other)
    if name == "windows":
        size = r.randint(1, max(shape[axis], 1) + 1)
        return f"windows {axis},{size}", lambda a: sliding_window_view(a, size, axis)
    k = r.randint(-3, 3)
    return f"diagonal {axis},{other},{k}", lambda a: a.diagonal(k, axis, other)


def chain(r, longest, sparse=False):
    """A base and operations that NumPy takes; the last one may be one that it refuses (then the array is None)."""
    array, line = base(r, sparse)
    for _ in range(r.randint(0, longest)):
        words, function = operation(r, array)
        line += f" | {words}"
        try:
            array = function(array)
        except (ValueError, TypeError, IndexError):
            return None, line, words
        if array.size > 2000:
            break
    return array, line, None


def places(a):
    """The byte offsets of all items in C order, in NumPy's own arithmetic."""
    at = a.__array_interface__["data"][0] - START
    out = np.full(a.shape, at, np.int64)
    for axis, (n, stride) in enumerate(zip(a.shape, a.strides)):
        out += (np.arange(n) * stride).reshape([-1 if i == axis else 1 for i in range(a.ndim)])
    return tuple(out.ravel().tolist())


def test_operations_equal_numpy():
    r = random.Random(2007)
    cases = [chain(r, 5) for _ in range(CHAINS)]
    mismatches, refused, wider, reshapes = [], 0, 0, [0, 0]
    for (array, line, words), answer in zip(cases, ask([case[1] for case in cases])):
        if "reshape" in line:
            reshapes[array is None] += 1
        if array is None:
            refused += 1
            if not answer.startswith("refused"):
                wider += 1
                # NumPy wants the smaller size to divide the larger; the bytes of the axis are enough.
                if not words.startswith("cast"):
                    mismatches.append((line, answer, "refused by NumPy"))
            continue
        if answer.startswith("refused"):
            mismatches.append((line, answer, (array.shape, array.strides)))
            continue
        parts = answer.split(";")
        same = numbers(parts[0]) == array.shape
        flags = "C" * array.flags.c_contiguous + "F" * array.flags.f_contiguous
        same = same and parts[4] == flags
        if array.size:
            ours = numbers(parts[1])
            same = same and all(n == 1 or a == b for n, a, b in zip(array.shape, ours, array.strides))
            same = same and int(parts[3]) == array.__array_interface__["data"][0] - START
            same = same and numbers(parts[5]) == places(array)
        if not same:
            mismatches.append((line, answer, (array.shape, array.strides, flags)))
    print(
        f"chains compared with NumPy: {len(cases)}, mismatches: {len(mismatches)} ({refused} refused by NumPy,"
        f" {wider} of these are casts that only we allow; reshapes: {reshapes[0]} views, {reshapes[1]} not)"
    )
    assert not mismatches, mismatches[:3]
    assert reshapes[0] > 2000 and reshapes[1] > 500


def test_sharing_equals_numpy():
    r = random.Random(1964)
    cases = []
    while len(cases) < PAIRS:
        a, line_a, _ = chain(r, 2, sparse=True)
        b, line_b, _ = chain(r, 2, sparse=True)
        if a is not None and b is not None and max(a.size, b.size) < 200:
            cases.append((a, b, line_a, line_b))
    mismatches, shared, ranges_only = [], 0, 0
    for (a, b, line_a, line_b), answer in zip(cases, ask([f"{case[2]} ~ {case[3]}" for case in cases])):
        exact, quick, own = answer.split(";")
        shares, may = np.shares_memory(a, b), np.may_share_memory(a, b)
        shared += shares
        ranges_only += may and not shares
        same = exact == ("yes" if shares else "no")
        # The quick answer is never wrong, and never less sure than NumPy's.
        same = same and (quick == "maybe" or quick == exact) and (may or quick == "no")
        inner = np.add.outer(np.array(places(a)), np.arange(a.itemsize)).ravel()
        same = same and own == ("yes" if len(np.unique(inner)) < len(inner) else "no")
        if not same:
            mismatches.append((line_a, line_b, answer, shares, may))
    print(
        f"pairs compared with NumPy: {len(cases)}, mismatches: {len(mismatches)}"
        f" ({shared} share memory, {ranges_only} only seem to)"
    )
    assert not mismatches, mismatches[:3]
    assert shared > 1000 and ranges_only > 500


if __name__ == "__main__":
    test_operations_equal_numpy()
    test_sharing_equals_numpy()
