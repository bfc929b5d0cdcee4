//! Vectors of a type out of views of any layout, against collecting the items one by one.

use extbuf_copy::to_vec_of;
use extbuf_layout::{Order, Slice};
use extbuf_protocol::{Be, Exporter, Request, Rows, TypedView, Unaligned, View};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_vector_holds_the_items_in_the_order_asked_for(
        height in 0usize..6,
        width in 0usize..6,
        steps in prop::collection::vec(prop_oneof![1isize..4, -3isize..0], 3),
        turn in any::<bool>(),
    ) {
        let rows = (0..height).map(|y| (0..width * 3).map(|x| (y * 100 + x) as u32).collect());
        let rows = Rows::from_vecs(rows.collect::<Vec<Vec<u32>>>(), &[width, 3]).unwrap();
        let window = rows.window(Request::FULL_RO).unwrap();
        let mut view = window.view().typed::<u32>().unwrap();
        for (axis, &step) in steps.iter().enumerate() {
            view = view.slice_axis(axis, Slice::FULL.by(step)).unwrap();
        }
        let view = if turn { view.permute(&[2, 0, 1]).unwrap() } else { view };
        prop_assert_eq!(to_vec_of(&view, Order::C).unwrap(), view.values().collect::<Vec<_>>());
        let turned = view.clone().transpose();
        prop_assert_eq!(to_vec_of(&view, Order::F).unwrap(), turned.values().collect::<Vec<_>>());
        let unaligned = view.into_view().typed::<Unaligned<u32>>().unwrap();
        prop_assert_eq!(to_vec_of(&unaligned, Order::C).unwrap(), unaligned.values().collect::<Vec<_>>());
    }
}

#[test]
fn items_of_another_byte_order_and_items_without_bytes() {
    let numbers = [Be::new(1u16), Be::new(2), Be::new(770)];
    let view = TypedView::from_slice(&numbers).reverse_axis(0).unwrap();
    let numbers: Vec<u16> = to_vec_of(&view, Order::C).unwrap().into_iter().map(Be::get).collect();
    assert_eq!(numbers, [770, 2, 1]);

    let nothing = [[0u16; 0]; 7];
    let view = View::from_slice(&nothing).typed::<[u16; 0]>().unwrap();
    assert_eq!(to_vec_of(&view, Order::C).unwrap().len(), 7);
}

#[cfg(target_pointer_width = "64")]
#[test]
fn more_than_there_is_memory_for_is_refused() {
    let one = [1u64];
    let view = TypedView::from_slice(&one).broadcast_to(&[1 << 40, 1 << 19]).unwrap();
    assert!(to_vec_of(&view, Order::C).is_err());
}
