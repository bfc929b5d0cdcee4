//! DLPack: tensors of one scalar type in the CPU's memory, to and from other libraries, without copying.
//!
//! A tensor travels in a capsule, in one of two forms: as of version 1 with a version and flags, before it without.
//! Whoever takes the tensor out renames the capsule and calls the deleter when done; a capsule that nobody emptied
//! calls it itself. The deleter may be called on any thread, with or without the interpreter.
//!
//! The invariants:
//!
//! - **D1** a tensor that is handed out points into one [`Handed`] block, which its deleter frees, once;
//! - **D2** a tensor that is taken in is described truly by its fields until its deleter is called, which we do once.
// Builds and follows the structures of a C interface.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

use extbuf_format::{Code, Custom, Format, Item, Mark, Scalar};
use extbuf_layout::Layout;
use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::acquire::Acquired;
use crate::described::Described;
use crate::error;
use crate::lease::{Keep, Lease, Share};
use crate::reach::Address;
use crate::view::View;

#[repr(C)]
#[derive(Clone, Copy)]
struct Device {
    kind: i32,
    id: i32,
}

/// The CPU, and memory of other devices that the CPU reaches too: pinned for CUDA or ROCm, managed.
const CPU: i32 = 1;
const REACHED: [i32; 4] = [CPU, 3, 11, 13];

#[repr(C)]
#[derive(Clone, Copy)]
struct DataType {
    code: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
struct DlTensor {
    data: *mut c_void,
    device: Device,
    ndim: i32,
    dtype: DataType,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

/// The form without a version.
#[repr(C)]
struct Plain {
    tensor: DlTensor,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Plain)>,
}

#[repr(C)]
struct Version {
    major: u32,
    minor: u32,
}

/// The form of version 1.
#[repr(C)]
struct Versioned {
    version: Version,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Versioned)>,
    flags: u64,
    tensor: DlTensor,
}

const READ_ONLY: u64 = 1;
const IS_COPIED: u64 = 2;

const PLAIN: (&CStr, &CStr) = (c"dltensor", c"used_dltensor");
const VERSIONED: (&CStr, &CStr) = (c"dltensor_versioned", c"used_dltensor_versioned");

/// The names of the types of DLPack, as `Format` has them: code, bits and how they are written.
const NAMED: [(u8, u8, &str); 9] = [
    (4, 16, "bfloat16"),
    (7, 8, "float8_e3m4"),
    (8, 8, "float8_e4m3"),
    (9, 8, "float8_e4m3b11fnuz"),
    (10, 8, "float8_e4m3fn"),
    (11, 8, "float8_e4m3fnuz"),
    (12, 8, "float8_e5m2"),
    (13, 8, "float8_e5m2fnuz"),
    (14, 8, "float8_e8m0fnu"),
];

/// The scalar types of DLPack: code, bits and the letter.
const SCALARS: [(u8, u8, Code); 16] = [
    (0, 8, Code::SignedChar),
    (0, 16, Code::Short),
    (0, 32, Code::Int),
    (0, 64, Code::LongLong),
    (1, 8, Code::UnsignedChar),
    (1, 16, Code::UnsignedShort),
    (1, 32, Code::UnsignedInt),
    (1, 64, Code::UnsignedLongLong),
    (2, 16, Code::Half),
    (2, 32, Code::Float),
    (2, 64, Code::Double),
    (3, 64, Code::VoidPointer),
    (5, 32, Code::ComplexHalf),
    (5, 64, Code::ComplexFloat),
    (5, 128, Code::ComplexDouble),
    (6, 8, Code::Bool),
];

/// The type of an item, or why DLPack has none.
fn data_type(format: &Format) -> Result<DataType, String> {
    let of = |code, bits| Ok(DataType { code, bits, lanes: 1 });
    match format.item() {
        Item::Custom(custom) => {
            let native = custom.storage().as_scalar().is_some_and(|storage| !storage.is_swapped());
            match NAMED.iter().find(|(_, bits, name)| *name == custom.name() && fits(custom, *bits)) {
                Some(&(code, bits, _)) if native => of(code, bits),
                Some(_) => Err(format!("the byte order of '{format}' is not this machine's")),
                None => Err(format!("DLPack has no type for '{format}'")),
            }
        }
        Item::Scalar(scalar) => {
            if scalar.is_swapped() {
                return Err(format!(
                    "the byte order of '{format}' is not this machine's, and DLPack has no other"
                ));
            }
            let bits = 8 * scalar.itemsize();
            let same = |&&(_, width, code): &&(u8, u8, Code)| {
                usize::from(width) == bits && code.kind() == scalar.kind()
            };
            match SCALARS.iter().find(same) {
                Some(&(code, bits, _)) => of(code, bits),
                None => Err(format!("DLPack has no type for '{format}'")),
            }
        }
        _ => Err(format!("DLPack has one scalar type for a tensor, and '{format}' is none")),
    }
}

fn fits(custom: &Custom, bits: u8) -> bool {
    8 * custom.storage().itemsize() == usize::from(bits)
}

/// The format of a type, or why there is none.
fn format_of(dtype: DataType) -> Result<Format, String> {
    let DataType { code, bits, lanes } = dtype;
    let one = if let Some((.., name)) = NAMED.iter().find(|(c, b, _)| (*c, *b) == (code, bits)) {
        Format::parse(&format!("[{name}]")).map_err(|error| error.to_string())?
    } else {
        let found = SCALARS.iter().find(|(c, b, _)| (*c, *b) == (code, bits));
        match found {
            Some(&(.., letter)) => Format::scalar(Scalar::new(letter, Mark::Native)),
            None => return Err(format!("no format has the DLPack type of code {code} with {bits} bits")),
        }
    };
    match lanes {
        1 => Ok(one),
        // A vector in one item.
        lanes => Format::array(&[usize::from(lanes)], one).map_err(|error| error.to_string()),
    }
}

/// What one tensor that was handed out points to.
struct Handed<T> {
    managed: T,
    /// Shape and strides.
    _numbers: Box<[i64]>,
    /// Keeps the memory.
    _share: Share,
}

/// A view's items as a capsule.
///
/// # Errors
///
/// `BufferError` with the reason why DLPack cannot say them.
pub(crate) fn hand_out<'py>(
    py: Python<'py>,
    (share, base): (Share, Address),
    (layout, item): (&Layout, &Described),
    readonly: bool,
    copied: bool,
    versioned: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let refuse = |why: String| PyBufferError::new_err(why);
    if !layout.is_direct() {
        return Err(refuse("DLPack follows no pointers; copy the view first".into()));
    }
    if readonly && !versioned {
        let message =
            "the memory is for reading only, which a consumer that asks for no DLPack version cannot be told";
        return Err(refuse(message.into()));
    }
    let dtype = data_type(item.format()?).map_err(refuse)?;
    let itemsize = layout.itemsize() as isize;
    let mut numbers: Vec<i64> = layout.shape().iter().map(|&extent| extent as i64).collect();
    for (axis, (&stride, &extent)) in layout.strides(0).iter().zip(layout.shape()).enumerate() {
        if stride % itemsize != 0 && extent > 1 {
            return Err(refuse(format!(
                "DLPack counts strides in items, and the {stride} bytes of axis {axis} are no whole number of items \
                 of {itemsize} bytes"
            )));
        }
        numbers.push((stride / itemsize) as i64);
    }
    let (mut numbers, ndim) = (numbers.into_boxed_slice(), layout.ndim());
    let shape = numbers.as_mut_ptr();
    let tensor = DlTensor {
        data: base.get().wrapping_offset(layout.offset(0)).cast(),
        device: Device { kind: CPU, id: 0 },
        ndim: ndim as i32,
        dtype,
        shape,
        strides: shape.wrapping_add(ndim),
        byte_offset: 0,
    };
    if versioned {
        let flags = if readonly { READ_ONLY } else { 0 } | if copied { IS_COPIED } else { 0 };
        let version = Version { major: 1, minor: 0 };
        let deleter = Some(delete_versioned as unsafe extern "C" fn(*mut Versioned));
        let managed = Versioned { version, context: std::ptr::null_mut(), deleter, flags, tensor };
        let handed = Box::into_raw(Box::new(Handed { managed, _numbers: numbers, _share: share }));
        // SAFETY: D1: the block that was made just now.
        unsafe { (*handed).managed.context = handed.cast() };
        // SAFETY: as above; the place of a field in it.
        let managed = unsafe { &raw mut (*handed).managed };
        capsule(py, managed.cast(), VERSIONED.0, empty_versioned)
    } else {
        let deleter = Some(delete_plain as unsafe extern "C" fn(*mut Plain));
        let managed = Plain { tensor, context: std::ptr::null_mut(), deleter };
        let handed = Box::into_raw(Box::new(Handed { managed, _numbers: numbers, _share: share }));
        // SAFETY: D1: the block that was made just now.
        unsafe { (*handed).managed.context = handed.cast() };
        // SAFETY: as above; the place of a field in it.
        let managed = unsafe { &raw mut (*handed).managed };
        capsule(py, managed.cast(), PLAIN.0, empty_plain)
    }
}

fn capsule<'py>(
    py: Python<'py>,
    managed: *mut c_void,
    name: &'static CStr,
    empty: unsafe extern "C" fn(*mut ffi::PyObject),
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: an attached thread, an address that is not null, a name that lives for ever.
    let object = unsafe { ffi::PyCapsule_New(managed, name.as_ptr(), Some(empty)) };
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, object) }
}

/// Frees what was handed out. Where there is no interpreter any more, its memory has nobody to be given back to.
///
/// # Safety
///
/// D1: the context of a tensor of ours, whose deleter is called for the first time.
unsafe fn free<T>(context: *mut c_void) {
    // SAFETY: D1.
    let handed = unsafe { Box::from_raw(context.cast::<Handed<T>>()) };
    let mut handed = Some(handed);
    Python::try_attach(|_| drop(handed.take()));
    std::mem::forget(handed);
}

/// # Safety
///
/// Called by a consumer, once, with the tensor that it was given.
unsafe extern "C" fn delete_plain(managed: *mut Plain) {
    // SAFETY: D1: a field of the block.
    let context = unsafe { (*managed).context };
    // SAFETY: the contract.
    unsafe { free::<Plain>(context) };
}

/// # Safety
///
/// Called by a consumer, once, with the tensor that it was given.
unsafe extern "C" fn delete_versioned(managed: *mut Versioned) {
    // SAFETY: D1: a field of the block.
    let context = unsafe { (*managed).context };
    // SAFETY: the contract.
    unsafe { free::<Versioned>(context) };
}

/// The tensor in a capsule that nobody emptied.
///
/// # Safety
///
/// A capsule, on an attached thread.
unsafe fn inside<T>(capsule: *mut ffi::PyObject, name: &CStr) -> Option<NonNull<T>> {
    // SAFETY: the contract.
    if unsafe { ffi::PyCapsule_IsValid(capsule, name.as_ptr()) } == 0 {
        return None;
    }
    // SAFETY: as above, under the name that it has.
    NonNull::new(unsafe { ffi::PyCapsule_GetPointer(capsule, name.as_ptr()) }.cast())
}

/// # Safety
///
/// Called by the interpreter for a capsule of ours that goes.
unsafe extern "C" fn empty_plain(capsule: *mut ffi::PyObject) {
    // SAFETY: the contract.
    if let Some(managed) = unsafe { inside::<Plain>(capsule, PLAIN.0) } {
        // SAFETY: nobody took the tensor, so nobody else calls its deleter.
        unsafe { delete_plain(managed.as_ptr()) };
    }
}

/// # Safety
///
/// Called by the interpreter for a capsule of ours that goes.
unsafe extern "C" fn empty_versioned(capsule: *mut ffi::PyObject) {
    // SAFETY: the contract.
    if let Some(managed) = unsafe { inside::<Versioned>(capsule, VERSIONED.0) } {
        // SAFETY: nobody took the tensor, so nobody else calls its deleter.
        unsafe { delete_versioned(managed.as_ptr()) };
    }
}

/// A tensor of another library, deleted on drop.
pub(crate) enum Tensor {
    Plain(NonNull<c_void>),
    Versioned(NonNull<c_void>),
}

// SAFETY: DLPack lets the deleter be called on any thread, and the fields are not changed meanwhile (D2).
unsafe impl Send for Tensor {}
// SAFETY: as above; a shared reference only reads.
unsafe impl Sync for Tensor {}

impl Tensor {
    fn described(&self) -> &DlTensor {
        match self {
            // SAFETY: D2.
            Tensor::Plain(managed) => unsafe { &(*managed.as_ptr().cast::<Plain>()).tensor },
            // SAFETY: D2.
            Tensor::Versioned(managed) => unsafe { &(*managed.as_ptr().cast::<Versioned>()).tensor },
        }
    }

    fn is_readonly(&self) -> bool {
        match self {
            // Before version 1 nobody could say so; to write what may not be written is worse than the reverse.
            Tensor::Plain(_) => true,
            Tensor::Versioned(managed) => {
                // SAFETY: D2.
                let flags = unsafe { (*managed.as_ptr().cast::<Versioned>()).flags };
                flags & READ_ONLY != 0
            }
        }
    }
}

impl Drop for Tensor {
    fn drop(&mut self) {
        match self {
            Tensor::Plain(managed) => {
                let managed: *mut Plain = managed.as_ptr().cast();
                // SAFETY: D2.
                if let Some(deleter) = unsafe { (*managed).deleter } {
                    // SAFETY: D2: once.
                    unsafe { deleter(managed) };
                }
            }
            Tensor::Versioned(managed) => {
                let managed: *mut Versioned = managed.as_ptr().cast();
                // SAFETY: D2.
                if let Some(deleter) = unsafe { (*managed).deleter } {
                    // SAFETY: D2: once.
                    unsafe { deleter(managed) };
                }
            }
        }
    }
}

/// Look at a tensor of another library that speaks DLPack, without copying.
///
/// The tensor must be in memory that the CPU reaches. What speaks only DLPack before version 1 cannot say whether it
/// may be written, so the view is for reading then.
#[pyfunction]
#[pyo3(signature = (x, /, *, copy=None))]
fn from_dlpack(x: &Bound<'_, PyAny>, copy: Option<bool>) -> PyResult<View> {
    let py = x.py();
    let device = x.call_method0("__dlpack_device__")?;
    let kind: i32 = device.get_item(0)?.extract()?;
    if !REACHED.contains(&kind) {
        let message =
            format!("the tensor is on a device of DLPack's kind {kind}, which the CPU does not reach");
        return Err(PyBufferError::new_err(message));
    }
    let keywords = PyDict::new(py);
    keywords.set_item("max_version", PyTuple::new(py, [1, 0])?)?;
    keywords.set_item("copy", copy)?;
    let capsule = match x.call_method("__dlpack__", (), Some(&keywords)) {
        // Who does not know the keywords knows the older form; whether it copies is then for us to do.
        Err(error) if error.is_instance_of::<PyTypeError>(py) => x.call_method0("__dlpack__")?,
        other => other?,
    };
    let taken = take(&capsule)?;
    let view = View::of(lend(py, taken)?);
    match copy {
        Some(true) => view.copy_of(py),
        _ => Ok(view),
    }
}

/// Takes the tensor out of a capsule.
fn take(capsule: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    let object = capsule.as_ptr();
    // SAFETY: an attached thread; any object is asked what it is.
    if unsafe { ffi::PyCapsule_CheckExact(object) } == 0 {
        return Err(PyTypeError::new_err("__dlpack__ gave no capsule"));
    }
    // SAFETY: a capsule.
    let (tensor, used) = if let Some(managed) = unsafe { inside::<Versioned>(object, VERSIONED.0) } {
        // SAFETY: D2: the version stands first in every version.
        let major = unsafe { (*managed.as_ptr()).version.major };
        if major != 1 {
            let message = format!("the tensor is of DLPack version {major}, and version 1 is understood");
            return Err(PyBufferError::new_err(message));
        }
        (Tensor::Versioned(managed.cast()), VERSIONED.1)
    } else {
        // SAFETY: a capsule.
        match unsafe { inside::<Plain>(object, PLAIN.0) } {
            Some(managed) => (Tensor::Plain(managed.cast()), PLAIN.1),
            None => {
                let message = "the capsule holds no tensor, or somebody has taken it";
                return Err(PyBufferError::new_err(message));
            }
        }
    };
    // SAFETY: a capsule; a name that lives for ever.
    if unsafe { ffi::PyCapsule_SetName(object, used.as_ptr()) } != 0 {
        // Still the capsule's.
        std::mem::forget(tensor);
        return Err(PyErr::fetch(capsule.py()));
    }
    Ok(tensor)
}

fn lend(py: Python<'_>, tensor: Tensor) -> PyResult<Acquired> {
    let refuse = |why: String| PyBufferError::new_err(why);
    let readonly = tensor.is_readonly();
    let said = tensor.described();
    if !REACHED.contains(&said.device.kind) {
        let kind = said.device.kind;
        return Err(refuse(format!(
            "the tensor is on a device of DLPack's kind {kind}, which the CPU does not reach"
        )));
    }
    let format = format_of(said.dtype).map_err(refuse)?;
    let ndim = usize::try_from(said.ndim).map_err(|_| refuse(format!("{} axes", said.ndim)))?;
    let numbers = |start: *mut i64| {
        if start.is_null() || ndim == 0 {
            return None;
        }
        // SAFETY: D2: as many numbers as there are axes.
        Some(unsafe { std::slice::from_raw_parts(start.cast_const(), ndim) })
    };
    let shape = numbers(said.shape).unwrap_or(&[]);
    if shape.len() != ndim {
        return Err(refuse("the tensor has axes and no shape".into()));
    }
    let extents: Result<Vec<usize>, _> = shape.iter().map(|&extent| usize::try_from(extent)).collect();
    let extents = extents.map_err(|_| refuse(format!("the tensor claims the shape {shape:?}")))?;
    let itemsize = format.itemsize();
    let layout = match numbers(said.strides) {
        None => Layout::contiguous(itemsize, &extents, extbuf_layout::Order::C),
        Some(strides) => {
            let bytes = |&stride: &i64| isize::try_from(stride).ok()?.checked_mul(itemsize as isize);
            let strides: Option<Vec<isize>> = strides.iter().map(bytes).collect();
            let strides = strides.ok_or_else(|| refuse("the strides do not fit memory".into()))?;
            Layout::strided(itemsize, &extents, &strides, 0)
        }
    };
    let layout = layout.map_err(error::layout)?;
    let base = Address::new(said.data.cast::<u8>().wrapping_add(said.byte_offset as usize));
    let item = Described::with_format(&format.to_string(), format);
    let share = Lease::of_own(py, Keep::Tensor(tensor))?;
    Ok(Acquired { share, base, layout, item, readonly })
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(from_dlpack, module)?)
}
