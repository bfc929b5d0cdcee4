//! Any bits as a request of any layout: refused, or a grant that promises what was asked and nothing that the layout
//! does not hold.
#![no_main]

use extbuf_layout::{Layout, LayoutSpec, LevelSpec, Order};
use extbuf_protocol::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u32, u8, Vec<(u8, i8, i8)>, bool)| {
    let (bits, itemsize, axes, load) = input;
    let shape: Vec<isize> = axes.iter().map(|&(extent, _, _)| isize::from(extent % 5)).collect();
    let table: Vec<isize> = axes.iter().map(|&(_, stride, _)| isize::from(stride)).collect();
    let row: Vec<isize> = axes.iter().map(|&(_, _, stride)| isize::from(stride)).collect();
    let levels = [LevelSpec { offset: 0, strides: &table }, LevelSpec { offset: 0, strides: &row }];
    let levels = if load { &levels[..] } else { &levels[..1] };
    let Ok(layout) = Layout::new(&LayoutSpec { itemsize: usize::from(itemsize), shape: &shape, levels })
    else {
        return;
    };
    let Ok(request) = Request::from_bits(bits) else { return };
    assert_eq!(request.bits(), bits);
    let Ok(grant) = request.check(&layout) else { return };
    assert_eq!(grant.writable, request.wants_writable());
    assert!(grant.strides || layout.is_contiguous(Order::C));
    assert!(!grant.loads || !layout.is_direct());
    assert!(layout.is_direct() || grant.loads);
});
