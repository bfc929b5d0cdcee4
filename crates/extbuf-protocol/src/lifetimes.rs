//! The rules that the compiler keeps, each as a forbidden program beside its passing twin.
//!
//! These are documentation tests and nothing else. Stable `rustdoc` checks that a forbidden program does not compile;
//! with unstable features switched on (`RUSTC_BOOTSTRAP=1`, as the project's own runner does) it checks the error code
//! too. The twin differs by a line or two, so that nothing but the rule is in the way.

/// The exporter may not describe itself anew while its description is borrowed.
///
/// ```compile_fail,E0502
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let mut buffer = Buffer::from_vec(vec![1u8, 2, 3, 4]);
/// let export = buffer.export(Request::FULL_RO).unwrap();
/// buffer.reshape(&[2, 2]).unwrap();
/// assert_eq!(export.view().shape(), [4]);
/// ```
///
/// ```
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let mut buffer = Buffer::from_vec(vec![1u8, 2, 3, 4]);
/// let export = buffer.export(Request::FULL_RO).unwrap();
/// assert_eq!(export.view().shape(), [4]);
/// drop(export);
/// buffer.reshape(&[2, 2]).unwrap();
/// ```
struct DescribedAnewWhileBorrowed;

/// Who keeps, copies: a borrowed description does not outlive its exporter.
///
/// ```compile_fail,E0505
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let buffer = Buffer::from_vec(vec![1u8, 2, 3, 4]);
/// let export = buffer.export(Request::FULL_RO).unwrap();
/// drop(buffer);
/// assert_eq!(export.view().shape(), [4]);
/// ```
///
/// ```
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let buffer = Buffer::from_vec(vec![1u8, 2, 3, 4]);
/// let window = buffer.export(Request::FULL_RO).unwrap().keep();
/// drop(buffer);
/// assert_eq!(window.view().shape(), [4]);
/// ```
struct BorrowedBeyondTheExporter;

/// Nor is it dropped after its exporter: its drop gives a lease back, to memory that the exporter keeps.
///
/// ```compile_fail,E0597
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let _export;
/// {
///     let buffer = Buffer::from_vec(vec![1u8, 2, 3, 4]);
///     _export = buffer.export(Request::FULL_RO).unwrap();
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let _window;
/// {
///     let buffer = Buffer::from_vec(vec![1u8, 2, 3, 4]);
///     _window = buffer.export(Request::FULL_RO).unwrap().keep();
/// }
/// ```
struct DroppedAfterTheExporter;

/// A re-exporter lends its own description, which ends with it.
///
/// ```compile_fail,E0515
/// use extbuf_protocol::{Export, Exporter, Refusal, Request, Window};
/// fn lend_on(root: &Window<'static>) -> Result<Export<'static, 'static>, Refusal> {
///     let mine = root.map(|view| view.reverse_axis(0))?;
///     mine.export(Request::FULL_RO)
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{Export, Exporter, Refusal, Request, Window};
/// fn lend_on(root: &Window<'static>) -> Result<Window<'static>, Refusal> {
///     let mine = root.map(|view| view.reverse_axis(0))?;
///     mine.window(Request::FULL_RO)
/// }
/// ```
struct ReExportOfALocalWindow;

/// The memory of a plain slice is not outlived, even by a keeper.
///
/// ```compile_fail,E0597
/// use extbuf_protocol::{Exporter, Request};
/// let window = {
///     let numbers = vec![1u8, 2, 3, 4];
///     (&numbers).window(Request::FULL_RO).unwrap()
/// };
/// assert_eq!(window.shape(), [4]);
/// ```
///
/// ```
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let window = {
///     let numbers = vec![1u8, 2, 3, 4];
///     Buffer::from_vec(numbers).window(Request::FULL_RO).unwrap()
/// };
/// assert_eq!(window.shape(), [4]);
/// ```
struct KeptBeyondTheSlice;

/// The strictest form: what the closure sees cannot leave it.
///
/// ```compile_fail,E0521
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let buffer = Buffer::from_vec(vec![1u8, 2, 3, 4]);
/// let mut kept = None;
/// buffer.with_view(Request::FULL_RO, |view| kept = Some(view)).unwrap();
/// assert!(kept.is_some());
/// ```
///
/// ```
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let buffer = Buffer::from_vec(vec![1u8, 2, 3, 4]);
/// let mut kept = None;
/// buffer.with_view(Request::FULL_RO, |view| kept = Some(view.shape().to_vec())).unwrap();
/// assert!(kept.is_some());
/// ```
struct EscapeFromTheCall;

/// A window is not mapped to memory that it does not hold.
///
/// ```compile_fail
/// use extbuf_protocol::{Buffer, Exporter, Refusal, Request, View};
/// let window = Buffer::from_vec(vec![1u8, 2]).window(Request::FULL_RO).unwrap();
/// let local = vec![3u8, 4];
/// let other = window.map(|_| Ok::<_, Refusal>(View::from_slice(&local))).unwrap();
/// drop(local);
/// assert_eq!(other.shape(), [2]);
/// ```
///
/// ```
/// use extbuf_protocol::{Buffer, Exporter, Refusal, Request, View};
/// let window = Buffer::from_vec(vec![1u8, 2]).window(Request::FULL_RO).unwrap();
/// let other = window.map(|_| Ok::<_, Refusal>(View::from_slice(&[3u8, 4]))).unwrap(); // valid for ever
/// assert_eq!(other.shape(), [2]);
/// ```
struct MappedToStrangeMemory;

/// While something is written, nothing else looks: two mutable views of one window do not coexist.
///
/// ```compile_fail,E0499
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let mut window = Buffer::from_vec(vec![1u8, 2]).window(Request::FULL).unwrap();
/// let mut first = window.view_mut().unwrap();
/// let mut second = window.view_mut().unwrap();
/// first.set(&[0], 7u8).unwrap();
/// second.set(&[0], 8u8).unwrap();
/// ```
///
/// ```
/// use extbuf_protocol::{Buffer, Exporter, Request};
/// let mut window = Buffer::from_vec(vec![1u8, 2]).window(Request::FULL).unwrap();
/// let (mut first, mut second) = window.view_mut().unwrap().split_at(0, 1).unwrap();
/// first.set(&[0], 7u8).unwrap();
/// second.set(&[0], 8u8).unwrap();
/// ```
struct TwoWriters;

/// Memory that only reads, however it was reached, has no way to write: a shared slice has no mutable view.
///
/// ```compile_fail,E0308
/// use extbuf_protocol::ViewMut;
/// let numbers = [1u8, 2];
/// let mut view = ViewMut::from_slice(&numbers);
/// view.set(&[0], 7u8).unwrap();
/// ```
///
/// ```
/// use extbuf_protocol::ViewMut;
/// let mut numbers = [1u8, 2];
/// let mut view = ViewMut::from_slice(&mut numbers);
/// view.set(&[0], 7u8).unwrap();
/// ```
struct WriteThroughASharedSlice;

/// Foreign memory stays on its thread: others may write it, and no lock of this crate keeps two of our threads apart.
///
/// ```compile_fail,E0277
/// use extbuf_protocol::{Foreign, Window};
/// fn to_another_thread(window: Window<'static, Foreign>) {
///     std::thread::spawn(move || window.shape().len());
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{Frozen, Window};
/// fn to_another_thread(window: Window<'static, Frozen>) {
///     std::thread::spawn(move || window.shape().len());
/// }
/// ```
struct ForeignOnAnotherThread;

/// Nor may two threads look at it together.
///
/// ```compile_fail,E0277
/// use extbuf_protocol::{Foreign, View};
/// fn together(view: View<'_, Foreign>) {
///     std::thread::scope(|scope| {
///         scope.spawn(|| view.len());
///     });
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{Frozen, View};
/// fn together(view: View<'_, Frozen>) {
///     std::thread::scope(|scope| {
///         scope.spawn(|| view.len());
///     });
/// }
/// ```
struct ForeignOnTwoThreads;

/// There is no reference to foreign bytes.
///
/// ```compile_fail,E0599
/// use extbuf_protocol::{Foreign, View};
/// fn bytes<'a>(view: View<'a, Foreign>) -> Option<&'a [u8]> {
///     view.as_bytes()
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{Frozen, View};
/// fn bytes<'a>(view: View<'a, Frozen>) -> Option<&'a [u8]> {
///     view.as_bytes()
/// }
/// ```
struct ReferenceToForeignBytes;

/// What an export borrows from its exporter cannot be made to last by naming the bound it is made from.
///
/// ```compile_fail,E0599
/// use extbuf_protocol::{Access, Frozen, Lease, Lends};
/// fn take<'m, 'd>(memory: impl Lends<'m, 'd, Frozen>) -> Lease<'m> {
///     memory.lease(Access::Read).unwrap()
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{Access, Lease, Memory};
/// fn take<'m, 'd>(memory: &'d Memory<'m>) -> Lease<'m> {
///     memory.lease(Access::Read).unwrap()
/// }
/// ```
struct TakeWhatIsLent;

/// Nobody but the writer behind a lock can write, so that nobody is left who could when it goes on reading: a writer is
/// no window, whose clone could.
///
/// ```compile_fail,E0599
/// use extbuf_protocol::{Buffer, Locked};
/// let lock = Locked::new(&Buffer::from_vec(vec![1u8, 2])).unwrap();
/// let writer = lock.write().unwrap();
/// let other = writer.clone();
/// let reader = writer.downgrade();
/// assert_eq!(other.view().shape(), reader.view().shape());
/// ```
///
/// ```
/// use extbuf_layout::s;
/// use extbuf_protocol::{Buffer, Locked};
/// let lock = Locked::new(&Buffer::from_vec(vec![1u8, 2])).unwrap();
/// let writer = lock.write().unwrap();
/// let other = writer.slice(s![..]).unwrap();
/// let reader = writer.downgrade();
/// assert_eq!(other.view().shape(), reader.view().shape());
/// ```
#[cfg(feature = "std")]
struct CloneOfAWriter;

/// Memory is vouched for, or it is not lent: who cannot say when it moves cannot say this.
///
/// ```compile_fail,E0200
/// use extbuf_protocol::{Access, Block, Owner};
/// struct Moves(Vec<u8>);
/// impl Owner for Moves {
///     fn block(&mut self) -> Block {
///         Block { base: self.0.as_mut_ptr(), len: self.0.len(), access: Access::Write }
///     }
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{Access, Block, Owner};
/// struct Stays(Vec<u8>);
/// // SAFETY: the vector is private, and nobody touches it.
/// unsafe impl Owner for Stays {
///     fn block(&mut self) -> Block {
///         Block { base: self.0.as_mut_ptr(), len: self.0.len(), access: Access::Write }
///     }
/// }
/// ```
struct OwnerWithoutAPromise;

/// A view that only reads is not for that a key: its items may be written by whoever comes next.
///
/// ```compile_fail,E0277
/// use std::hash::Hash;
/// use extbuf_protocol::View;
/// fn key<T: Hash>(_: T) {}
/// key(View::from_slice(&[1u8, 2]));
/// ```
///
/// ```
/// use std::hash::Hash;
/// use extbuf_protocol::View;
/// fn key<T: Hash>(_: T) {}
/// key(View::from_slice(&[1u8, 2]).as_bytes());
/// ```
struct HashOfAView;
