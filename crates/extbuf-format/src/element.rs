//! Rust types that have a format, and the question whether a format is that of a type.
//!
//! [`Element`] is a safe trait: it stands on bytemuck's promise that the bytes of the type may be anything
//! (`AnyBitPattern`), or are checked before they are looked at (`CheckedBitPattern`, for `bool` and `char`).
//! So a format that is wrong gives wrong numbers, and never undefined behaviour. What a format says of its own parts is
//! relied on all the same: that they lie inside it, one after the other. Formats that are made of a type's parts are held
//! to that by the compiler.

use alloc::borrow::Cow;
use core::marker::PhantomData;

use bytemuck::{CheckedBitPattern, Pod};

use crate::item::{Array, Format, Node};
use crate::scalar::{Code, Mark, Scalar};

/// A Rust type whose values are items of a known format.
///
/// Implemented for the integers of 8 to 64 bits, `usize`, `isize`, `f32`, `f64`, `bool`, `char`, arrays of
/// what is [`Pod`], `half::f16`, `half::bf16` (feature `half`), and complex numbers
/// (feature `num-complex`). `#[derive(Element)]` of the crate `extbuf-derive` implements it for structs with
/// `#[repr(C)]` and takes the offsets from the compiler.
///
/// ```
/// use extbuf_format::{Element, Format};
///
/// const PIXEL: Format = <[u8; 4]>::FORMAT;
/// assert_eq!(PIXEL.to_string(), "(4)B");
/// assert!(Format::parse("<d").unwrap().matches::<f64>().is_ok() || cfg!(target_endian = "big"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no item format",
    label = "not an `Element`",
    note = "elements are numbers, `bool`, `char`, arrays of plain data, and structs with `#[derive(Element)]`; a type parameter needs the bound `Element`"
)]
pub trait Element: CheckedBitPattern + 'static {
    /// The format of one value: same size, and every byte that is not padding described. Arrays, and structs that derive
    /// theirs, of a type whose format has another size do not compile.
    const FORMAT: Format;
}

macro_rules! scalars {
    ($($(#[$cfg:meta])? $type:ty => $code:ident),* $(,)?) => {$(
        $(#[$cfg])?
        impl Element for $type {
            const FORMAT: Format = Format::scalar(Scalar::new(Code::$code, Mark::Native));
        }
        $(#[$cfg])?
        const _: () = assert!(Scalar::new(Code::$code, Mark::Native).itemsize() == size_of::<$type>());
    )*};
}

scalars! {
    i8 => SignedChar,
    u8 => UnsignedChar,
    i16 => Short,
    u16 => UnsignedShort,
    i32 => Int,
    u32 => UnsignedInt,
    i64 => LongLong,
    u64 => UnsignedLongLong,
    f32 => Float,
    f64 => Double,
    bool => Bool,
    char => Ucs4,
    #[cfg(target_pointer_width = "64")] isize => LongLong,
    #[cfg(target_pointer_width = "64")] usize => UnsignedLongLong,
    #[cfg(target_pointer_width = "32")] isize => Int,
    #[cfg(target_pointer_width = "32")] usize => UnsignedInt,
    #[cfg(target_pointer_width = "16")] isize => Short,
    #[cfg(target_pointer_width = "16")] usize => UnsignedShort,
    #[cfg(feature = "half")] half::f16 => Half,
    #[cfg(feature = "num-complex")] num_complex::Complex<f32> => ComplexFloat,
    #[cfg(feature = "num-complex")] num_complex::Complex<f64> => ComplexDouble,
}

#[cfg(feature = "half")]
impl Element for half::bf16 {
    const FORMAT: Format = Format::from_static({
        const NODE: &Node = &Node::Custom(crate::item::Custom {
            name: Cow::Borrowed("bfloat16"),
            params: None,
            storage: Format::scalar(Scalar::new(Code::UnsignedShort, Mark::Native)),
            mark: Mark::Native,
        });
        NODE
    });
}

impl<T: Element + Pod, const N: usize> Element for [T; N] {
    const FORMAT: Format = Format::from_static(ArrayOf::<T, N>::NODE);
}

/// Where the array's node lives: a constant of a generic type, so that it is built by the compiler.
struct ArrayOf<T, const N: usize>(PhantomData<T>);

impl<T: Element, const N: usize> ArrayOf<T, N> {
    const SHAPE: &'static [usize] = &[N];
    const NODE: &'static Node = &Node::Array(Array {
        shape: Cow::Borrowed(Self::SHAPE),
        element: T::FORMAT,
        // `Element` is safe to implement; a format whose parts lie outside of it is not safe to walk.
        itemsize: match Self::ENTRY.constant_itemsize() == size_of::<T>() {
            true => N * size_of::<T>(),
            false => panic!("the format of an entry has another size than the entry"),
        },
    });
    const ENTRY: &'static Format = &T::FORMAT;
}

/// The format of an array is made of that of its entries, so it is not made where the entries' is of another size: who walks
/// it would leave the array.
///
/// ```compile_fail,E0080
/// use bytemuck::{Pod, Zeroable};
/// use extbuf_format::{Element, Format};
/// #[derive(Clone, Copy, Pod, Zeroable)]
/// #[repr(transparent)]
/// struct Byte(u8);
/// impl Element for Byte {
///     const FORMAT: Format = f64::FORMAT;
/// }
/// assert_eq!(<[Byte; 4]>::FORMAT.itemsize(), 4);
/// ```
///
/// ```
/// use bytemuck::{Pod, Zeroable};
/// use extbuf_format::{Element, Format};
/// #[derive(Clone, Copy, Pod, Zeroable)]
/// #[repr(transparent)]
/// struct Byte(u8);
/// impl Element for Byte {
///     const FORMAT: Format = i8::FORMAT;
/// }
/// assert_eq!(<[Byte; 4]>::FORMAT.itemsize(), 4);
/// ```
#[cfg(doctest)]
struct ArrayOfALiar;

/// Nor is that of a struct made of fields that would not lie inside it.
///
/// ```compile_fail,E0080
/// use bytemuck::{Pod, Zeroable};
/// use extbuf_format::{Element, Format};
/// #[derive(Clone, Copy, Pod, Zeroable)]
/// #[repr(transparent)]
/// struct Byte(u8);
/// impl Element for Byte {
///     const FORMAT: Format = f64::FORMAT;
/// }
/// #[derive(Clone, Copy, Pod, Zeroable, Element)]
/// #[repr(C)]
/// struct Pair {
///     a: Byte,
///     b: Byte,
/// }
/// assert_eq!(Pair::FORMAT.itemsize(), 2);
/// ```
///
/// ```
/// use bytemuck::{Pod, Zeroable};
/// use extbuf_format::{Element, Format};
/// #[derive(Clone, Copy, Pod, Zeroable)]
/// #[repr(transparent)]
/// struct Byte(u8);
/// impl Element for Byte {
///     const FORMAT: Format = i8::FORMAT;
/// }
/// #[derive(Clone, Copy, Pod, Zeroable, Element)]
/// #[repr(C)]
/// struct Pair {
///     a: Byte,
///     b: Byte,
/// }
/// assert_eq!(Pair::FORMAT.itemsize(), 2);
/// ```
#[cfg(all(doctest, feature = "derive"))]
struct StructOfALiar;
