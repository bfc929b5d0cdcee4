//! Any bytes as an `.npy` file: refused, or a header whose items lie in the file; its bytes can be read as values, and
//! written and read again the header says the same.
#![no_main]

// The program's own modules, as they are; what only the rest of the program uses is not used here.
#[allow(dead_code)]
#[path = "../../crates/extbuf-cli/src/npy/mod.rs"]
mod npy;

use extbuf::layout::Order;
use extbuf::protocol::{Array, Exporter, Memory, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let npy::Header { format, layout } = match npy::read(file) {
        Ok(header) => header,
        Err(message) => {
            assert!(!message.is_empty());
            return;
        }
    };
    let order = if layout.is_contiguous(Order::C) { Order::C } else { Order::F };
    let shape = layout.shape().to_vec();
    // What fits no extent of NumPy's is the file's own affair.
    if let Ok(mut again) = npy::write(&format, &shape, order) {
        again.extend(vec![0; layout.nbytes()]);
        let again = npy::read(&again).unwrap_or_else(|error| panic!("{format} {shape:?}: {error}"));
        assert_eq!(again.format, format);
        assert_eq!(again.layout.shape(), shape);
        assert!(again.layout.is_contiguous(order));
    }
    let array = Array::new(Memory::from_vec(file.to_vec()), layout, format).expect("items in the file");
    let Ok(window) = array.window(Request::FULL_RO) else { panic!("a window of what can be read") };
    let view = window.view();
    if view.is_empty() || view.itemsize() > 1 << 12 {
        return;
    }
    let last: Vec<usize> = shape.iter().map(|&extent| extent - 1).collect();
    for index in [vec![0; shape.len()], last] {
        if let Ok(value) = view.value(&index) {
            assert!(!value.to_string().is_empty());
        }
    }
});
