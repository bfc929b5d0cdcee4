//! The fields of a view of records, each a view of its own.
// Views of fields are made here.
#![allow(unsafe_code)]

use core::fmt;
use core::iter::FusedIterator;

use extbuf_format::Format;

use crate::sharing::{Frozen, Sharing};
use crate::view::View;

/// The fields of a view of records: name and view of each, in order of offset. See [`View::fields`].
pub struct Fields<'v, 'a, S: Sharing = Frozen> {
    view: &'v View<'a, S>,
    front: extbuf_format::Fields<'v>,
    left: usize,
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
        let fields = self.format().fields();
        let bits = self
            .format()
            .as_record()
            .is_some_and(|record| record.runs().iter().any(|run| is_bits(run.format())));
        let left = if bits {
            fields.clone().filter(|field| !is_bits(field.format())).count()
        } else {
            fields.size_hint().0
        };
        Fields { view: self, front: fields, left }
    }
}

fn is_bits(format: &Format) -> bool {
    format.as_scalar().is_some_and(|scalar| scalar.kind() == extbuf_format::Kind::Bits)
}

impl<'v, 'a, S: Sharing> Fields<'v, 'a, S> {
    fn show(&self, field: extbuf_format::Field<'v>) -> (Option<&'v str>, View<'a, S>) {
        let raw = self.view.raw();
        let layout = raw.layout.field(field.offset(), field.format().itemsize());
        // SAFETY: V1, V4: a field lies inside its item, behind the same loads.
        let raw = unsafe { raw.with_layout(layout.expect("a field lies inside its item")) };
        // SAFETY: V1 to V5 of the view.
        (field.name(), unsafe { View::from_raw(raw.with_format(field.format().clone())) })
    }
}

impl<'v, 'a, S: Sharing> Iterator for Fields<'v, 'a, S> {
    type Item = (Option<&'v str>, View<'a, S>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let field = self.front.find(|field| !is_bits(field.format()));
        field.map(|field| self.show(field))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<S: Sharing> Clone for Fields<'_, '_, S> {
    fn clone(&self) -> Self {
        Fields { view: self.view, front: self.front.clone(), left: self.left }
    }
}

impl<S: Sharing> DoubleEndedIterator for Fields<'_, '_, S> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let field = self.front.clone().filter(|field| !is_bits(field.format())).nth(self.left);
        field.map(|field| self.show(field))
    }
}

impl<S: Sharing> ExactSizeIterator for Fields<'_, '_, S> {}

impl<S: Sharing> FusedIterator for Fields<'_, '_, S> {}

impl<S: Sharing> fmt::Debug for Fields<'_, '_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").field("left", &self.left).finish_non_exhaustive()
    }
}
