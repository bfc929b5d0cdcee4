//! What [`View`](crate::View) and [`ViewMut`](crate::ViewMut) have in common: written once, made twice, so that each
//! stands on its own page of the documentation.

/// The operations that reach a subset of what the layout reached, each item at most once.
macro_rules! layout_operations {
    () => {
        /// Slices along several axes at once, with Python's rules; see [`Layout::slice`].
        ///
        /// # Errors
        ///
        /// As [`Layout::slice`]: an index outside its axis, more entries than axes, a step of 0.
        #[inline]
        pub fn slice(self, items: impl AsRef<[SliceItem]>) -> Result<Self, Refusal> {
            let layout = self.layout().slice(items.as_ref())?;
            Ok(self.with_subset(layout))
        }

        /// Slices along one axis; see [`Layout::slice_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::slice_axis`].
        pub fn slice_axis(self, axis: usize, slice: impl Into<Slice>) -> Result<Self, Refusal> {
            let layout = self.layout().slice_axis(axis, slice.into())?;
            Ok(self.with_subset(layout))
        }

        /// Fixes the index of one axis, which disappears; see [`Layout::index_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::index_axis`].
        pub fn index_axis(self, axis: usize, index: isize) -> Result<Self, Refusal> {
            let layout = self.layout().index_axis(axis, index)?;
            Ok(self.with_subset(layout))
        }

        /// Runs along one axis backwards; see [`Layout::reverse_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::reverse_axis`].
        pub fn reverse_axis(self, axis: usize) -> Result<Self, Refusal> {
            let layout = self.layout().reverse_axis(axis)?;
            Ok(self.with_subset(layout))
        }

        /// Reorders the axes: axis `i` of the answer is axis `axes[i]` of this; see [`Layout::permute`].
        ///
        /// # Errors
        ///
        /// As [`Layout::permute`].
        pub fn permute(self, axes: &[usize]) -> Result<Self, Refusal> {
            let layout = self.layout().permute(axes)?;
            Ok(self.with_subset(layout))
        }

        /// Reverses the order of the axes; see [`Layout::transpose`].
        #[must_use]
        pub fn transpose(self) -> Self {
            let layout = self.layout().transpose();
            self.with_subset(layout)
        }

        /// Inserts an axis of extent 1; see [`Layout::new_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::new_axis`].
        pub fn new_axis(self, axis: usize) -> Result<Self, Refusal> {
            let layout = self.layout().new_axis(axis)?;
            Ok(self.with_subset(layout))
        }

        /// Drops an axis of extent 1; see [`Layout::drop_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::drop_axis`].
        pub fn drop_axis(self, axis: usize) -> Result<Self, Refusal> {
            let layout = self.layout().drop_axis(axis)?;
            Ok(self.with_subset(layout))
        }

        /// Exchanges two axes; see [`Layout::swap_axes`].
        ///
        /// # Errors
        ///
        /// As [`Layout::swap_axes`].
        pub fn swap_axes(self, a: usize, b: usize) -> Result<Self, Refusal> {
            let layout = self.layout().swap_axes(a, b)?;
            Ok(self.with_subset(layout))
        }

        /// Moves an axis to another place among the axes; see [`Layout::move_axis`].
        ///
        /// # Errors
        ///
        /// As [`Layout::move_axis`].
        pub fn move_axis(self, from: usize, to: usize) -> Result<Self, Refusal> {
            let layout = self.layout().move_axis(from, to)?;
            Ok(self.with_subset(layout))
        }

        /// The items whose indices along two axes differ by `offset`, as a last axis; see [`Layout::diagonal`].
        ///
        /// # Errors
        ///
        /// As [`Layout::diagonal`].
        pub fn diagonal(self, a: usize, b: usize, offset: isize) -> Result<Self, Refusal> {
            let layout = self.layout().diagonal(a, b, offset)?;
            Ok(self.with_subset(layout))
        }

        /// The same items in another shape, read in the given order, where that moves none of them; see
        /// [`Layout::reshape`].
        ///
        /// # Errors
        ///
        /// As [`Layout::reshape`]: another number of items; axes that cannot be joined where they lie.
        pub fn reshape(self, shape: &[usize], order: Order) -> Result<Self, Refusal> {
            let layout = self.layout().reshape(shape, order)?;
            Ok(self.with_subset(layout))
        }

        /// The same bytes as items of another format. Where its itemsize is another one, the last axis must have its
        /// items side by side, and its extent changes; see [`Layout::cast`].
        ///
        /// ```
        /// use extbuf_format::Format;
        /// use extbuf_protocol::View;
        /// let words = [0x0102_0304u32.to_be(), 5];
        /// let view = View::from_slice(&words).cast(Format::parse(">H").expect("a format"))?;
        /// assert_eq!(view.shape(), [4]);
        /// assert_eq!(view.value(&[1])?.to_string(), "772"); // 0x0304
        /// # Ok::<(), extbuf_protocol::Refusal>(())
        /// ```
        ///
        /// # Errors
        ///
        /// As [`Layout::cast`]. [`RefusalKind::Objects`] where one of the formats holds object references.
        pub fn cast(self, format: Format) -> Result<Self, Refusal> {
            if self.format().has_objects() || format.has_objects() {
                return Err(RefusalKind::Objects.into());
            }
            let layout = self.layout().cast(format.itemsize())?;
            let mut cast = self.with_subset(layout);
            cast.raw = cast.raw.with_format(format);
            Ok(cast)
        }

        /// Where the items are.
        #[inline]
        pub fn layout(&self) -> &Layout {
            &self.raw.layout
        }

        /// What an item is.
        #[inline]
        pub fn format(&self) -> &Format {
            &self.raw.format
        }

        /// Number of entries along each axis.
        #[inline]
        pub fn shape(&self) -> &[usize] {
            self.layout().shape()
        }

        /// Number of axes.
        #[inline]
        pub fn ndim(&self) -> usize {
            self.layout().ndim()
        }

        /// Bytes of one item.
        #[inline]
        pub fn itemsize(&self) -> usize {
            self.layout().itemsize()
        }

        /// Number of items.
        pub fn len(&self) -> usize {
            self.layout().len()
        }

        /// True where there are no items.
        pub fn is_empty(&self) -> bool {
            self.layout().is_empty()
        }

        /// Bytes that a contiguous copy of all items would take.
        pub fn nbytes(&self) -> usize {
            self.layout().nbytes()
        }

        /// Reads the item at `index` as a `T`, wherever it lies and however it is aligned.
        ///
        /// # Errors
        ///
        /// [`RefusalKind::Format`] where the format is not `T`'s, byte order included;
        /// [`RefusalKind::IndexLength`]; [`RefusalKind::OutOfRange`]; [`RefusalKind::InvalidValue`] where the bytes are no `T`, such as byte 2 for a
        /// `bool`.
        #[inline]
        pub fn get<T: Element + CheckedBitPattern>(&self, index: &[usize]) -> Result<T, Refusal> {
            self.check_format::<T>()?;
            self.raw
                .with_item::<S, _>(index, |bytes| bytemuck::checked::try_pod_read_unaligned(bytes).ok())?
                .ok_or_else(|| self.raw.no_value::<T, S>(index))
        }

        /// Reads the item at `index` as a value of whatever its format says.
        ///
        /// # Errors
        ///
        /// [`RefusalKind::IndexLength`]; [`RefusalKind::OutOfRange`]; [`RefusalKind::Format`] where the bytes are no value of the format.
        pub fn value(&self, index: &[usize]) -> Result<Value, Refusal> {
            Ok(self.raw.with_item::<S, _>(index, |bytes| self.format().unpack(bytes))??)
        }

        #[inline]
        fn check_format<T: Element>(&self) -> Result<(), Refusal> {
            Ok(self.format().matches::<T>()?)
        }

        /// Base, layout and format, owned.
        pub(crate) fn into_parts(self) -> (*mut u8, Layout, Format) {
            (self.raw.base(), self.raw.layout.into_owned(), self.raw.format.into_owned())
        }
    };
}
