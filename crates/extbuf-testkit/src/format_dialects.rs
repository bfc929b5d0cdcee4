//! What each dialect makes of a text: the points on which the peers disagree, and the codes that each one has.
//!
//! Sizes are those of x86-64 Linux.

/// Itemsizes in the order pep3118, struct, numpy, ctypes, cython; `None` is an error.
pub type Sizes = [Option<usize>; 5];

/// Question, text, and what each dialect says.
pub const ROWS: &[(&str, &str, Sizes)] = &[
    ("padding at the end", "qb", [Some(9), Some(9), Some(16), Some(9), Some(9)]),
    ("padding behind x", "ix", [Some(5), Some(5), Some(8), Some(5), Some(5)]),
    ("padding at the end of a record", "T{qb}", [Some(16), None, Some(16), Some(16), Some(16)]),
    ("zero count aligns", "b0q", [Some(8), Some(8), Some(8), Some(8), Some(8)]),
    (
        "alignment of a record is its largest member's",
        "bT{bq}",
        [Some(24), None, Some(24), Some(24), Some(17)],
    ),
    ("white space between entries", "i i", [Some(8), Some(8), None, Some(8), Some(8)]),
    ("a tab", "i\ti", [Some(8), Some(8), None, Some(8), None]),
    ("white space between count and code", "2 i", [Some(8), None, None, Some(8), Some(8)]),
    ("white space in a shape", "(2, 2)i", [Some(16), None, Some(16), Some(16), None]),
    ("mark inside", "i<i", [Some(8), None, Some(8), Some(8), Some(8)]),
    ("native mark inside", "i=i", [Some(8), None, Some(8), Some(8), Some(8)]),
    ("mark before the shape", "=(2)i", [Some(8), None, None, Some(8), Some(8)]),
    ("mark after the count", "2=i", [Some(8), None, None, Some(8), Some(8)]),
    ("standard long", "=l", [Some(4); 5]),
    ("long", "l", [Some(8); 5]),
    ("unaligned", "^bi", [Some(5), None, Some(5), Some(5), Some(5)]),
    ("scope of a mark", "T{=b}l", [Some(16), None, Some(5), Some(16), Some(5)]),
    ("3s is one value of three bytes", "3s", [Some(3); 5]),
    ("u is two bytes, or wchar_t", "u", [Some(2), None, None, Some(4), None]),
    ("bare Z is a pointer of ctypes", "<Z", [None, None, None, Some(8), None]),
    ("z is a pointer of ctypes", "z", [None, None, None, Some(8), None]),
    ("P in standard size", "<P", [None, None, None, Some(8), None]),
    ("g in standard size", "<g", [None, None, None, Some(16), None]),
    ("P", "P", [Some(8), Some(8), None, Some(8), None]),
    ("n and N", "nN", [Some(16), Some(16), None, Some(16), None]),
    ("half floats", "e", [Some(2), Some(2), Some(2), Some(2), None]),
    ("long double", "g", [Some(16), None, Some(16), Some(16), Some(16)]),
    ("complex with Z", "Zd", [Some(16); 5]),
    ("complex of halves, of nanobind", "Ze", [Some(4), None, None, Some(4), None]),
    ("complex with one letter", "D", [Some(16), Some(16), None, Some(16), None]),
    ("Pascal string", "5p", [Some(5), Some(5), None, Some(5), Some(5)]),
    ("wide text", "3w", [Some(12), None, Some(12), Some(12), None]),
    ("objects", "O", [Some(8), None, Some(8), Some(8), Some(8)]),
    ("objects have no byte order", "=O", [Some(8), None, Some(8), Some(8), Some(8)]),
    ("pointers", "&i", [Some(8), None, None, Some(8), None]),
    ("function pointers", "X{}", [Some(8), None, None, Some(8), None]),
    ("bits", "3t", [Some(1), None, None, None, None]),
    ("custom types", "[bfloat16]", [Some(2), None, None, None, None]),
    ("names", "i:a:", [Some(4), None, Some(4), Some(4), Some(4)]),
    ("the empty name", "i::", [Some(4), None, Some(4), Some(4), Some(4)]),
    ("a name twice", "i:a:i:a:", [None, None, None, None, Some(8)]),
    ("names are UTF-8", "i:größe:", [Some(4), None, Some(4), Some(4), Some(4)]),
    ("unclosed record", "T{i", [None; 5]),
    ("stray brace", "i}", [None; 5]),
    ("the other byte order", ">i", [Some(4), Some(4), Some(4), Some(4), None]),
    ("a mark and nothing", "=", [Some(0), Some(0), None, Some(0), Some(0)]),
    ("nothing", "", [Some(0); 5]),
];

/// Dialect, its codes of one letter, and its complex codes.
pub const CODES: &[(&str, &str, &str)] = &[
    ("pep3118", "xcbB?hHiIlLqQnNefdFDgspuwPOt", "ZeZfZdZg"),
    ("struct", "xcbB?hHiIlLqQnNefdFDspP", "ZfZd"),
    ("numpy", "xcbB?hHiIlLqQefdgswO", "ZfZdZg"),
    ("ctypes", "xcbB?hHiIlLqQnNefdgFDspuwPOzZ", "ZeZfZdZg"),
    ("cython", "xcbB?hHiIlLqQfdgspO", "ZfZdZg"),
];
