//! The fields of a view of records, each a view of its own.
// Views of fields are made here.
#![allow(unsafe_code)]

use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;

use extbuf_format::{Field, Format};

use crate::sharing::{Frozen, Sharing};
use crate::view::raw::RawView;
use crate::view::{View, ViewMut};

/// The fields of a view of records: name and view of each, in order of offset. See [`View::fields`].
pub struct Fields<'v, 'a, S: Sharing = Frozen> {
    view: &'v View<'a, S>,
    fields: Whole<'v>,
}

/// The fields of a mutable view of records, to be written: name and view of each, in order of offset. See
/// [`ViewMut::fields_mut`].
pub struct FieldsMut<'v, S: Sharing = Frozen> {
    /// Of a view that is borrowed mutably as long as this lives.
    raw: &'v RawView<'v>,
    fields: Whole<'v>,
    view: PhantomData<ViewMut<'v, S>>,
}

/// The fields that begin at a byte of their own, from both ends.
#[derive(Clone)]
struct Whole<'v> {
    front: extbuf_format::Fields<'v>,
    left: usize,
}

impl<'v> Whole<'v> {
    fn new(format: &'v Format) -> Whole<'v> {
        let front = format.fields();
        let bits =
            format.as_record().is_some_and(|record| record.runs().iter().any(|run| is_bits(run.format())));
        let left = if bits {
            front.clone().filter(|field| !is_bits(field.format())).count()
        } else {
            front.size_hint().0
        };
        Whole { front, left }
    }

    fn next(&mut self) -> Option<Field<'v>> {
        self.left = self.left.checked_sub(1)?;
        self.front.find(|field| !is_bits(field.format()))
    }

    fn next_back(&mut self) -> Option<Field<'v>> {
        self.left = self.left.checked_sub(1)?;
        self.front.clone().filter(|field| !is_bits(field.format())).nth(self.left)
    }
}

fn is_bits(format: &Format) -> bool {
    format.as_scalar().is_some_and(|scalar| scalar.kind() == extbuf_format::Kind::Bits)
}

/// One field of every item of a view.
fn of<'a>(raw: &RawView<'a>, field: &Field<'_>) -> RawView<'a> {
    let layout = raw.layout.field(field.offset(), field.format().itemsize());
    // SAFETY: V1, V4: a field lies inside its item, behind the same loads; V3: in another item each time.
    let part = unsafe { raw.with_layout(layout.expect("a field lies inside its item")) };
    part.with_format(field.format().clone())
}

impl<'a, S: Sharing> View<'a, S> {
    /// All fields of a view of records, in order of offset: the name where there is one, and a view of that field of
    /// every item. None where items are no records. Bit fields are left out, as they begin at no byte of their own.
    ///
    /// ```
    /// use extbuf_format::Format;
    /// use extbuf_layout::{Layout, Order};
    /// use extbuf_protocol::{Array, Exporter, Memory, Request};
    ///
    /// let format = Format::parse("<T{H:id:B:level:}").expect("a format");
    /// let layout = Layout::contiguous(3, &[2], Order::C).expect("a layout");
    /// let array = Array::new(Memory::from_vec(vec![7u8, 0, 1, 9, 0, 2]), layout, format)?;
    /// let window = array.window(Request::FULL_RO)?;
    /// let view = window.view();
    /// let second: Vec<_> = view.fields().map(|(name, field)| (name, field.value(&[1]).unwrap().to_string())).collect();
    /// assert_eq!(second, [(Some("id"), "9".to_owned()), (Some("level"), "2".to_owned())]);
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    pub fn fields(&self) -> Fields<'_, 'a, S> {
        Fields { view: self, fields: Whole::new(self.format()) }
    }
}

impl<S: Sharing> ViewMut<'_, S> {
    /// All fields of a view of records, to be written at the same time, in order of offset: the name where there is one,
    /// and a view of that field of every item. Fields share no byte, so all of these views may be held and written
    /// together. None where items are no records; bit fields are left out.
    ///
    /// ```
    /// use extbuf_format::Format;
    /// use extbuf_layout::{Layout, Order};
    /// use extbuf_protocol::{Array, Exporter, Memory, Request};
    ///
    /// let format = Format::parse("<T{H:count:B:level:}").expect("a format");
    /// let layout = Layout::contiguous(3, &[2], Order::C).expect("a layout");
    /// let array = Array::new(Memory::from_vec(vec![7u8, 0, 1, 9, 0, 2]), layout, format)?;
    /// let mut window = array.window(Request::FULL)?;
    /// let mut view = window.view_mut()?;
    /// let mut fields: Vec<_> = view.fields_mut().map(|(_, field)| field).collect();
    /// fields[0].item_mut(&[1])?.copy_from_slice(&[0, 1]);
    /// fields[1].item_mut(&[0])?[0] = 5;
    /// assert_eq!(view.as_view().to_string(), "[(  7, 5) (256, 2)]");
    /// # Ok::<(), extbuf_protocol::Refusal>(())
    /// ```
    ///
    /// The views end with the borrow:
    ///
    /// ```compile_fail,E0499
    /// use extbuf_protocol::ViewMut;
    /// fn twice(mut view: ViewMut<'_>) {
    ///     let mut first = view.fields_mut();
    ///     let second = view.fields_mut();
    ///     first.next();
    /// }
    /// ```
    pub fn fields_mut(&mut self) -> FieldsMut<'_, S> {
        FieldsMut { raw: self.raw(), fields: Whole::new(self.format()), view: PhantomData }
    }
}

impl<'v, 'a, S: Sharing> Fields<'v, 'a, S> {
    fn show(&self, field: Field<'v>) -> (Option<&'v str>, View<'a, S>) {
        // SAFETY: V1 to V5 of the view, of which this is a part.
        (field.name(), unsafe { View::from_raw(of(self.view.raw(), &field)) })
    }
}

impl<'v, S: Sharing> FieldsMut<'v, S> {
    fn show(&self, field: Field<'v>) -> (Option<&'v str>, ViewMut<'v, S>) {
        // SAFETY: V1 to V4 of the view, of which this is a part. V5: the view is borrowed mutably for 'v; fields of one
        // record do not overlap, items do not by V3, and each field is shown once.
        (field.name(), unsafe { ViewMut::from_raw(of(self.raw, &field)) })
    }
}

impl<S: Sharing> Clone for Fields<'_, '_, S> {
    fn clone(&self) -> Self {
        Fields { view: self.view, fields: self.fields.clone() }
    }
}

macro_rules! field_iterator {
    ([$($generics:tt)*] $name:ident<$($args:tt),*>, $view:ty) => {
        impl<$($generics)*, S: Sharing> Iterator for $name<$($args),*, S> {
            type Item = (Option<&'v str>, $view);

            fn next(&mut self) -> Option<Self::Item> {
                self.fields.next().map(|field| self.show(field))
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.fields.left, Some(self.fields.left))
            }
        }

        impl<$($generics)*, S: Sharing> DoubleEndedIterator for $name<$($args),*, S> {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.fields.next_back().map(|field| self.show(field))
            }
        }

        impl<$($generics)*, S: Sharing> ExactSizeIterator for $name<$($args),*, S> {}

        impl<$($generics)*, S: Sharing> FusedIterator for $name<$($args),*, S> {}

        impl<$($generics)*, S: Sharing> fmt::Debug for $name<$($args),*, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("left", &self.fields.left).finish_non_exhaustive()
            }
        }
    };
}
field_iterator!(['v, 'a] Fields<'v, 'a>, View<'a, S>);
field_iterator!(['v] FieldsMut<'v>, ViewMut<'v, S>);
