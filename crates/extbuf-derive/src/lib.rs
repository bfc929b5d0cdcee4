//! `#[derive(Element)]`: the item format of a Rust struct, offsets taken from the compiler.
//!
//! The macro writes down which fields there are; where they lie is asked of the compiler with `offset_of!`,
//! `size_of` and `align_of`, so that the format cannot disagree with the memory. It takes
//!
//! - structs with `#[repr(C)]`, `#[repr(C, packed)]`, `#[repr(C, align(…))]`: a record,
//! - structs with `#[repr(transparent)]`: the format of their field,
//! - enums without data with `#[repr(u8)]` or another integer: the format of that integer.
//!
//! Every field's type is an `Element` itself; fields of type `PhantomData` are left out. The type also
//! implements `bytemuck::CheckedBitPattern`, most easily by deriving `AnyBitPattern`, `Pod` or
//! `CheckedBitPattern` beside this.
//!
//! ```
//! use bytemuck::AnyBitPattern;
//! use extbuf_format::Element;
//!
//! #[derive(Clone, Copy, AnyBitPattern, Element)]
//! #[repr(C)]
//! struct Sample {
//!     channel: u8,
//!     time: f64,
//!     xyz: [i16; 3],
//! }
//!
//! assert_eq!(Sample::FORMAT.to_string(), "T{B:channel:d:time:(3)h:xyz:}");
//! assert_eq!(Sample::FORMAT.itemsize(), size_of::<Sample>());
//! ```
//!
//! A field that is no element, and a struct whose bits are not known to be plain, do not compile:
//!
//! ```compile_fail,E0277
//! # use {bytemuck::AnyBitPattern, extbuf_format::Element};
//! #[derive(Clone, Copy, AnyBitPattern, Element)]
//! #[repr(C)]
//! struct Wide(u128);
//! ```
//!
//! ```compile_fail,E0277
//! # use extbuf_format::Element;
//! #[derive(Clone, Copy, Element)] // no AnyBitPattern
//! #[repr(C)]
//! struct Sample(u8);
//! ```
//!
//! The generated code names the crate `extbuf_format`. Where that is known under another name, say so:
//! `#[element(crate = extbuf::format)]`.
//!
//! # What this crate does not do
//!
//! It writes no unsafe code and implements no trait of bytemuck: whether the bytes of a type may be anything
//! is bytemuck's to check. It does not describe references, enums with data or unions.
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod input;

use input::{Fields, Input, Refusal};
use proc_macro::{Ident, Span, TokenStream, TokenTree};

/// Implements `extbuf_format::Element`. See the page of `extbuf-derive`.
#[proc_macro_derive(Element, attributes(element))]
pub fn element(tokens: TokenStream) -> TokenStream {
    match Input::parse(tokens).and_then(|input| expand(&input)) {
        Ok(code) => code,
        Err(Refusal { span, message }) => refuse(span, &message),
    }
}

/// `compile_error!(message)` at the place.
fn refuse(span: Span, message: &str) -> TokenStream {
    code(&format!("::core::compile_error!({message:?});"))
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            if let TokenTree::Group(group) = &mut token {
                let mut inner = proc_macro::Group::new(group.delimiter(), group.stream());
                inner.set_span(span);
                *group = inner;
            }
            token
        })
        .collect()
}

/// Text to tokens. The texts are this file's own, so they always lex.
fn code(text: &str) -> TokenStream {
    text.parse().unwrap_or_else(|error| panic!("generated code does not lex: {error}"))
}

fn expand(input: &Input) -> Result<TokenStream, Refusal> {
    let krate = input.krate.as_deref().unwrap_or("::extbuf_format");
    let integer = input.integer();
    let mut out = TokenStream::new();
    let head = |trait_name: &str| {
        let mut head = code("#[automatically_derived] impl");
        head.extend(input.generics.declared.clone());
        head.extend(code(trait_name));
        head.extend(code("for"));
        head.extend([TokenTree::Ident(input.name.clone())]);
        head.extend(input.generics.used.clone());
        head.extend(input.generics.bounds.clone());
        head
    };
    let element = |body: TokenStream| {
        let mut out = head(&format!("{krate}::Element"));
        out.extend(braced(body));
        out
    };

    match &input.fields {
        Fields::Units => {
            let Some(integer) = integer else {
                return Err(Refusal::new(
                    input.name.span(),
                    "an enum needs a fixed size: add #[repr(u8)] or another integer",
                ));
            };
            let format = format!("const FORMAT: {krate}::Format = <{integer} as {krate}::Element>::FORMAT;");
            out.extend(element(code(&format)));
        }
        Fields::Struct(fields) if input.has("transparent") => {
            let [field] = &fields.iter().filter(|f| !f.is_phantom()).collect::<Vec<_>>()[..] else {
                return Err(Refusal::new(
                    input.name.span(),
                    "a transparent struct has one field that is not PhantomData",
                ));
            };
            let mut format = code(&format!("const FORMAT: {krate}::Format ="));
            format.extend(format_of(krate, &field.ty));
            format.extend(code(";"));
            out.extend(element(format));
        }
        Fields::Struct(fields) if input.has("C") => {
            let mut runs = TokenStream::new();
            for field in fields.iter().filter(|f| !f.is_phantom()) {
                let name = match &field.name {
                    Some(name) => format!("::core::option::Option::Some({:?})", plain(name)),
                    None => "::core::option::Option::None".into(),
                };
                let place = field.name.as_ref().map_or_else(|| field.index.to_string(), Ident::to_string);
                let mut run = code(&format!("{name}, ::core::mem::offset_of!(Self, {place}),"));
                run.extend(format_of(krate, &field.ty));
                runs.extend(code(&format!("{krate}::__private::run")));
                runs.extend(grouped(proc_macro::Delimiter::Parenthesis, run));
                runs.extend(code(","));
            }
            let mut body = code(&format!("const RUNS: &'static [{krate}::__private::Run] = &"));
            body.extend(grouped(proc_macro::Delimiter::Bracket, runs));
            body.extend(code(&format!(
                "; const NODE: &'static {krate}::__private::Node = &{krate}::__private::record(
                    Self::RUNS, ::core::mem::size_of::<Self>(), ::core::mem::align_of::<Self>());"
            )));
            let mut inner = code(&format!(
                "trait ExtbufParts {{
                    const RUNS: &'static [{krate}::__private::Run];
                    const NODE: &'static {krate}::__private::Node;
                }}"
            ));
            inner.extend(head("ExtbufParts"));
            inner.extend(braced(body));
            let format = "const FORMAT: @::Format = @::Format::from_static(<Self as ExtbufParts>::NODE);";
            inner.extend(element(code(&format.replace('@', krate))));
            out.extend(code("const _: () ="));
            out.extend(braced(inner));
            out.extend(code(";"));
        }
        Fields::Struct(_) => {
            let message = "the layout of this struct is not fixed: add #[repr(C)], #[repr(C, packed)] or #[repr(transparent)]";
            return Err(Refusal::new(input.name.span(), message));
        }
    }
    Ok(out)
}

/// `<Type as Element>::FORMAT`, the type with its own place in the source.
fn format_of(krate: &str, ty: &TokenStream) -> TokenStream {
    let mut out = code("<");
    out.extend(ty.clone());
    out.extend(code(&format!("as {krate}::Element>::FORMAT")));
    out
}

/// The name of a field without the mark of a raw identifier.
fn plain(name: &Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

fn braced(inner: TokenStream) -> TokenStream {
    grouped(proc_macro::Delimiter::Brace, inner)
}

fn grouped(delimiter: proc_macro::Delimiter, inner: TokenStream) -> TokenStream {
    TokenTree::Group(proc_macro::Group::new(delimiter, inner)).into()
}
