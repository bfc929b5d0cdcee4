//! What the compiler keeps of typed views, as forbidden programs beside their passing twins. See the module `lifetimes`.

/// Two mutable references to one item do not come from one view.
///
/// ```compile_fail,E0499
/// use extbuf_protocol::ViewMut;
/// let mut numbers = [1u8, 2];
/// let mut view = ViewMut::from_slice(&mut numbers).typed::<u8>().unwrap();
/// let first = view.get_mut(&[0]).unwrap();
/// let second = view.get_mut(&[0]).unwrap();
/// *first = 3;
/// *second = 4;
/// ```
///
/// ```
/// use extbuf_protocol::ViewMut;
/// let mut numbers = [1u8, 2];
/// let mut view = ViewMut::from_slice(&mut numbers).typed::<u8>().unwrap();
/// let mut items = view.iter_mut(); // each item once
/// let first = items.next().unwrap();
/// let second = items.next().unwrap();
/// *first = 3;
/// *second = 4;
/// ```
struct ItemTwiceForWriting;

/// Nothing is written while an item is looked at.
///
/// ```compile_fail,E0502
/// use extbuf_protocol::ViewMut;
/// let mut numbers = [1u8, 2];
/// let mut view = ViewMut::from_slice(&mut numbers).typed::<u8>().unwrap();
/// let item = &view[[0]];
/// view.set(&[0], 3).unwrap();
/// assert_eq!(*item, 1);
/// ```
///
/// ```
/// use extbuf_protocol::ViewMut;
/// let mut numbers = [1u8, 2];
/// let mut view = ViewMut::from_slice(&mut numbers).typed::<u8>().unwrap();
/// let item = view[[0]];
/// view.set(&[0], 3).unwrap();
/// assert_eq!(item, 1);
/// ```
struct WrittenWhileLookedAt;

/// A mutable walk cannot be walked twice.
///
/// ```compile_fail,E0599
/// use extbuf_protocol::ViewMut;
/// let mut numbers = [1u8, 2];
/// let view = ViewMut::from_slice(&mut numbers).typed::<u8>().unwrap();
/// let items = view.into_iter();
/// let again = items.clone();
/// assert_eq!(items.count() + again.count(), 4);
/// ```
///
/// ```
/// use extbuf_protocol::View;
/// let numbers = [1u8, 2];
/// let view = View::from_slice(&numbers).typed::<u8>().unwrap();
/// let items = view.into_iter();
/// let again = items.clone();
/// assert_eq!(items.count() + again.count(), 4);
/// ```
struct MutableWalkCloned;

/// References to items do not outlive the memory.
///
/// ```compile_fail,E0597
/// use extbuf_protocol::View;
/// let first = {
///     let numbers = vec![1u8, 2];
///     View::from_slice(&numbers).typed::<u8>().unwrap().iter().next().unwrap()
/// };
/// assert_eq!(*first, 1);
/// ```
///
/// ```
/// use extbuf_protocol::View;
/// let numbers = vec![1u8, 2];
/// let first = {
///     // The view may go; the items are the memory's.
///     View::from_slice(&numbers).typed::<u8>().unwrap().iter().next().unwrap()
/// };
/// assert_eq!(*first, 1);
/// ```
struct ItemBeyondTheMemory;

/// Foreign memory lends no references to items, only values.
///
/// ```compile_fail,E0599
/// use extbuf_protocol::{Foreign, TypedView};
/// fn sum(view: &TypedView<'_, u32, Foreign>) -> u32 {
///     view.iter().sum()
/// }
/// ```
///
/// ```compile_fail,E0608
/// use extbuf_protocol::{Foreign, TypedView};
/// fn first(view: &TypedView<'_, u32, Foreign>) -> u32 {
///     view[[0]]
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{Foreign, TypedView};
/// fn sum(view: &TypedView<'_, u32, Foreign>) -> u32 {
///     view.values().sum()
/// }
/// fn first(view: &TypedView<'_, u32, Foreign>) -> u32 {
///     view.get(&[0]).unwrap()
/// }
/// ```
struct ReferenceIntoForeignMemory;

/// Bytes that may be anything are not a `bool` by value alone.
///
/// ```compile_fail,E0277
/// use extbuf_protocol::{Foreign, TypedView};
/// fn count(view: &TypedView<'_, bool, Foreign>) -> usize {
///     view.values().filter(|set| *set).count()
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{Frozen, TypedView};
/// fn count(view: &TypedView<'_, bool, Frozen>) -> usize {
///     view.iter().filter(|set| **set).count()
/// }
/// ```
struct BoolsWrittenByOthers;

/// Walks of frozen memory go to other threads, those of foreign memory stay.
///
/// ```compile_fail,E0277
/// use extbuf_protocol::{Foreign, Values};
/// fn send<T: Send>() {}
/// send::<Values<'static, u8, Foreign>>();
/// ```
///
/// ```compile_fail,E0277
/// use extbuf_protocol::{Foreign, TypedViewMut};
/// fn send<T: Send>() {}
/// send::<TypedViewMut<'static, u8, Foreign>>();
/// ```
///
/// ```
/// use extbuf_protocol::{AxisIterMut, Iter, IterMut, Slices, SlicesMut, TypedView, TypedViewMut, Values};
/// fn send<T: Send + Sync>() {}
/// send::<TypedView<'static, u8>>();
/// send::<TypedViewMut<'static, u8>>();
/// send::<Iter<'static, u8>>();
/// send::<IterMut<'static, u8>>();
/// send::<Values<'static, u8>>();
/// send::<Slices<'static, u8>>();
/// send::<SlicesMut<'static, u8>>();
/// send::<AxisIterMut<'static>>();
/// ```
struct ForeignWalkOnAnotherThread;

/// No bytes are written behind the back of a proof: a part of a `bool` view does not become one that takes any bytes.
///
/// ```compile_fail,E0277
/// use extbuf_protocol::{TypedViewMut, ViewMut};
/// fn any_bytes<'v>(view: &'v mut TypedViewMut<'_, bool>) -> ViewMut<'v> {
///     view.reborrow().into_view()
/// }
/// ```
///
/// ```
/// use extbuf_protocol::{TypedViewMut, ViewMut};
/// fn any_bytes<'v>(view: &'v mut TypedViewMut<'_, u8>) -> ViewMut<'v> {
///     view.reborrow().into_view()
/// }
/// ```
struct BytesBehindTheProof;
