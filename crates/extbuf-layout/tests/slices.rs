//! Slices: the three numbers against a list of what Python keeps, and the notations against one another.

use extbuf_layout::{Layout, LayoutErrorKind as Kind, Order, Slice, SliceItem, SliceParseErrorKind, s};
use extbuf_testkit::layout_twin::python_slice;
use proptest::prelude::*;

fn bound() -> impl Strategy<Value = Option<isize>> {
    prop_oneof![
        2 => Just(None),
        6 => (-12isize..12).prop_map(Some),
        1 => prop::sample::select(vec![isize::MIN, isize::MIN + 1, isize::MAX - 1, isize::MAX]).prop_map(Some),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn resolves_as_python_does(n in 0usize..9, start in bound(), stop in bound(), step in bound()) {
        let slice = Slice { start, stop, step };
        let ours = slice.resolve(n).ok().map(|(first, by, length)| {
            (0..length).map(|k| (first as i128 + by as i128 * k as i128) as usize).collect::<Vec<_>>()
        });
        prop_assert_eq!(ours, python_slice(start, stop, step, n));
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
