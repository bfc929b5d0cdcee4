//! What a person sees: one line at a prompt, a picture in a notebook.

use extbuf_draw::draw_layout;
use extbuf_layout::Layout;
use pyo3::prelude::*;

use super::View;
use crate::explain::{About, of_memory};

#[pymethods]
impl View {
    fn __repr__(slf: Bound<'_, Self>) -> String {
        let this = slf.get();
        if this.check().is_err() {
            return format!("<released memory at {:p}>", slf.as_ptr());
        }
        let layout = &this.layout;
        let shape = joined(layout.shape());
        let mut text = format!("<memory of '{}', shape ({shape})", this.item.text().to_string_lossy());
        if layout.is_direct() && !layout.is_contiguous(extbuf_layout::Order::C) {
            text.push_str(&format!(", strides ({})", joined(layout.strides(0))));
        }
        if !layout.is_direct() {
            let loads = layout.levels() - 1;
            text.push_str(&format!(", {loads} pointer{} on the way", if loads == 1 { "" } else { "s" }));
        }
        if this.readonly {
            text.push_str(", readonly");
        }
        text.push_str(&format!(", extbuf.View at {:p}>", slf.as_ptr()));
        text
    }

    /// The layout as a picture, which notebooks show.
    fn _repr_html_(slf: Bound<'_, Self>) -> PyResult<String> {
        let this = slf.get();
        this.check()?;
        let line = View::__repr__(slf.clone());
        let line = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        Ok(format!("<div><code>{line}</code>{}</div>", drawing(&this.layout)))
    }
}

impl View {
    /// The text of `extbuf.explain`.
    pub(crate) fn explained(&self, columns: usize) -> PyResult<String> {
        self.check()?;
        let owner = Python::attach(|py| match self.share(py)?.owner(py) {
            Some(owner) => Ok::<_, PyErr>(format!("lent by a {}", owner.get_type().name()?)),
            None => Ok("the view's own".to_owned()),
        })?;
        let about = About {
            owner,
            readonly: self.readonly,
            written: self.item.text().to_string_lossy().into_owned(),
            meaning: self.item.meaning(),
            layout: &self.layout,
        };
        Ok(of_memory(&about, columns))
    }
}

fn drawing(layout: &Layout) -> String {
    draw_layout(layout).to_svg()
}

/// Numbers as Python writes a tuple of them.
fn joined<T: ToString>(numbers: &[T]) -> String {
    let texts: Vec<_> = numbers.iter().map(T::to_string).collect();
    match &texts[..] {
        [one] => format!("{one},"),
        texts => texts.join(", "),
    }
}
