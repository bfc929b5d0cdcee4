//! Items of numbers, arrays and records by two descriptions, and the slow conversion from the one to the other: every
//! number by itself, every field found by its name.
//!
//! A description is drawn from any source of small numbers: a generator in a property, the input of a fuzz target.

use crate::convert_slow::{SlowFormat, SlowMode};

/// A source of numbers below a bound.
pub type Below<'a> = dyn FnMut(usize) -> usize + 'a;

/// What an item is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One number, or two.
    Number {
        /// Which of [`SlowFormat::ALL`].
        which: usize,
        /// Big-endian.
        big: bool,
        /// A real and an imaginary part.
        complex: bool,
    },
    /// So many of the same.
    Array(usize, Box<Kind>),
    /// Names, kinds, and padding behind each.
    Record(Vec<(char, Kind, usize)>),
}

impl Kind {
    /// Draws one, nested at most so deep.
    #[must_use]
    pub fn random(below: &mut Below<'_>, depth: usize) -> Kind {
        match below(if depth == 0 { 4 } else { 8 }) {
            0..=3 => {
                let which = below(SlowFormat::ALL.len());
                let float = matches!(SlowFormat::ALL[which].0, "f" | "d");
                Kind::Number { which, big: below(2) == 1, complex: float && below(3) == 0 }
            }
            4 => Kind::Array(1 + below(4), Box::new(Kind::random(below, depth - 1))),
            _ => {
                let fields = 1 + below(4);
                Kind::Record(
                    (0..fields)
                        .map(|k| {
                            let name = char::from(b'a' + k as u8);
                            (name, Kind::random(below, depth - 1), below(3) * below(4))
                        })
                        .collect(),
                )
            }
        }
    }

    /// The same with other numbers, orders, padding, and the fields in another order.
    #[must_use]
    pub fn other(&self, below: &mut Below<'_>) -> Kind {
        match self {
            Kind::Number { which, big, complex } => match below(4) {
                0 => self.clone(),
                1 => Kind::Number { which: *which, big: !big, complex: *complex },
                _ => Kind::random(below, 0),
            },
            Kind::Array(n, kind) => Kind::Array(*n, Box::new(kind.other(below))),
            Kind::Record(fields) => {
                let mut fields: Vec<_> =
                    fields.iter().map(|(name, kind, _)| (*name, kind.other(below), below(5) / 2)).collect();
                for k in 1..fields.len() {
                    let other = below(k + 1);
                    fields.swap(k, other);
                }
                Kind::Record(fields)
            }
        }
    }

    /// The format, in our dialect.
    #[must_use]
    pub fn text(&self) -> String {
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

    /// Bytes of an item.
    #[must_use]
    pub fn size(&self) -> usize {
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

/// One item the slow way; false where something does not fit. `equal` says of two descriptions whether they mean the same
/// format, of which all bytes are copied, padding too.
///
/// # Panics
///
/// If one description was not made of the other by [`Kind::other`].
pub fn convert(
    (dst, to): (&Kind, &mut [u8]),
    (src, from): (&Kind, &[u8]),
    mode: SlowMode,
    equal: &dyn Fn(&Kind, &Kind) -> bool,
) -> bool {
    match (dst, src) {
        (Kind::Record(_), _) if equal(dst, src) => {
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
            convert((a, to), (b, from), mode, equal)
        }),
        (Kind::Record(a), Kind::Record(b)) => {
            let at = |fields: &[(char, Kind, usize)], name: char| {
                let k = fields.iter().position(|field| field.0 == name).expect("a field of the same name");
                let offset: usize = fields[..k].iter().map(|(_, kind, pad)| kind.size() + pad).sum();
                (offset, fields[k].1.clone())
            };
            a.iter().all(|(name, kind, _)| {
                let ((to_at, _), (from_at, source)) = (at(a, *name), at(b, *name));
                let to = &mut to[to_at..to_at + kind.size()];
                convert((kind, to), (&source, &from[from_at..from_at + source.size()]), mode, equal)
            })
        }
        _ => unreachable!("made from each other"),
    }
}
