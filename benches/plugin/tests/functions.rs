//! The five functions, called as a harness calls them.

use std::ptr;

use extbuf_plugin::{CaseC, Work, indirect_prepare, peer_free, peer_out, peer_prepare, peer_run};

fn case(shape: &[usize], sstr: &[isize], dstr: &[isize], src: &[u32], dst: &mut [u32]) -> CaseC {
    CaseC {
        ndim: shape.len(),
        elem: 4,
        op: 0,
        threads: 1,
        shape: shape.as_ptr(),
        sstr: sstr.as_ptr(),
        dstr: dstr.as_ptr(),
        src: src.as_ptr().cast(),
        dst: dst.as_mut_ptr().cast(),
        src_base: src.as_ptr().cast(),
        src_bytes: size_of_val(src),
        dst_base: dst.as_mut_ptr().cast(),
        dst_bytes: size_of_val(dst),
    }
}

/// Runs it three times, asks where the result is, and frees it.
fn run_and_free(work: *mut Work) {
    assert!(!work.is_null());
    // SAFETY: it is not null, and the buffers of the caller live on.
    let nanoseconds = unsafe { peer_run(work, 3) };
    assert!(nanoseconds >= 0.0);
    assert!(peer_out(work, ptr::null_mut()).is_null());
    // SAFETY: used for the last time.
    unsafe { peer_free(work) };
}

#[test]
fn a_transposed_array_arrives_by_every_name_and_number_of_threads() {
    let src: Vec<u32> = (0..70 * 90).collect();
    for (name, threads) in [(c"ours", 1), (c"ours", 2), (c"ours_once", 1), (c"ours_once", 2)] {
        let mut dst = vec![u32::MAX; src.len()];
        let (shape, sstr, dstr) = ([90, 70], [1, 90], [70, 1]);
        let mut case = case(&shape, &sstr, &dstr, &src, &mut dst);
        case.threads = threads;
        // SAFETY: both arrays hold 90 x 70 items and live until the work is freed.
        run_and_free(unsafe { peer_prepare(name.as_ptr(), &raw const case) });
        let right = (0..90).flat_map(|i| (0..70).map(move |j| j * 90 + i));
        assert!(dst.iter().copied().eq(right), "{name:?} on {threads}");
    }
}

#[test]
fn one_item_without_axes_is_a_copy_too() {
    let (src, mut dst) = ([7u32], [0u32]);
    let case = case(&[], &[], &[], &src, &mut dst);
    // SAFETY: one item on either side.
    run_and_free(unsafe { peer_prepare(c"ours".as_ptr(), &raw const case) });
    assert_eq!(dst, [7]);
}

#[test]
fn what_is_not_offered_is_null() {
    let (src, mut dst) = ([7u32; 4], [0u32; 4]);
    let mut case = case(&[4], &[1], &[1], &src, &mut dst);
    case.op = 99;
    // SAFETY: four items on either side.
    assert!(unsafe { peer_prepare(c"ours".as_ptr(), &raw const case) }.is_null());
    // A destination that overlaps itself.
    case.op = 0;
    case.dstr = [0isize].as_ptr();
    // SAFETY: the same.
    assert!(unsafe { peer_prepare(c"ours".as_ptr(), &raw const case) }.is_null());
}

#[test]
fn numbers_are_converted_and_bytes_swapped() {
    let (src, mut dst) = ([1u32, 0x0203_0405], [0u32; 2]);
    let mut case = case(&[2], &[1], &[1], &src, &mut dst);
    case.op = 3;
    for name in [c"ours", c"ours_once"] {
        // SAFETY: two items on either side.
        run_and_free(unsafe { peer_prepare(name.as_ptr(), &raw const case) });
    }
    assert_eq!(dst, [0x0100_0000, 0x0504_0302]);

    let (doubles, mut floats) = ([1.5f64, -2.25], [0f32; 2]);
    (case.op, case.elem) = (1, 8);
    (case.src, case.dst) = (doubles.as_ptr().cast(), floats.as_mut_ptr().cast());
    case.sstr = [-1isize].as_ptr();
    case.src = case.src.wrapping_add(8);
    // SAFETY: two items on either side, the source from its last to its first.
    run_and_free(unsafe { peer_prepare(c"ours".as_ptr(), &raw const case) });
    assert_eq!(floats, [-2.25, 1.5]);
}

#[test]
fn rows_are_cropped_stepped_and_turned() {
    let rows: Vec<Vec<u16>> = (0..6).map(|row| (0..10).map(|column| row * 100 + column).collect()).collect();
    let table: Vec<*const u8> = rows.iter().map(|row| row.as_ptr().cast()).collect();
    let mut dst = vec![0u16; 2 * 4];
    for (transposed, right) in
        [(0, [101, 103, 105, 107, 401, 403, 405, 407]), (1, [101, 401, 103, 403, 105, 405, 107, 407])]
    {
        let spec = [1, 6, 3, 1, 8, 2, transposed];
        let to = dst.as_mut_ptr().cast();
        // SAFETY: six rows of ten items, and room for 2 x 4.
        let work = unsafe { indirect_prepare(c"ours".as_ptr(), table.as_ptr(), 2, 1, spec.as_ptr(), to) };
        run_and_free(work);
        assert_eq!(dst, right);
    }
}
