"""Slices of strided and indirect arrays against CPython's own test exporter, `_testbuffer.ndarray`.

Run by pytest, or alone: `python3 test_layout_slices.py`.
"""

import random

from _testbuffer import ND_PIL, ndarray

from layout_oracle import ask, joined, numbers

SLICES = 125_000
EDGES = [2**63 - 1, -(2**63), 2**62, -1, 0]


def bound(r, n):
    """A slice's start or stop: mostly near the axis, sometimes left out, sometimes absurd."""
    kind = r.random()
    if kind < 0.3:
        return None
    if kind < 0.4:
        return r.choice(EDGES)
    return r.randint(-n - 2, n + 2)


def step(r):
    kind = r.random()
    if kind < 0.4:
        return None
    if kind < 0.42:
        return r.choice([2**63 - 1, -(2**63)])
    return r.choice([-3, -2, -1, -1, 1, 2, 3])


def random_slice(r, n):
    """A slice of an axis of n entries; in most cases one that keeps something."""
    if n == 0 or r.random() < 0.1:
        return slice(bound(r, n), bound(r, n), step(r))
    by = step(r)
    low, high = sorted((r.randint(0, n - 1), r.randint(0, n - 1)))
    start, stop = (low, high + 1) if (by or 1) > 0 else (high, low - 1)
    # The same bounds, written from the end or left out where that means the same.
    if r.random() < 0.3:
        start -= n
    if stop == -1 or (stop == n and r.random() < 0.5):
        stop = None
    elif r.random() < 0.3 and stop < n:
        stop -= n
    if r.random() < 0.2:
        start = None
    return slice(start, stop, by)


def text(key):
    """A slice or an index as Python writes it."""
    if not isinstance(key, slice):
        return str(key)
    parts = [key.start, key.stop] + ([key.step] if key.step is not None else [])
    return ":".join("" if part is None else str(part) for part in parts)


def strided(r):
    """An array over one block with strides of either sign, and the block's items: item k holds k."""
    shape = [r.choice([0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 8]) for _ in range(r.randint(1, 4))]
    strides = [2 * r.randint(-9, 9) for _ in shape]
    reach = [(n - 1) * t for n, t in zip(shape, strides) if n > 0]
    low = sum(t for t in reach if t < 0)
    high = sum(t for t in reach if t > 0)
    offset = -low + 2 * r.randint(0, 3)
    items = list(range((offset + high) // 2 + 1 + r.randint(0, 3)))
    array = ndarray(items, shape=shape, strides=strides, offset=offset, format="H")
    return array, f"2;{joined(shape)};{joined(strides)};-;{offset}"


def indirect(r):
    """An array of pointers to rows, as `_testbuffer` makes it: item k in C order holds k."""
    shape = [r.choice([1, 2, 3, 3, 4, 5, 6]) for _ in range(r.randint(2, 4))]
    count = 1
    for n in shape:
        count *= n
    array = ndarray(list(range(count)), shape=shape, format="H", flags=ND_PIL)
    base = f"2;{joined(shape)};{joined(array.strides)};{joined(array.suboffsets)};0"
    return array, base


def flat(nested):
    if isinstance(nested, list):
        for part in nested:
            yield from flat(part)
    else:
        yield nested


def test_slices_equal_testbuffer():
    r = random.Random(3118)
    lines, expected, done, skipped = [], [], 0, 0
    behind_load = 0
    while done < SLICES:
        array, line = (strided if r.random() < 0.5 else indirect)(r)
        pointers = bool(array.suboffsets)
        resolved = False
        for _ in range(r.randint(1, 3)):
            ndim = array.ndim
            if ndim == 0:
                break
            if ndim > 1 and array.shape[0] > 0 and r.random() < 0.1:
                key = r.randrange(-array.shape[0], array.shape[0])
                # The exporter follows the pointer at once; the layout keeps it for later.
                resolved = resolved or pointers
                next_array = array[key]
                keys = [key]
            else:
                keys = []
                for n in array.shape[: r.randint(1, ndim)]:
                    keys.append(random_slice(r, n))
                key = keys[0] if len(keys) == 1 and r.random() < 0.5 else tuple(keys)
                try:
                    next_array = array[key]
                except ValueError:
                    skipped += 1
                    break
            array = next_array
            line += f" | slice [{', '.join(text(key) for key in keys)}]"
            done += 1
            values = list(flat(array.tolist()))
            lines.append(line)
            flags = "C" * array.c_contiguous + "F" * array.f_contiguous
            expected.append(
                (array.shape, array.strides, array.suboffsets, flags, values, pointers, resolved)
            )
            behind_load += pointers and any(s > 0 for s in array.suboffsets)
            if not values:
                break
    mismatches = []
    empty = 0
    for line, answer, wanted in zip(lines, ask(lines), expected):
        shape, strides, suboffsets, flags, values, pointers, resolved = wanted
        if answer.startswith("refused"):
            mismatches.append((line, answer, wanted))
            continue
        parts = answer.split(";")
        # Our items are byte offsets without loads, and numbers of items with them.
        items = [n if pointers else n // 2 for n in numbers(parts[5])]
        same = numbers(parts[0]) == shape and items == values
        if values and not resolved:
            ours = numbers(parts[1])
            same = same and all(n == 1 or a == b for n, a, b in zip(shape, ours, strides))
            ours = () if parts[2] == "-" else numbers(parts[2])
            same = same and ours == suboffsets
            same = same and parts[4] == flags
        empty += not values
        if not same:
            mismatches.append((line, answer, wanted))
    print(
        f"slices compared with _testbuffer: {len(lines)}, mismatches: {len(mismatches)}"
        f" ({empty} without items, {behind_load} with an offset behind a load, {skipped} refused there)"
    )
    assert not mismatches, mismatches[:3]
    assert len(lines) - empty >= 100_000 and behind_load >= 10_000


if __name__ == "__main__":
    test_slices_equal_testbuffer()
