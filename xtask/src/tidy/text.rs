//! Rust source, line by line, with code and comments apart, so that a rule about code is not tripped by a word in a
//! comment or a string.

/// The lines of one file. Both halves have as many lines as the file; what belongs to the other half is blank.
pub(super) struct Lines {
    code: Vec<String>,
    comments: Vec<String>,
}

#[derive(Clone, Copy)]
enum State {
    Code,
    LineComment,
    /// Block comments nest.
    BlockComment(usize),
    /// In a literal that ends at a quote and this many `#`; escapes count in those that are not raw.
    Text {
        hashes: usize,
        raw: bool,
    },
}

impl Lines {
    /// Splits a file. The text inside literals is dropped from the code; the quotes stay.
    pub(super) fn of(text: &str) -> Self {
        let (mut code, mut comments) = (String::new(), String::new());
        let mut state = State::Code;
        let mut rest = text;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            let mut taken = c.len_utf8();
            match state {
                _ if c == '\n' => {
                    code.push('\n');
                    comments.push('\n');
                    if let State::LineComment = state {
                        state = State::Code;
                    }
                }
                State::Code => {
                    if rest.starts_with("//") {
                        state = State::LineComment;
                        comments.push(c);
                    } else if rest.starts_with("/*") {
                        (state, taken) = (State::BlockComment(1), 2);
                    } else if let Some((length, hashes)) = raw_opening(rest, before) {
                        (state, taken) = (State::Text { hashes, raw: true }, length);
                        code.push('"');
                    } else {
                        code.push(c);
                        match c {
                            '"' => state = State::Text { hashes: 0, raw: false },
                            '\'' => taken = character(rest),
                            _ => {}
                        }
                    }
                }
                State::LineComment => comments.push(c),
                State::BlockComment(depth) => {
                    if rest.starts_with("/*") {
                        (state, taken) = (State::BlockComment(depth + 1), 2);
                    } else if rest.starts_with("*/") {
                        state = if depth == 1 { State::Code } else { State::BlockComment(depth - 1) };
                        taken = 2;
                    } else {
                        comments.push(c);
                    }
                }
                State::Text { raw: false, .. } if c == '\\' && !rest.starts_with("\\\n") => {
                    taken += rest[1..].chars().next().map_or(0, char::len_utf8);
                }
                State::Text { hashes, .. } => {
                    let end = format!("\"{}", "#".repeat(hashes));
                    if rest.starts_with(&end) {
                        code.push('"');
                        (state, taken) = (State::Code, end.len());
                    }
                }
            }
            before = c;
            rest = &rest[taken..];
        }
        let split = |half: String| half.split('\n').map(str::to_owned).collect();
        Self { code: split(code), comments: split(comments) }
    }

    /// Line numbers, from 1, and what is code on them.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.code)
    }

    /// Line numbers, from 1, and what is comment on them.
    pub(super) fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.comments)
    }
}

fn numbered(lines: &[String]) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(lines.iter().map(String::as_str))
}

/// Length and number of `#` of the opening of a raw literal at the start of `text`, if one stands there.
fn raw_opening(text: &str, before: char) -> Option<(usize, usize)> {
    if before.is_alphanumeric() || before == '_' {
        return None;
    }
    let body = ["br", "cr", "r"].iter().find_map(|prefix| text.strip_prefix(prefix))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    body[hashes..].starts_with('"').then(|| (text.len() - body.len() + hashes + 1, hashes))
}

/// Bytes of the character literal at the start of `text`, or 1 for the quote of a lifetime.
fn character(text: &str) -> usize {
    let mut inside = text[1..].char_indices();
    match inside.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(1, |end| 3 + end + 1),
        Some(_) => match inside.next() {
            Some((at, '\'')) => 1 + at + 1,
            _ => 1,
        },
        None => 1,
    }
}

/// Whether `word` stands in `line` as a whole word.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let (head, tail) = (&line[..start], &line[start + word.len()..]);
        !head.ends_with(part_of_word) && !tail.starts_with(part_of_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comments_and_literals_come_apart() {
        let source = "let a = \"unsafe // \\\" x\"; // one\nlet b = r#\"un\"safe\nx\"#; /* two /* in */ three\n*/ f('\"', 'a, '\\'', b'\"')";
        let lines = Lines::of(source);
        let code: Vec<_> = lines.code().map(|(_, line)| line.trim_end()).collect();
        let comments: Vec<_> = lines.comments().map(|(_, line)| line.trim()).collect();
        assert_eq!(code, ["let a = \"\";", "let b = \"", "\";", " f(', 'a, ', b')"]);
        assert_eq!(comments, ["// one", "", "two  in  three", ""]);
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("unsafe{", "unsafe"));
        assert!(!has_word("unsafe_code", "unsafe"));
        assert!(!has_word("not_unsafe", "unsafe"));
        assert!(has_word("unsafe_code, unsafe", "unsafe"));
    }
}
