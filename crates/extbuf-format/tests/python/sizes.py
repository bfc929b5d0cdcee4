"""The size that `struct` gives to every text over an alphabet, or a dash: shortest first, then by the alphabet."""

import itertools
import struct
import sys

alphabet, longest = sys.argv[1], int(sys.argv[2])
for length in range(longest + 1):
    for letters in itertools.product(alphabet, repeat=length):
        try:
            print(struct.calcsize("".join(letters)))
        except struct.error:
            print("-")
