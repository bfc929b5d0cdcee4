//! The caller's pool is the one that is used, as far as it reaches, and any pool gives what the slow twin gives.
#![cfg(feature = "rayon")]

mod common;

use common::{cases, large_cases};
use extbuf_copy::{CopyOptions, Threads, to_vec};
use extbuf_layout::Order;
use extbuf_protocol::View;
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;

#[test]
fn the_pool_that_the_caller_is_in() {
    let numbers: Vec<u32> = (0..2 << 20).collect();
    let view = View::from_slice(&numbers).reverse_axis(0).unwrap();
    let bytes = to_vec(&view, Order::C).unwrap();
    for size in [1, 2, 3, 5] {
        let pool = ThreadPoolBuilder::new().num_threads(size).build().unwrap();
        for (threads, expected) in [
            (Threads::Pool, size),
            (Threads::ONE, 1),
            (Threads::AtMost(2), size.min(2)),
            (Threads::AtMost(100), size),
            (Threads::AtMost(0), 1),
        ] {
            let options = CopyOptions { threads, ..CopyOptions::default() };
            let (copied, report) = pool.install(|| options.to_vec(&view, Order::C)).unwrap();
            assert_eq!(report.threads, expected, "{threads:?} in a pool of {size}");
            assert!(copied == bytes);
        }
    }
}

#[test]
fn short_copies_stay_on_the_calling_thread() {
    let view = View::from_slice(&[1u8; 100_000]).reverse_axis(0).unwrap();
    let report = CopyOptions::default().to_vec(&view, Order::C).unwrap().1;
    assert_eq!((report.parts, report.threads), (1, 1));
}

fn pools() -> &'static [rayon::ThreadPool] {
    static POOLS: std::sync::OnceLock<Vec<rayon::ThreadPool>> = std::sync::OnceLock::new();
    POOLS.get_or_init(|| (1..=4).map(|n| ThreadPoolBuilder::new().num_threads(n).build().unwrap()).collect())
}

/// One plan on a pool of so many threads, in more parts than there are.
fn check(case: &common::Case, pool: usize) -> Result<(), TestCaseError> {
    let mut laid = case.lay();
    let expected = case.expected(&laid);
    let plan = extbuf_copy::Plan::new(&laid.dst, &laid.src).unwrap().with_parts(11);
    let (dst, src) = laid.bases();
    let bases = (dst as usize, src as usize);
    pools()[pool].install(|| {
        let (dst, src) = (bases.0 as *mut u8, bases.1 as *const u8);
        // SAFETY: the arena holds both sides, which do not overlap.
        #[allow(unsafe_code)]
        let report = unsafe { CopyOptions::default().run(&plan, dst, src) }.unwrap();
        assert!(report.threads <= pool + 1);
    });
    prop_assert!(laid.arena == expected, "differs:\n{plan}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_layouts_on_any_pool(case in cases(3), pool in 0usize..4) {
        check(&case, pool)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(common::share(40)) })]

    #[test]
    fn tiles_on_any_pool(case in large_cases(), pool in 0usize..4) {
        check(&case, pool)?;
    }
}
