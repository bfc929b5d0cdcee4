//! Slices: the three numbers against a list of what Python keeps, and the notations against one another.

use extbuf_layout::{
    Layout, LayoutErrorKind as Kind, Order, Slice, SliceItem, SliceParseErrorKind, ZeroStep, s,
};
use proptest::prelude::*;

/// What Python keeps, the slow way: walk from the clamped start by the step while inside the clamped bounds.
fn kept(slice: Slice, n: i128) -> Vec<i128> {
    let step = slice.step.unwrap_or(1) as i128;
    let from_end = |v: isize| if v < 0 { v as i128 + n } else { v as i128 };
    let mut at = match (slice.start, step > 0) {
        (None, true) => 0,
        (None, false) => n - 1,
        (Some(v), true) => from_end(v).max(0),
        (Some(v), false) => from_end(v).min(n - 1),
    };
    let goes = |at: i128| match (slice.stop, step > 0) {
        (None, _) => true,
        (Some(v), true) => at < from_end(v),
        (Some(v), false) => at > from_end(v),
    };
    let mut out = Vec::new();
    while (0..n).contains(&at) && goes(at) {
        out.push(at);
        at += step;
    }
    out
}

fn bound() -> impl Strategy<Value = Option<isize>> {
    prop_oneof![
        2 => Just(None),
        6 => (-12isize..12).prop_map(Some),
        1 => prop::sample::select(vec![isize::MIN, isize::MIN + 1, isize::MAX - 1, isize::MAX]).prop_map(Some),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn resolves_as_python_does(n in 0usize..9, start in bound(), stop in bound(), step in bound()) {
        let slice = Slice { start, stop, step };
        match slice.resolve(n) {
            Err(ZeroStep) => prop_assert_eq!(step, Some(0)),
            Ok((first, by, length)) => {
                let ours: Vec<i128> = (0..length).map(|k| first as i128 + by as i128 * k as i128).collect();
                prop_assert_eq!(ours, kept(slice, n as i128));
            }
        }
    }

    #[test]
    fn printed_text_reads_back(start in bound(), stop in bound(), step in bound(), index in any::<isize>()) {
        prop_assume!(step != Some(0));
        let items = [
            SliceItem::Slice(Slice { start, stop, step }),
            SliceItem::NewAxis,
            SliceItem::Index(index),
            SliceItem::Ellipsis,
        ];
        let text: Vec<String> = items.iter().map(|item| item.to_string()).collect();
        prop_assert_eq!(SliceItem::parse_list(&text.join(", ")).unwrap(), items);
    }

    #[test]
    fn any_text_is_answered(text in "[\\[\\]0-9:., Nonex+-]{0,12}|\\PC{0,8}") {
        if let Err(error) = SliceItem::parse_list(&text) {
            prop_assert!(error.span().end <= text.len());
            prop_assert!(text.get(error.span()).is_some());
            prop_assert_eq!(error.render().lines().count(), 3);
        }
    }
}

#[test]
fn python_semantics_at_the_edges_of_isize() {
    let all = |slice: Slice, n| slice.resolve(n);
    assert_eq!(all(Slice::FULL.by(isize::MIN), 5), Ok((4, -isize::MAX, 1)));
    assert_eq!(all(Slice::FULL.by(isize::MAX), 5), Ok((0, isize::MAX, 1)));
    assert_eq!(all(Slice::FULL.by(-1), 0), Ok((0, -1, 0)));
    assert_eq!(all(Slice::from(isize::MIN..isize::MAX), 5), Ok((0, 1, 5)));
    assert_eq!(all(Slice::FULL, usize::MAX), Ok((0, 1, isize::MAX as usize)));
    let last = -1;
    assert_eq!(all(Slice::from(1..=last), 5), Ok((1, 1, 4)));
    assert_eq!(all(Slice::from(..=usize::MAX), 5), Ok((0, 1, 5)));
}

#[test]
fn the_macro_writes_what_python_writes() {
    let k = 1usize;
    let items = s![2.., ..;-1, 1..9;k as isize, ..=-2, .., new, 3, -1, k, ...];
    let text: Vec<String> = items.iter().map(|item| item.to_string()).collect();
    assert_eq!(text.join(" "), "2: ::-1 1:9:1 :-1 : None 3 -1 1 ...");
    assert_eq!(s![].len(), 0);
    let layout = Layout::contiguous(1, &[3], Order::C).unwrap();
    assert_eq!(layout.slice(s![]).unwrap(), layout);
    assert_eq!(layout.slice(&s![..][..]).unwrap(), layout);
}

#[test]
fn text_errors_name_cause_and_place() {
    use SliceParseErrorKind::*;
    for (text, kind, span) in [
        ("[x]", ExpectedItem, 1..2),
        ("[1, , 2]", ExpectedItem, 4..5),
        ("[1 2]", ExpectedComma, 3..4),
        ("[1:2:3:4]", ExpectedComma, 6..7),
        ("[99999999999999999999]", NumberTooLarge, 1..21),
        ("[-]", ExpectedNumber, 2..3),
        ("[..., 0, ...]", SecondEllipsis, 9..12),
        ("[::0]", ZeroStep, 3..4),
        ("[1, 2", Unclosed, 0..1),
        ("[1]]", AfterEnd, 3..4),
        ("1]", ExpectedComma, 1..2),
        ("::é", ExpectedComma, 2..4),
    ] {
        let error = SliceItem::parse_list(text).expect_err(text);
        assert_eq!((error.kind(), error.span()), (kind, span), "{text}");
        assert_eq!(error.input(), text);
    }
    assert_eq!(SliceItem::parse_list(" [ ] ").unwrap(), []);
    assert_eq!(SliceItem::parse_list("").unwrap(), []);
    assert_eq!(SliceItem::parse_list("[None:None:-1, +2,]").unwrap(), s![..;-1, 2]);
    let min = isize::MIN.to_string();
    assert_eq!(SliceItem::parse_list(&min).unwrap(), [SliceItem::Index(isize::MIN)]);
}

#[test]
fn refusals_of_a_slice() {
    let layout = Layout::contiguous(4, &[4, 5], Order::C).unwrap();
    let kind = |items: &[SliceItem]| layout.slice(items).unwrap_err().kind().clone();
    assert_eq!(kind(&s![0, 0, 0]), Kind::TooManyIndices { given: 3, ndim: 2 });
    assert_eq!(kind(&s![..., 0, ...]), Kind::SecondEllipsis);
    assert_eq!(kind(&s![new, .., 5]), Kind::IndexOutOfRange { axis: 1, index: 5, extent: 5 });
    assert_eq!(kind(&s![-5]), Kind::IndexOutOfRange { axis: 0, index: -5, extent: 4 });
    assert_eq!(kind(&s![isize::MIN]), Kind::IndexOutOfRange { axis: 0, index: isize::MIN, extent: 4 });
    assert_eq!(kind(&s![..., ..;0]), Kind::ZeroStep { axis: 1 });
    assert_eq!(kind(&[SliceItem::NewAxis; 63]), Kind::TooManyAxes { ndim: 65 });
    assert_eq!(layout.slice([SliceItem::NewAxis; 62]).unwrap().ndim(), 64);
    assert_eq!(layout.index_axis(2, 0).unwrap_err().kind(), &Kind::AxisOutOfRange { axis: 2, ndim: 2 });
    assert_eq!(layout.slice_axis(2, ..).unwrap_err().kind(), &Kind::AxisOutOfRange { axis: 2, ndim: 2 });
}
