//! Format texts that real files and exporters produced, with the itemsize that came with each.
//!
//! Seen through `memoryview` on x86-64 Linux with NumPy 2.4.6: files of nibabel 5.4.2, PyTables 3.11, astropy
//! 8.0.2, h5py 3.16, scipy 1.17, scikit-image 0.26, matplotlib 3.11 and pydicom 3.0.2. Formats of 170 to 749
//! characters from the same survey are represented by their constructs, not by their text.

/// Text, itemsize of the buffer, and what it came from. Text in NumPy's dialect.
pub const WILD: &[(&str, usize, &str)] = &[
    (">h", 2, "NIfTI volume, Fortran order, big-endian; WAV; DICOM"),
    ("<h", 2, "NIfTI, explicit little-endian"),
    ("h", 2, "terrain grid; DICOM"),
    (">f", 4, "MGH volume; NetCDF through a map, read-only; WAV"),
    ("f", 4, "disparity map; topography"),
    (">i", 4, "WAV of 32 bits"),
    ("i", 4, "WAV of 24 bits; 0-d HDF5 attribute"),
    ("l", 8, "WAV of 36 to 53 bits; integer arrays of .npy files"),
    ("d", 8, "PAR/REC volume in permuted axes; .npz"),
    ("B", 1, "images; FITS of shape (0, 777777701)"),
    (">H", 2, "gzipped raster"),
    ("e", 2, "HDF5 half floats"),
    ("g", 16, "long double reference data"),
    ("O", 8, "HDF5 variable-length strings"),
    ("L", 8, "HDF5"),
    (">q", 8, "HDF5 written on a big-endian machine"),
    (">d", 8, "HDF5 written on a big-endian machine"),
    (">Zd", 16, "HDF5 compound complex"),
    (">Zf", 8, "HDF5 compound complex"),
    ("Zd", 16, "HDF5 compound complex"),
    ("2s", 2, "HDF5 strings"),
    ("3w", 12, "text array"),
    ("T{>d:a:i:b:5s:c:}", 17, "FITS table, unaligned big-endian record"),
    ("T{10s:a:x5s:b:}", 16, "FITS ASCII table"),
    ("T{(2)>i:var:(2)h:xyz:}", 12, "FITS variable-length table"),
    ("T{>h:C:h:X:h:Y:h:R:}", 8, "IDL save file"),
    ("T{O:A:O:B:}", 16, "IDL save file with objects"),
    (
        "T{l:param:d:x:d:alpha:d:beta:l:gamma:l:delta:d:pct:d:pdf:d:cdf:}",
        72,
        "reference table of a test suite",
    ),
    (
        "T{i:a_name:xxxxxxxxxxxxxxxx6s:c_name:(5,10)h:d_name:xxf:e_name:xxxx(10)d:f_name:B:g_name:}",
        224,
        "HDF5 compound with padding runs",
    ),
    ("T{8s:ANNAME:(3)>d:STABXYZ:(0)d:ORBPARM:}", 32, "FITS antenna table, zero-length column"),
    ("T{i:IF FREQ:d:ANTENNA NO.:f:UU---SIN:}", 24, "column names of FITS-IDI tables"),
    ("T{B:a:xxx>i:b:(2,3)@d:c:}", 56, "aligned record of mixed order"),
];

/// The same, where the exporter's text does not add up to its itemsize: text, itemsize as said by the text,
/// itemsize of the buffer.
pub const CONTRADICTIONS: &[(&str, usize, usize, &str)] = &[
    (
        "T{f:float:T{xxb:char:xd:double:}:compound:}",
        24,
        16,
        "HDF5 nested compound, unaligned inside; no order mark says so",
    ),
    ("T{I:A:I:B:}", 8, 16, "HDF5 compound with padding at its end, which NumPy does not write"),
    ("T{i:a:}", 4, 16, "NumPy dtype with an explicit itemsize of 16"),
];
