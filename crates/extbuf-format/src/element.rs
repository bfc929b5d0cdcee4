//! Rust types that have a format, and the question whether a format is that of a type.
//!
//! [`Element`] is a safe trait: it stands on bytemuck's promise that the bytes of the type may be anything
//! (`AnyBitPattern`), or are checked before they are looked at (`CheckedBitPattern`, for `bool` and `char`).
//! So a format that is wrong gives wrong numbers, and never undefined behaviour.

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
    /// The format of one value: same size, and every byte that is not padding described.
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
        itemsize: N * size_of::<T>(),
    });
}
