//! What the macro needs to know of an item, read off its tokens: name, `repr`, generics, fields.
//!
//! A struct's grammar is small enough to read by hand, and a build without a parser of all of Rust is a
//! quicker build.

use std::iter::Peekable;

use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree, token_stream::IntoIter};

/// Why an item has no format.
pub(crate) struct Refusal {
    pub(crate) span: Span,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(span: Span, message: &str) -> Refusal {
        Refusal { span, message: message.to_owned() }
    }
}

pub(crate) struct Input {
    pub(crate) name: Ident,
    pub(crate) repr: Vec<String>,
    /// Path given by `#[element(crate = …)]`.
    pub(crate) krate: Option<String>,
    pub(crate) generics: Generics,
    pub(crate) fields: Fields,
}

/// The three places where generic parameters are written in an `impl`.
#[derive(Default)]
pub(crate) struct Generics {
    /// `<T: Bound, const N: usize>`
    pub(crate) declared: TokenStream,
    /// `<T, N>`
    pub(crate) used: TokenStream,
    /// `where …`
    pub(crate) bounds: TokenStream,
}

pub(crate) enum Fields {
    Struct(Vec<Field>),
    /// An enum none of whose variants has data.
    Units,
}

pub(crate) struct Field {
    pub(crate) index: usize,
    pub(crate) name: Option<Ident>,
    pub(crate) ty: TokenStream,
}

impl Field {
    /// Whether the type is `PhantomData<…>` under whatever path.
    pub(crate) fn is_phantom(&self) -> bool {
        let before_angle = self.ty.clone().into_iter().take_while(|t| !is_punct(t, '<'));
        before_angle.last().is_some_and(|t| is_ident(&t, "PhantomData"))
    }
}

type Tokens = Peekable<IntoIter>;

impl Input {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Input, Refusal> {
        let mut tokens = tokens.into_iter().peekable();
        let (mut repr, mut krate) = (Vec::new(), None);
        while let Some(attribute) = attribute(&mut tokens) {
            read_attribute(&attribute, &mut repr, &mut krate);
        }
        visibility(&mut tokens);
        let keyword = ident(&mut tokens)?;
        let name = ident(&mut tokens)?;
        let mut generics = generics(&mut tokens);
        let what = keyword.to_string();
        if what == "union" {
            return Err(Refusal::new(keyword.span(), "a union has no one format: its fields overlap"));
        }
        let mut fields = Fields::Struct(Vec::new());
        let mut clause = TokenStream::new();
        for token in tokens {
            match &token {
                TokenTree::Group(group) if what == "enum" && group.delimiter() == Delimiter::Brace => {
                    check_variants(group)?;
                    fields = Fields::Units;
                }
                TokenTree::Group(group) if is_body(group, &clause) => {
                    fields = Fields::Struct(read_fields(group)?);
                }
                token if is_punct(token, ';') => {}
                _ => clause.extend([token]),
            }
        }
        generics.bounds = clause;
        Ok(Input { name, repr, krate, generics, fields })
    }

    pub(crate) fn has(&self, repr: &str) -> bool {
        self.repr.iter().any(|r| r == repr)
    }

    /// The integer of `#[repr(u8)]`.
    pub(crate) fn integer(&self) -> Option<&str> {
        const INTEGERS: [&str; 10] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize"];
        self.repr.iter().map(String::as_str).find(|r| INTEGERS.contains(r))
    }
}

/// The fields: braces, or the parentheses that stand before a `where`.
fn is_body(group: &Group, clause: &TokenStream) -> bool {
    match group.delimiter() {
        Delimiter::Brace => true,
        Delimiter::Parenthesis => clause.is_empty(),
        _ => false,
    }
}

fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(p) if p.as_char() == c)
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(i) if i.to_string() == name)
}

fn ident(tokens: &mut Tokens) -> Result<Ident, Refusal> {
    match tokens.next() {
        Some(TokenTree::Ident(ident)) => Ok(ident),
        other => Err(Refusal::new(
            other.map_or_else(Span::call_site, |t| t.span()),
            "a struct or an enum is expected",
        )),
    }
}

/// The inside of the next `#[…]`.
fn attribute(tokens: &mut Tokens) -> Option<TokenStream> {
    tokens.next_if(|t| is_punct(t, '#'))?;
    match tokens.next() {
        Some(TokenTree::Group(group)) => Some(group.stream()),
        _ => None,
    }
}

fn read_attribute(attribute: &TokenStream, repr: &mut Vec<String>, krate: &mut Option<String>) {
    let mut tokens = attribute.clone().into_iter();
    let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(group))) = (tokens.next(), tokens.next()) else {
        return;
    };
    match &*name.to_string() {
        "repr" => repr.extend(group.stream().into_iter().filter_map(|t| match t {
            TokenTree::Ident(ident) => Some(ident.to_string()),
            _ => None,
        })),
        "element" => {
            let mut inner = group.stream().into_iter();
            let named = inner.next().is_some_and(|t| is_ident(&t, "crate"));
            if named && inner.next().is_some_and(|t| is_punct(&t, '=')) {
                let path: TokenStream = inner.collect();
                *krate = Some(path.to_string().trim_matches('"').to_owned());
            }
        }
        _ => {}
    }
}

fn visibility(tokens: &mut Tokens) {
    if tokens.next_if(|t| is_ident(t, "pub")).is_some() {
        tokens.next_if(|t| matches!(t, TokenTree::Group(g) if g.delimiter() == Delimiter::Parenthesis));
    }
}

/// Pieces between commas that lie outside angle brackets.
fn split(tokens: impl Iterator<Item = TokenTree>) -> Vec<Vec<TokenTree>> {
    let mut pieces = vec![Vec::new()];
    let mut angles = 0usize;
    let mut arrow = false;
    for token in tokens {
        if is_punct(&token, '<') {
            angles += 1;
        } else if is_punct(&token, '>') && !arrow {
            angles = angles.saturating_sub(1);
        }
        arrow = is_punct(&token, '-');
        if angles == 0 && is_punct(&token, ',') {
            pieces.push(Vec::new());
        } else if let Some(piece) = pieces.last_mut() {
            piece.push(token);
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn generics(tokens: &mut Tokens) -> Generics {
    let Some(open) = tokens.next_if(|t| is_punct(t, '<')) else { return Generics::default() };
    let mut inside = Vec::new();
    let (mut angles, mut arrow) = (1, false);
    let mut close = None;
    for token in tokens.by_ref() {
        if is_punct(&token, '<') {
            angles += 1;
        } else if is_punct(&token, '>') && !arrow {
            angles -= 1;
            if angles == 0 {
                close = Some(token);
                break;
            }
        }
        arrow = is_punct(&token, '-');
        inside.push(token);
    }
    let comma = || ",".parse::<TokenStream>().unwrap_or_default();
    let (mut declared, mut used) = (TokenStream::new(), TokenStream::new());
    for piece in split(inside.into_iter()) {
        // A default is allowed where the type is declared and nowhere else.
        declared.extend(piece.iter().take_while(|t| !is_punct(t, '=')).cloned());
        declared.extend(comma());
        let is_const = is_ident(&piece[0], "const");
        let lifetime = is_punct(&piece[0], '\'');
        used.extend(piece.iter().skip(usize::from(is_const)).take(if lifetime { 2 } else { 1 }).cloned());
        used.extend(comma());
    }
    let wrap = |inner: TokenStream| {
        let mut out: TokenStream = open.clone().into();
        out.extend(inner);
        out.extend(close.clone());
        out
    };
    Generics { declared: wrap(declared), used: wrap(used), bounds: TokenStream::new() }
}

fn read_fields(group: &Group) -> Result<Vec<Field>, Refusal> {
    let mut fields = Vec::new();
    for (index, piece) in split(group.stream().into_iter()).into_iter().enumerate() {
        let stream: TokenStream = piece.into_iter().collect();
        let mut tokens = stream.into_iter().peekable();
        while attribute(&mut tokens).is_some() {}
        visibility(&mut tokens);
        let name = if group.delimiter() == Delimiter::Brace {
            let name = ident(&mut tokens)?;
            tokens.next_if(|t| is_punct(t, ':'));
            Some(name)
        } else {
            None
        };
        let first = tokens.peek().cloned();
        let ty: TokenStream = tokens.collect();
        match first {
            Some(token) if is_punct(&token, '&') => {
                let message = "a reference is an address in this program and no item: hold the value itself, or a usize";
                return Err(Refusal::new(token.span(), message));
            }
            Some(token) if is_punct(&token, '*') => {
                let message = "a raw pointer is an address in this program and no item: hold a usize";
                return Err(Refusal::new(token.span(), message));
            }
            _ => {}
        }
        fields.push(Field { index, name, ty });
    }
    Ok(fields)
}

/// Refuses variants with data.
fn check_variants(group: &Group) -> Result<(), Refusal> {
    for piece in split(group.stream().into_iter()) {
        let mut value = false;
        let mut attribute = false;
        for token in &piece {
            value |= is_punct(token, '=');
            if let TokenTree::Group(data) = token {
                if !value && !attribute {
                    let message =
                        "an enum with data has no one format: use a struct, or an enum without data";
                    return Err(Refusal::new(data.span(), message));
                }
            }
            attribute = is_punct(token, '#');
        }
    }
    Ok(())
}
