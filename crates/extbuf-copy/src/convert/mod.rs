//! Copying between different formats: numbers converted, bytes turned around, records matched by the names of their
//! fields.
//!
//! Where the formats are equal this is a copy. Elsewhere a plan says, for each part of an item, what is done with it
//! (`fields`), and by which passes over dense lines (`recipe`, `lanes`); the layouts are gone through in boxes that fit
//! the nearest caches (`space`, `boxes`, `execute`).

mod boxes;
mod execute;
mod lanes;
mod number;
mod recipe;
mod shape;
mod space;
mod views;
mod work;

pub(crate) use boxes::Boxes;
pub(crate) use execute::{Bases, First, Phase};
pub(crate) use number::{Number, Stored};
pub(crate) use recipe::Recipe;
pub(crate) use space::Space;
pub use views::{ViewPlan, convert, to_contiguous_as};
pub(crate) use views::{check_shapes, run};
pub(crate) use work::Work;

/// What becomes of a number that the other format cannot hold.
///
/// | from | to | `Checked` | `Saturating` | `Wrapping` |
/// |---|---|---|---|---|
/// | integer | integer | must be in range | the nearest bound | modulo two to the number of bits |
/// | float | integer | towards zero, then must be in range; no NaN | towards zero, then the nearest bound; NaN is 0 | as `Saturating` |
/// | integer | float | nearest, ties to even | the same | the same |
/// | float | float | nearest, ties to even; too large is infinite | the same | the same |
/// | complex | real | the imaginary part must be zero; the real part as above | the real part as above | the real part as above |
/// | real | complex | the real part as above, the imaginary part is zero | the same | the same |
/// | anything | `?` | is it not zero (NaN is not; of a complex number either part) | the same | the same |
/// | `?` | number | 0 or 1; any byte that is not zero counts as true | the same | the same |
///
/// So `Checked` is `NumCast::from` of `num-traits`, which fails where this does, and `Wrapping` is its `AsPrimitive`,
/// Rust's `as`. An infinity converts to the infinity of another float; to an integer it is out of range. A NaN stays a
/// NaN of the same sign; on the processors that this was tested on it also keeps the upper bits of its payload and becomes
/// quiet, which is not promised. No conversion rounds twice: an `i64` becomes the nearest `bfloat16` of itself, not of
/// its nearest `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// An error names the first value that does not fit, and nothing is written: all values are looked at beforehand
    /// wherever one of them might not fit.
    #[default]
    Checked,
    /// The value that is nearest.
    Saturating,
    /// What Rust's `as` makes of it.
    Wrapping,
}

/// What becomes of fields that only one of two records has. By default both are errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldRules {
    /// A field of the destination that the source has not keeps the bytes that it had.
    pub allow_missing: bool,
    /// A field of the source that the destination has not is left out.
    pub allow_extra: bool,
}
