//! Items that a plain `T` cannot be: at any address, or in a byte order of their own.
//!
//! Each is a type with alignment 1 and a format of its own, so that a typed view of it needs nothing special.
// The bytes of the types are promised to bytemuck.
#![allow(unsafe_code)]

use core::cmp::Ordering;
use core::fmt;

use bytemuck::{AnyBitPattern, NoUninit, Zeroable};
use extbuf_format::{Code, Element, Format, Mark, Scalar};

/// A `T` at any address: the same bytes, the same format, alignment 1.
///
/// ```
/// use extbuf_format::Format;
/// use extbuf_layout::{Layout, Order};
/// use extbuf_protocol::{Array, Exporter, Memory, RefusalKind, Request, Unaligned};
///
/// // A byte and a double, packed: the doubles lie at odd addresses.
/// let bytes: Vec<u8> = [1.5f64, 2.5].iter().flat_map(|x| [0].into_iter().chain(x.to_ne_bytes())).collect();
/// let format = Format::parse("=T{B:tag:d:x:}").expect("a format");
/// let layout = Layout::contiguous(9, &[2], Order::C).expect("a layout");
/// let window = Array::new(Memory::from_vec(bytes), layout, format)?.window(Request::FULL_RO)?;
/// let x = window.view().field("x")?;
/// assert!(matches!(x.clone().typed::<f64>().unwrap_err().kind(), RefusalKind::Misaligned { needed: 8, .. }));
/// let x = x.typed::<Unaligned<f64>>()?;
/// assert_eq!(x.iter().map(|x| x.get()).sum::<f64>(), 4.0);
/// # Ok::<(), extbuf_protocol::Refusal>(())
/// ```
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub struct Unaligned<T: Copy>(T);

impl<T: Copy> Unaligned<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Unaligned<T> {
        Unaligned(value)
    }

    /// The value.
    pub const fn get(self) -> T {
        self.0
    }

    /// Replaces the value.
    pub const fn set(&mut self, value: T) {
        self.0 = value;
    }
}

// SAFETY: the bytes are those of a `T`, all of them: `packed` takes away alignment, and adds no padding.
unsafe impl<T: Copy + Zeroable> Zeroable for Unaligned<T> {}
// SAFETY: as above.
unsafe impl<T: AnyBitPattern> AnyBitPattern for Unaligned<T> {}
// SAFETY: as above.
unsafe impl<T: NoUninit> NoUninit for Unaligned<T> {}

impl<T: Element + AnyBitPattern> Element for Unaligned<T> {
    const FORMAT: Format = T::FORMAT;
}

impl<T: Copy> From<T> for Unaligned<T> {
    fn from(value: T) -> Unaligned<T> {
        Unaligned(value)
    }
}

impl<T: Copy + PartialEq> PartialEq for Unaligned<T> {
    fn eq(&self, other: &Unaligned<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Copy + Eq> Eq for Unaligned<T> {}

impl<T: Copy + PartialOrd> PartialOrd for Unaligned<T> {
    fn partial_cmp(&self, other: &Unaligned<T>) -> Option<Ordering> {
        self.get().partial_cmp(&other.get())
    }
}

impl<T: Copy + Ord> Ord for Unaligned<T> {
    fn cmp(&self, other: &Unaligned<T>) -> Ordering {
        self.get().cmp(&other.get())
    }
}

impl<T: Copy + fmt::Debug> fmt::Debug for Unaligned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<T: Copy + fmt::Display> fmt::Display for Unaligned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

mod sealed {
    pub trait Sealed {}
}

/// Numbers whose bytes have an order: the integers of 16 to 64 bits, `f32` and `f64`. Nothing else implements it.
pub trait Ordered: Element + AnyBitPattern + NoUninit + sealed::Sealed {
    /// As many bytes.
    type Bytes: AnyBitPattern + NoUninit + PartialEq + Eq;
    #[doc(hidden)]
    const CODE: Code;
    #[doc(hidden)]
    fn from_order(bytes: Self::Bytes, big: bool) -> Self;
    #[doc(hidden)]
    fn to_order(self, big: bool) -> Self::Bytes;
}

macro_rules! ordered {
    ($($type:ty => $code:ident),* $(,)?) => {$(
        impl sealed::Sealed for $type {}
        impl Ordered for $type {
            type Bytes = [u8; size_of::<$type>()];
            const CODE: Code = Code::$code;
            #[inline]
            fn from_order(bytes: Self::Bytes, big: bool) -> $type {
                if big { <$type>::from_be_bytes(bytes) } else { <$type>::from_le_bytes(bytes) }
            }
            #[inline]
            fn to_order(self, big: bool) -> Self::Bytes {
                if big { self.to_be_bytes() } else { self.to_le_bytes() }
            }
        }
    )*};
}

ordered! {
    i16 => Short, u16 => UnsignedShort,
    i32 => Int, u32 => UnsignedInt,
    i64 => LongLong, u64 => UnsignedLongLong,
    f32 => Float, f64 => Double,
}

macro_rules! byte_order {
    ($(#[$doc:meta])* $name:ident, $mark:ident, $big:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[repr(transparent)]
        pub struct $name<T: Ordered>(T::Bytes);

        impl<T: Ordered> $name<T> {
            /// Puts a number into this order.
            #[inline]
            pub fn new(value: T) -> $name<T> {
                $name(value.to_order($big))
            }

            /// The number.
            #[inline]
            pub fn get(self) -> T {
                T::from_order(self.0, $big)
            }
        }

        // SAFETY: bytes and nothing else, by `repr(transparent)`.
        unsafe impl<T: Ordered> Zeroable for $name<T> {}
        // SAFETY: as above.
        unsafe impl<T: Ordered> AnyBitPattern for $name<T> {}
        // SAFETY: as above.
        unsafe impl<T: Ordered> NoUninit for $name<T> {}

        impl<T: Ordered> Element for $name<T> {
            const FORMAT: Format = Format::scalar(Scalar::new(T::CODE, Mark::$mark));
        }

        impl<T: Ordered> From<T> for $name<T> {
            fn from(value: T) -> $name<T> {
                $name::new(value)
            }
        }

        impl<T: Ordered + fmt::Debug> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.get().fmt(f)
            }
        }

        impl<T: Ordered + fmt::Display> fmt::Display for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.get().fmt(f)
            }
        }
    };
}

byte_order! {
    /// A number stored with its most significant byte first, at any address. Equal where the bytes are.
    ///
    /// ```
    /// use extbuf_format::Format;
    /// use extbuf_layout::{Layout, Order};
    /// use extbuf_protocol::{Array, Be, Exporter, Memory, Request};
    ///
    /// let format = Format::parse(">h").expect("a format");
    /// let layout = Layout::contiguous(2, &[3], Order::C).expect("a layout");
    /// let memory = Memory::from_vec(vec![0u8, 1, 0, 2, 255, 255]);
    /// let window = Array::new(memory, layout, format)?.window(Request::FULL_RO)?;
    /// let view = window.view().typed::<Be<i16>>()?;
    /// assert_eq!(view.values().map(Be::get).collect::<Vec<_>>(), [1, 2, -1]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    Be, Big, true
}
byte_order! {
    /// A number stored with its least significant byte first, at any address. Equal where the bytes are.
    Le, Little, false
}

const _: () = assert!(align_of::<Be<f64>>() == 1 && align_of::<Unaligned<f64>>() == 1);
const _: () = assert!(size_of::<Le<u32>>() == 4 && size_of::<Unaligned<[u16; 3]>>() == 6);
