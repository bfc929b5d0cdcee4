"""Answers what NumPy makes of numbers and records: one line of hexadecimal digits for each question.

A question is `source destination bytes`. A type is a NumPy type (`<f4`), or fields (`a=<f4,b=>i2`), which are matched by
name: that is assignment field by field, since `astype` goes by position.
"""

import sys
import warnings

import numpy as np

np.seterr(all="ignore")
# Of imaginary parts that are left out, which is what is asked for.
warnings.simplefilter("ignore")


def dtype(text):
    if "=" not in text:
        return np.dtype(text)
    return np.dtype([tuple(field.split("=", 1)) for field in text.split(",")])


for line in sys.stdin:
    source, target, data = line.split()
    given = np.frombuffer(bytes.fromhex(data), dtype(source))
    made = np.zeros(given.shape, dtype(target))
    if made.dtype.names:
        for name in made.dtype.names:
            made[name] = given[name]
    else:
        made = given.astype(made.dtype)
    print(made.tobytes().hex())
