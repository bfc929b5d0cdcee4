//! Any two format texts over any bytes: no way from one to the other, a value that is refused with nothing written, or
//! what each item makes by itself.
#![no_main]

use extbuf_copy::{CopyErrorKind, CopyOptions, FieldRules, Mode, ViewPlan};
use extbuf_format::{Dialect, Format};
use extbuf_layout::{Layout, Order};
use extbuf_protocol::{Array, Exporter, Memory, Request, Window};
use libfuzzer_sys::fuzz_target;

fn items(format: &Format, bytes: Vec<u8>, count: usize) -> Option<Window<'static>> {
    let layout = Layout::contiguous(format.itemsize(), &[count], Order::C).ok()?;
    let array = Array::new(Memory::from_vec(bytes), layout, format.clone()).expect("the layout of the block");
    array.window(Request::FULL).ok()
}

fn bytes(window: &Window<'_>) -> Vec<u8> {
    window.view().as_bytes().expect("contiguous").to_vec()
}

fuzz_target!(|input: (&str, &str, u8, u8, bool, bool, &[u8])| {
    let (to, from, dialects, mode, allow_missing, allow_extra, data) = input;
    let dialect = |k: u8| Dialect::ALL[usize::from(k) % Dialect::ALL.len()];
    let (Ok(to), Ok(from)) =
        (Format::parse_as(dialect(dialects), to), Format::parse_as(dialect(dialects / 16), from))
    else {
        return;
    };
    if to.itemsize().max(from.itemsize()) > 1 << 10 {
        return;
    }
    let options = CopyOptions {
        mode: [Mode::Checked, Mode::Saturating, Mode::Wrapping][usize::from(mode % 3)],
        fields: FieldRules { allow_missing, allow_extra },
        ..CopyOptions::default()
    };
    // Long enough for whole vectors and a rest.
    const COUNT: usize = 37;
    let fill = |size: usize, seed: usize| -> Vec<u8> {
        let at = |k: usize| data.get((k + seed) % data.len().max(1)).copied().unwrap_or(k as u8);
        (0..size * COUNT).map(at).collect()
    };
    let (Some(mut dst), Some(src)) =
        (items(&to, fill(to.itemsize(), 1), COUNT), items(&from, fill(from.itemsize(), 0), COUNT))
    else {
        return;
    };
    let before = bytes(&dst);
    let plan = match ViewPlan::new(&dst.view_mut().expect("one share"), &src.view(), options) {
        Ok(plan) => plan,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let _ = plan.to_string();
    let result = plan.run(&mut dst.view_mut().expect("one share"), &src.view());
    let after = bytes(&dst);
    let Some(mut one) = items(&to, before.clone(), COUNT) else { return };
    let mut first = None;
    for k in 0..COUNT {
        let part = src.view().slice_axis(0, k as isize..k as isize + 1).expect("inside");
        let mut view = one.view_mut().expect("one share");
        let mut item = view.reborrow().slice_axis(0, k as isize..k as isize + 1).expect("inside");
        if options.convert(&mut item, &part).is_err() && first.is_none() {
            first = Some(k);
        }
    }
    match result {
        Ok(_) => {
            assert_eq!(first, None, "{to} from {from}: item by item is refused");
            assert!(after == bytes(&one), "{to} from {from}: {plan}");
        }
        Err(error) => {
            assert!(after == before, "{to} from {from}: half written: {plan}");
            let CopyErrorKind::Value(bad) = error.kind() else { panic!("{to} from {from}: {error}") };
            assert_eq!(first, Some(bad.index[0]), "{to} from {from}: {error}");
        }
    }
});
