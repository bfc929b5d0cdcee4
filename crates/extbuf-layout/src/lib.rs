//! Where the items of a buffer are: shapes, strides and loads as a chain of affine maps, integers only.
