//! From one item format to another, as a list of steps: each a number converted, bytes moved, or bytes cleared.
//!
//! Records are matched field by field, by name; nested records and subarrays in them come apart the same way. A subarray
//! is one step with axes of its own, however many entries it has, and neighbouring moves are one move.

use extbuf_format::{Array, Custom, Format, Item, Kind, Record, Scalar};

use crate::convert::{FieldRules, Mode, Recipe, Stored};
use crate::error::{CopyError, CopyErrorKind};

/// An axis inside an item: how many entries, and bytes between them on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inner {
    pub(crate) extent: usize,
    pub(crate) dst: isize,
    pub(crate) src: isize,
}

/// What is done with a part of every item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// So many bytes as they are.
    Move(usize),
    /// Values converted.
    Convert(Recipe),
    /// So many bytes of the destination set to zero; nothing is read.
    Clear(usize),
}

/// A part of every item, and what is done with it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Which of several destinations and sources.
    pub(crate) dst: usize,
    pub(crate) src: usize,
    /// Byte offsets in the items.
    pub(crate) to: usize,
    pub(crate) from: usize,
    pub(crate) axes: Vec<Inner>,
    pub(crate) action: Action,
    /// The field, `a.b`; empty for the item itself.
    pub(crate) path: String,
    /// What one value is on either side.
    pub(crate) dst_format: Format,
    pub(crate) src_format: Format,
}

impl Step {
    /// Bytes written for each entry.
    pub(crate) fn width(&self) -> usize {
        match &self.action {
            Action::Move(bytes) | Action::Clear(bytes) => *bytes,
            Action::Convert(recipe) => recipe.to,
        }
    }

    /// Bytes read for each entry.
    pub(crate) fn src_width(&self) -> usize {
        match &self.action {
            Action::Move(bytes) => *bytes,
            Action::Clear(_) => 0,
            Action::Convert(recipe) => recipe.from,
        }
    }

    /// Entries in each item.
    pub(crate) fn count(&self) -> usize {
        self.axes.iter().map(|axis| axis.extent).product()
    }
}

/// The steps from source items to destination items.
///
/// # Errors
///
/// `Objects`; `NoConversion`, `MissingField`, `ExtraField`.
pub(crate) fn steps(
    (dst_side, dst): (usize, &Format),
    (src_side, src): (usize, &Format),
    mode: Mode,
    rules: FieldRules,
) -> Result<Vec<Step>, CopyError> {
    if dst.has_objects() || src.has_objects() {
        return Err(CopyErrorKind::Objects.into());
    }
    let mut matcher = Matcher {
        sides: (dst_side, src_side),
        mode,
        rules,
        axes: Vec::new(),
        path: String::new(),
        steps: Vec::new(),
    };
    matcher.item(dst, 0, src, 0)?;
    Ok(matcher.steps)
}

struct Matcher {
    sides: (usize, usize),
    mode: Mode,
    rules: FieldRules,
    axes: Vec<Inner>,
    path: String,
    steps: Vec<Step>,
}

impl Matcher {
    fn push(&mut self, (dst, to): (&Format, usize), (src, from): (&Format, usize), action: Action) {
        if let (Action::Move(bytes), Some(last)) = (&action, self.steps.last_mut())
            && let Action::Move(before) = &mut last.action
            && last.to + *before == to
            && last.from + *before == from
            && self.axes.is_empty()
            && last.axes.is_empty()
        {
            *before += bytes;
            return;
        }
        self.steps.push(Step {
            dst: self.sides.0,
            src: self.sides.1,
            to,
            from,
            axes: self.axes.clone(),
            action,
            path: self.path.clone(),
            dst_format: dst.clone(),
            src_format: src.clone(),
        });
    }

    fn refuse(&self, dst: &Format, src: &Format) -> CopyError {
        let (dst, src) = (dst.to_string(), src.to_string());
        CopyErrorKind::NoConversion(Box::new(crate::error::NoConversion {
            path: self.path.clone(),
            dst,
            src,
        }))
        .into()
    }

    fn item(&mut self, dst: &Format, to: usize, src: &Format, from: usize) -> Result<(), CopyError> {
        if dst == src {
            if dst.itemsize() > 0 {
                self.push((dst, to), (src, from), Action::Move(dst.itemsize()));
            }
            return Ok(());
        }
        if let (Some(d), Some(s)) = (Stored::of(dst), Stored::of(src)) {
            self.number((dst, d, to), (src, s, from));
            return Ok(());
        }
        match (dst.item(), src.item()) {
            (Item::Record(d), Item::Record(s)) => self.record((d, to), (s, from)),
            (Item::Array(d), Item::Array(s)) => self.array((dst, d, to), (src, s, from)),
            (Item::Scalar(d), Item::Scalar(s)) => self.units((dst, d, to), (src, s, from)),
            (Item::Custom(d), Item::Custom(s)) if same_custom(d, s) => {
                match (d.storage().as_scalar(), s.storage().as_scalar()) {
                    (Some(a), Some(b)) => self.units((dst, a, to), (src, b, from)),
                    _ => Err(self.refuse(dst, src)),
                }
            }
            _ => Err(self.refuse(dst, src)),
        }
    }

    /// The same with one more axis inside the item.
    fn along(
        &mut self,
        axis: Inner,
        (dst, to): (&Format, usize),
        (src, from): (&Format, usize),
    ) -> Result<(), CopyError> {
        match axis.extent {
            0 => Ok(()),
            1 => self.item(dst, to, src, from),
            extent => {
                let equal = dst == src && axis.dst == axis.src && axis.dst == dst.itemsize() as isize;
                if equal {
                    self.push((dst, to), (src, from), Action::Move(extent * dst.itemsize()));
                    return Ok(());
                }
                self.axes.push(axis);
                let result = self.item(dst, to, src, from);
                self.axes.pop();
                result
            }
        }
    }

    fn number(&mut self, (dst, d, to): (&Format, Stored, usize), (src, s, from): (&Format, Stored, usize)) {
        let (d_part, s_part) = (Stored { complex: false, ..d }, Stored { complex: false, ..s });
        let (d_width, s_width) = (d.number.width(), s.number.width());
        let convert = |this: &mut Self, d, s| {
            let action = match Recipe::new(s, d, this.mode) {
                Some(recipe) => Action::Convert(recipe),
                None => Action::Move(d_width),
            };
            this.push((dst, to), (src, from), action);
        };
        match (d.complex, s.complex) {
            (false, false) => convert(self, d, s),
            (true, true) => {
                self.axes.push(Inner { extent: 2, dst: d_width as isize, src: s_width as isize });
                convert(self, d_part, s_part);
                self.axes.pop();
            }
            (true, false) => {
                convert(self, d_part, s);
                self.push((dst, to + d_width), (src, from), Action::Clear(d_width));
            }
            (false, true) if d.number == crate::convert::Number::Bool => {
                self.push((dst, to), (src, from), Action::Convert(Recipe::truth_of_complex(s_part)));
            }
            (false, true) => {
                if self.mode == Mode::Checked {
                    let zero = Action::Convert(Recipe::zero(s_part));
                    self.push((dst, to), (src, from + s_width), zero);
                }
                convert(self, d, s_part);
            }
        }
    }

    /// Two scalars that are no numbers: text in two byte orders, and the like.
    fn units(
        &mut self,
        (dst, d, to): (&Format, Scalar, usize),
        (src, s, from): (&Format, Scalar, usize),
    ) -> Result<(), CopyError> {
        let width = d.swap_width();
        let alike = d.kind() == s.kind() && d.itemsize() == s.itemsize() && s.swap_width() == width;
        let plain = matches!(d.kind(), Kind::Text | Kind::Int | Kind::UInt | Kind::Float | Kind::Complex);
        if !alike || !plain || !matches!(width, 2 | 4 | 8) || d.is_swapped() == s.is_swapped() {
            return Err(self.refuse(dst, src));
        }
        let action = Action::Convert(Recipe::swap(width));
        match d.itemsize() / width {
            0 => {}
            1 => self.push((dst, to), (src, from), action),
            extent => {
                self.axes.push(Inner { extent, dst: width as isize, src: width as isize });
                self.push((dst, to), (src, from), action);
                self.axes.pop();
            }
        }
        Ok(())
    }

    fn array(
        &mut self,
        (dst, d, to): (&Format, &Array, usize),
        (src, s, from): (&Format, &Array, usize),
    ) -> Result<(), CopyError> {
        let (d_shape, d_element) = taken_apart(d);
        let (s_shape, s_element) = taken_apart(s);
        if d_shape != s_shape {
            return Err(self.refuse(dst, src));
        }
        let extent = if d_shape.contains(&0) { 0 } else { d_shape.iter().product() };
        let axis = Inner { extent, dst: d_element.itemsize() as isize, src: s_element.itemsize() as isize };
        self.along(axis, (d_element, to), (s_element, from))
    }

    fn record(&mut self, (d, to): (&Record, usize), (s, from): (&Record, usize)) -> Result<(), CopyError> {
        let has_names = |record: &Record| record.runs().iter().any(|run| run.name().is_some());
        let by_name = has_names(d) && has_names(s);
        if by_name {
            let sources: std::collections::BTreeMap<&str, usize> =
                s.runs().iter().enumerate().filter_map(|(i, run)| Some((run.name()?, i))).collect();
            let mut used = 0;
            for run in d.runs() {
                let Some(name) = run.name() else { continue };
                match sources.get(name) {
                    Some(&i) => {
                        used += 1;
                        let source = &s.runs()[i];
                        self.field(name, |this| {
                            this.run(
                                run.format(),
                                to + run.offset(),
                                source.format(),
                                from + source.offset(),
                                1,
                            )
                        })?;
                    }
                    None if self.rules.allow_missing => {}
                    None => return Err(CopyErrorKind::MissingField { name: self.named(name) }.into()),
                }
            }
            if used < sources.len() && !self.rules.allow_extra {
                let wanted = |name: &str| d.runs().iter().any(|run| run.name() == Some(name));
                let extra = s.runs().iter().filter_map(|run| run.name()).find(|name| !wanted(name));
                return Err(CopyErrorKind::ExtraField { name: self.named(extra.unwrap_or("")) }.into());
            }
        }
        // Those without a name, or all where one side has no names: one after the other.
        let left = |record: &'_ Record, i: usize| by_name && record.runs()[i].name().is_some();
        let (mut i, mut j, mut at, mut number) = (0, 0, (0, 0), 0usize);
        loop {
            while i < d.runs().len() && left(d, i) {
                i += 1;
            }
            while j < s.runs().len() && left(s, j) {
                j += 1;
            }
            match (d.runs().get(i), s.runs().get(j)) {
                (Some(x), Some(y)) => {
                    let count = (x.repeat() - at.0).min(y.repeat() - at.1);
                    let (d_size, s_size) = (x.format().itemsize(), y.format().itemsize());
                    let (a, b) = (to + x.offset() + at.0 * d_size, from + y.offset() + at.1 * s_size);
                    let name = x.name().map_or_else(|| format!("#{number}"), str::to_owned);
                    self.field(&name, |this| this.run(x.format(), a, y.format(), b, count))?;
                    number += count;
                    at = (at.0 + count, at.1 + count);
                    if at.0 == x.repeat() {
                        (i, at.0) = (i + 1, 0);
                    }
                    if at.1 == y.repeat() {
                        (j, at.1) = (j + 1, 0);
                    }
                }
                (Some(_), None) if !self.rules.allow_missing => {
                    return Err(
                        CopyErrorKind::MissingField { name: self.named(&format!("#{number}")) }.into()
                    );
                }
                (None, Some(_)) if !self.rules.allow_extra => {
                    return Err(CopyErrorKind::ExtraField { name: self.named(&format!("#{number}")) }.into());
                }
                _ => return Ok(()),
            }
        }
    }

    fn run(
        &mut self,
        dst: &Format,
        to: usize,
        src: &Format,
        from: usize,
        count: usize,
    ) -> Result<(), CopyError> {
        let bits = |format: &Format| format.as_scalar().is_some_and(|scalar| scalar.kind() == Kind::Bits);
        if bits(dst) || bits(src) {
            return Err(self.refuse(dst, src));
        }
        let axis = Inner { extent: count, dst: dst.itemsize() as isize, src: src.itemsize() as isize };
        self.along(axis, (dst, to), (src, from))
    }

    fn named(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn field<R>(&mut self, name: &str, inside: impl FnOnce(&mut Self) -> R) -> R {
        let named = self.named(name);
        let outer = std::mem::replace(&mut self.path, named);
        let result = inside(self);
        self.path = outer;
        result
    }
}

/// All axes of an array of arrays, and what is innermost.
fn taken_apart(mut array: &Array) -> (Vec<usize>, &Format) {
    let mut shape = array.shape().to_vec();
    while let Item::Array(inner) = array.element().item() {
        shape.extend(inner.shape());
        array = inner;
    }
    (shape, array.element())
}

fn same_custom(a: &Custom, b: &Custom) -> bool {
    a.name() == b.name() && a.params() == b.params()
}

// Where numbers are swapped depends on the machine; these texts are those of a little-endian one.
#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    fn told(dst: &str, src: &str, rules: FieldRules) -> Result<Vec<String>, String> {
        let format = |text: &str| Format::parse(text).unwrap();
        let steps =
            steps((0, &format(dst)), (0, &format(src)), Mode::Checked, rules).map_err(|e| e.to_string())?;
        Ok(steps
            .iter()
            .map(|step| {
                let axes: Vec<String> =
                    step.axes.iter().map(|a| format!("{}:{}:{}", a.extent, a.dst, a.src)).collect();
                let what = match &step.action {
                    Action::Move(bytes) => format!("move {bytes}"),
                    Action::Clear(bytes) => format!("clear {bytes}"),
                    Action::Convert(recipe) => recipe.to_string(),
                };
                format!("{}@{}<-{} [{}] {what}", step.path, step.to, step.from, axes.join(" "))
            })
            .collect())
    }

    #[test]
    fn fields_are_matched_by_name() {
        let strict = FieldRules::default();
        let steps = told("<T{f:a:h:b:T{d:x:}:c:}", ">T{T{f:x:}:c:i:b:f:a:}", strict).unwrap();
        assert_eq!(
            steps,
            [
                "a@0<-8 [] swap 4",
                "b@4<-4 [] swap 4, then check i16, then i32 to i16",
                "c.x@6<-0 [] swap 4, then f32 to f64",
            ]
        );
        let error = told("<T{f:a:h:b:}", "<T{f:a:}", strict).unwrap_err();
        assert_eq!(error, "the destination's field \"b\" is missing in the source");
        let error = told("<T{f:a:}", "<T{f:a:h:b:}", strict).unwrap_err();
        assert_eq!(error, "the source's field \"b\" is none of the destination's");
        let loose = FieldRules { allow_missing: true, allow_extra: true };
        assert_eq!(told("<T{f:a:h:b:}", "<T{h:c:f:a:}", loose).unwrap(), ["a@0<-2 [] move 4"]);
    }

    #[test]
    fn neighbours_move_together_and_arrays_have_axes() {
        let rules = FieldRules::default();
        assert_eq!(
            told("<T{f:a:h:b:H:c:}", "<T{f:a:h:b:h:c:}", rules).unwrap(),
            ["a@0<-0 [] move 6", "c@6<-6 [] check u16",]
        );
        assert_eq!(
            told("<T{(2,3)d:m:}", ">T{(2,3)f:m:}", rules).unwrap(),
            ["m@0<-0 [6:8:4] swap 4, then f32 to f64"]
        );
        assert_eq!(
            told("<T{2T{hB}:m:}", "<T{2T{bB}:m:}", rules).unwrap(),
            ["m.#0@0<-0 [2:3:2] i8 to i16", "m.#1@2<-1 [2:3:2] move 1",]
        );
        assert_eq!(told("<3d", "<d2f", rules).unwrap(), ["#0@0<-0 [] move 8", "#1@8<-8 [2:8:4] f32 to f64"]);
        assert!(told("<T{(2,3)d:m:}", "<T{(3,2)f:m:}", rules).is_err());
    }

    #[test]
    fn complex_numbers_come_apart() {
        let rules = FieldRules::default();
        assert_eq!(told("<Zd", "<Zf", rules).unwrap(), ["@0<-0 [2:8:4] f32 to f64"]);
        assert_eq!(told("<Zf", "<f", rules).unwrap(), ["@0<-0 [] move 4", "@4<-0 [] clear 4"]);
        assert_eq!(told("<d", "<Zf", rules).unwrap(), ["@0<-4 [] check zero", "@0<-0 [] f32 to f64"]);
        assert_eq!(told("?", "<Zf", rules).unwrap(), ["@0<-0 [] not zero, then either"]);
    }

    #[test]
    fn what_is_no_number_moves_or_turns_its_units() {
        let rules = FieldRules::default();
        assert_eq!(told("<4w", ">4w", rules).unwrap(), ["@0<-0 [4:4:4] swap 4"]);
        assert_eq!(told("<[datetime64$ns]", ">[datetime64$ns]", rules).unwrap(), ["@0<-0 [] swap 8"]);
        for (dst, src) in
            [("4s", "5s"), ("P", "Q"), ("c", "B"), ("<q", "<[datetime64$ns]"), ("<i", "T{i}"), ("g", "d")]
        {
            let error = told(dst, src, rules).unwrap_err();
            assert!(error.contains("no conversion"), "{error}");
        }
        assert!(told("O", "i", rules).is_err());
    }
}
