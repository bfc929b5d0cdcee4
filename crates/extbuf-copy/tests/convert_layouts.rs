//! Conversions between any two layouts, of numbers and of records, against the slow way: every item taken by itself, and
//! no other byte touched; serial and parallel, in every form of the loops.

#![allow(unsafe_code)]

mod common;

use common::{Case, cases, large_cases};
use extbuf_copy::{CopyErrorKind, CopyOptions, FieldRules, Level, Mode, Threads, ViewPlan};
use extbuf_format::Format;
use extbuf_testkit::convert_slow::{SlowFormat, SlowMode};
use proptest::prelude::*;

/// What an item is, as the test sees it.
#[derive(Clone, Debug)]
enum Kind {
    Number {
        which: usize,
        big: bool,
        complex: bool,
    },
    Array(usize, Box<Kind>),
    /// Names, kinds, and padding behind each.
    Record(Vec<(char, Kind, usize)>),
}

struct Noise(u64);

impl Noise {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

impl Kind {
    fn random(noise: &mut Noise, depth: usize) -> Kind {
        match noise.below(if depth == 0 { 4 } else { 8 }) {
            0..=3 => {
                let which = noise.below(SlowFormat::ALL.len());
                let float = matches!(SlowFormat::ALL[which].0, "f" | "d");
                Kind::Number { which, big: noise.below(2) == 1, complex: float && noise.below(3) == 0 }
            }
            4 => Kind::Array(1 + noise.below(4), Box::new(Kind::random(noise, depth - 1))),
            _ => {
                let fields = 1 + noise.below(4);
                Kind::Record(
                    (0..fields)
                        .map(|k| {
                            let name = char::from(b'a' + k as u8);
                            (name, Kind::random(noise, depth - 1), noise.below(3) * noise.below(4))
                        })
                        .collect(),
                )
            }
        }
    }

    /// The same with other numbers, orders, padding, and the fields in another order.
    fn other(&self, noise: &mut Noise) -> Kind {
        match self {
            Kind::Number { which, big, complex } => match noise.below(4) {
                0 => self.clone(),
                1 => Kind::Number { which: *which, big: !big, complex: *complex },
                _ => Kind::random(noise, 0),
            },
            Kind::Array(n, kind) => Kind::Array(*n, Box::new(kind.other(noise))),
            Kind::Record(fields) => {
                let mut fields: Vec<_> = fields
                    .iter()
                    .map(|(name, kind, _)| (*name, kind.other(noise), noise.below(5) / 2))
                    .collect();
                for k in 1..fields.len() {
                    let other = noise.below(k + 1);
                    fields.swap(k, other);
                }
                Kind::Record(fields)
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Kind::Number { which, big, complex } => {
                let mark = if *big { '>' } else { '<' };
                format!("{mark}{}{}", if *complex { "Z" } else { "" }, SlowFormat::ALL[*which].0)
            }
            Kind::Array(n, kind) => {
                // An array of an array is one of two axes, and an order mark goes first.
                let (mut shape, mut base) = (n.to_string(), kind);
                while let Kind::Array(n, kind) = &**base {
                    shape = format!("{shape},{n}");
                    base = kind;
                }
                let text = base.text();
                let mark = text.len() - text.trim_start_matches(['<', '>']).len();
                format!("{}({shape}){}", &text[..mark], &text[mark..])
            }
            Kind::Record(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, kind, pad)| format!("{}:{name}:{}", kind.text(), "x".repeat(*pad)));
                format!("T{{={}}}", fields.collect::<String>())
            }
        }
    }

    fn size(&self) -> usize {
        match self {
            Kind::Number { which, complex, .. } => SlowFormat::ALL[*which].1.width() << usize::from(*complex),
            Kind::Array(n, kind) => n * kind.size(),
            Kind::Record(fields) => fields.iter().map(|(_, kind, pad)| kind.size() + pad).sum(),
        }
    }
}

fn read(bytes: &[u8], big: bool) -> u64 {
    let mut le = [0; 8];
    le[..bytes.len()].copy_from_slice(bytes);
    if big {
        le[..bytes.len()].reverse();
    }
    u64::from_le_bytes(le)
}

fn write(bytes: &mut [u8], value: u64, big: bool) {
    let width = bytes.len();
    bytes.copy_from_slice(&value.to_le_bytes()[..width]);
    if big {
        bytes.reverse();
    }
}

/// One item the slow way; false where something does not fit.
fn slow(dst: &Kind, to: &mut [u8], src: &Kind, from: &[u8], mode: SlowMode) -> bool {
    match (dst, src) {
        // What means the same is copied, padding too.
        (Kind::Record(_), _) if Format::parse(&dst.text()) == Format::parse(&src.text()) => {
            to.copy_from_slice(from);
            true
        }
        (
            Kind::Number { which: a, big: to_big, complex: dz },
            Kind::Number { which: b, big: from_big, complex: sz },
        ) => {
            let (a, b) = (SlowFormat::ALL[*a].1, SlowFormat::ALL[*b].1);
            let (wa, wb) = (a.width(), b.width());
            let part = |k: usize| read(&from[k * wb..(k + 1) * wb], *from_big);
            let made = |bits: u64| {
                if a == b {
                    return Some(bits);
                }
                a.encode(b.decode(bits), !matches!(b, SlowFormat::Float { .. }), mode)
            };
            let zero = |bits: u64| bits << (65 - 8 * wb) == 0;
            let mut all = Vec::new();
            match (dz, sz) {
                (false, false) => all.push(made(part(0))),
                (true, true) => all.extend([made(part(0)), made(part(1))]),
                (true, false) => all.extend([made(part(0)), Some(0)]),
                (false, true) if a == SlowFormat::Bool => {
                    all.push(Some(u64::from(!zero(part(0)) || !zero(part(1)))));
                }
                (false, true) if mode == SlowMode::Checked && !zero(part(1)) => all.push(None),
                (false, true) => all.push(made(part(0))),
            }
            for (k, value) in all.into_iter().enumerate() {
                let Some(value) = value else { return false };
                write(&mut to[k * wa..(k + 1) * wa], value, *to_big);
            }
            true
        }
        (Kind::Array(n, a), Kind::Array(_, b)) => (0..*n).all(|k| {
            let (to, from) =
                (&mut to[k * a.size()..(k + 1) * a.size()], &from[k * b.size()..(k + 1) * b.size()]);
            slow(a, to, b, from, mode)
        }),
        (Kind::Record(a), Kind::Record(b)) => {
            let at = |fields: &[(char, Kind, usize)], name: char| {
                let k = fields.iter().position(|field| field.0 == name).unwrap();
                let offset: usize = fields[..k].iter().map(|(_, kind, pad)| kind.size() + pad).sum();
                (offset, fields[k].1.clone())
            };
            a.iter().all(|(name, kind, _)| {
                let ((to_at, _), (from_at, source)) = (at(a, *name), at(b, *name));
                let to = &mut to[to_at..to_at + kind.size()];
                slow(kind, to, &source, &from[from_at..from_at + source.size()], mode)
            })
        }
        _ => unreachable!("made from each other"),
    }
}

const MODES: [(Mode, SlowMode); 3] = [
    (Mode::Checked, SlowMode::Checked),
    (Mode::Saturating, SlowMode::Saturating),
    (Mode::Wrapping, SlowMode::Wrapping),
];

fn check(case: &Case, seed: u64, tame: bool) -> Result<(), TestCaseError> {
    let mut noise = Noise(seed);
    let src_kind = Kind::random(&mut noise, 2);
    let dst_kind = src_kind.other(&mut noise);
    let (mode, slow_mode) = MODES[noise.below(3)];
    let level = Level::ALL[noise.below(4)];
    let (dst_format, src_format) =
        (Format::parse(&dst_kind.text()).unwrap(), Format::parse(&src_kind.text()).unwrap());
    prop_assert_eq!(dst_format.itemsize(), dst_kind.size());
    let mut laid = case.lay_sizes(dst_kind.size(), src_kind.size());
    let places = case.places(&laid);
    if tame {
        // Small numbers, so that most fit wherever they go.
        for &(_, from) in &places {
            for at in from..from + src_kind.size() {
                laid.arena[at] &= if noise.below(3) == 0 { 0x3c } else { 0 };
            }
        }
    }
    let (before, mut expected) = (laid.arena.clone(), laid.arena.clone());
    let mut refused = None;
    for (number, &(to, from)) in places.iter().enumerate() {
        let mut item = before[to..to + dst_kind.size()].to_vec();
        let fits = slow(&dst_kind, &mut item, &src_kind, &before[from..from + src_kind.size()], slow_mode);
        if !fits && refused.is_none() {
            refused = Some(number);
        }
        expected[to..to + dst_kind.size()].copy_from_slice(&item);
    }
    let options =
        CopyOptions { mode, level, threads: Threads::AtMost(1 + noise.below(3)), ..CopyOptions::default() };
    let plan = ViewPlan::of((&laid.dst, &dst_format), (&laid.src, &src_format), options);
    let plan = plan.map_err(|e| TestCaseError::fail(format!("{src_format} to {dst_format}: {e}")))?;
    let (dst, src) = laid.bases();
    // SAFETY: the arena holds both sides, which do not overlap.
    let result = unsafe { plan.run_raw(dst, src) };
    match (result, refused) {
        (Ok(_), None) => {
            prop_assert!(laid.arena == expected, "{src_format} to {dst_format}, {mode:?}, {level}:\n{plan}");
        }
        (Err(error), Some(number)) => {
            prop_assert!(
                laid.arena == before,
                "nothing is half written: {src_format} to {dst_format}\n{plan}"
            );
            let mut index = vec![0; case.shape.len()];
            let mut rest = number;
            for (k, n) in index.iter_mut().zip(&case.shape).rev() {
                *k = rest % n;
                rest /= n;
            }
            match error.kind() {
                CopyErrorKind::Value(bad) => prop_assert_eq!(&bad.index, &index, "{}", error),
                _ => prop_assert!(false, "{error}"),
            }
        }
        (result, refused) => {
            prop_assert!(
                false,
                "{src_format} to {dst_format}, {mode:?}: {result:?}, expected {refused:?}\n{plan}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn any_layouts_and_formats(case in cases(3), seed in any::<u64>(), tame in any::<bool>()) {
        check(&case, seed, tame)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn many_boxes(case in large_cases(), seed in any::<u64>(), tame in any::<bool>()) {
        check(&case, seed, tame)?;
    }
}

#[test]
fn rules_for_fields_that_only_one_side_has() {
    let format = |text: &str| Format::parse(text).unwrap();
    let (dst, src) = (format("<T{h:a:i:b:}"), format("<T{i:c:b:a:}"));
    let of = |format: &Format| {
        extbuf_layout::Layout::contiguous(format.itemsize(), &[2], extbuf_layout::Order::C).unwrap()
    };
    let options = |allow_missing, allow_extra| CopyOptions {
        fields: FieldRules { allow_missing, allow_extra },
        ..CopyOptions::default()
    };
    let plan = |missing, extra| ViewPlan::of((&of(&dst), &dst), (&of(&src), &src), options(missing, extra));
    assert!(
        matches!(plan(false, true).unwrap_err().kind(), CopyErrorKind::MissingField { name } if name == "b")
    );
    assert!(
        matches!(plan(true, false).unwrap_err().kind(), CopyErrorKind::ExtraField { name } if name == "c")
    );
    let plan = plan(true, true).unwrap();
    let mut out = [0xEE; 12];
    // SAFETY: two items on both sides.
    unsafe { plan.run_raw(out.as_mut_ptr(), [9, 9, 9, 9, 1, 9, 9, 9, 9, 0xFE].as_ptr()) }.unwrap();
    assert_eq!(out, [1, 0, 0xEE, 0xEE, 0xEE, 0xEE, 0xFE, 0xFF, 0xEE, 0xEE, 0xEE, 0xEE]);
}
