//! Format texts from a string of choices: the same bytes give the same text, so that a property test or a
//! fuzzer can shrink them. Grammar alone; what a text means is not known here.

/// What one peer's grammar has.
#[derive(Clone, Copy, Debug)]
pub struct Grammar {
    /// Codes of one value.
    pub codes: &'static [&'static str],
    /// Codes for which a count is a length.
    pub sized: &'static str,
    /// Order marks that may stand inside.
    pub marks: &'static str,
    /// One order mark at the front and none inside.
    pub one_mark: &'static str,
    /// Records, sub-arrays and names.
    pub records: bool,
    /// Pointers and function pointers.
    pub pointers: bool,
    /// Custom types by name.
    pub custom: bool,
    /// White space between entries.
    pub space: &'static str,
}

const NATIVE: &[&str] = &["b", "B", "?", "h", "H", "i", "I", "l", "L", "q", "Q", "f", "d", "c", "x", "s"];

/// The grammar of each dialect by name.
#[must_use]
pub fn grammar(dialect: &str) -> Grammar {
    let all = Grammar {
        codes: &[
            "b", "B", "?", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d", "c", "x", "s", "p", "u",
            "w", "O", "Zf", "Zd", "Ze", "F", "D", "t",
        ],
        sized: "xspuwt",
        marks: "@=<>!^",
        one_mark: "",
        records: true,
        pointers: true,
        custom: true,
        space: " \t\n",
    };
    match dialect {
        "struct" => Grammar {
            codes: &[
                "b", "B", "?", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d", "c", "x", "s", "p",
                "F", "D",
            ],
            marks: "",
            one_mark: "@=<>!",
            records: false,
            pointers: false,
            custom: false,
            space: " ",
            ..all
        },
        "numpy" => Grammar {
            codes: &[
                "b", "B", "?", "h", "H", "i", "I", "l", "L", "q", "Q", "e", "f", "d", "c", "x", "s", "w",
                "O", "Zf", "Zd",
            ],
            pointers: false,
            custom: false,
            space: "",
            ..all
        },
        "ctypes" => Grammar {
            codes: &["b", "i", "l", "q", "g", "z", "P", "u", "O", "c", "x", "?", "d", "Zd", "Z"],
            custom: false,
            ..all
        },
        "cython" => {
            Grammar { codes: NATIVE, marks: "@=^", pointers: false, custom: false, space: " ", ..all }
        }
        _ => all,
    }
}

/// A text of the grammar. Choices that run out count as zero, which ends every list.
#[must_use]
pub fn text(grammar: &Grammar, choices: &[u8]) -> String {
    let mut maker = Maker { grammar, choices, at: 0, out: String::new(), names: 0 };
    if !grammar.one_mark.is_empty() && maker.pick(2) == 1 {
        let mark = maker.letter(grammar.one_mark);
        maker.out.push(mark);
    }
    maker.sequence(0);
    maker.out
}

struct Maker<'a> {
    grammar: &'a Grammar,
    choices: &'a [u8],
    at: usize,
    out: String,
    names: usize,
}

impl Maker<'_> {
    fn pick(&mut self, below: usize) -> usize {
        let choice = self.choices.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(choice) % below
    }

    fn letter(&mut self, letters: &str) -> char {
        let i = self.pick(letters.len());
        char::from(letters.as_bytes()[i])
    }

    fn sequence(&mut self, depth: usize) {
        for _ in 0..self.pick(5) {
            self.entry(depth, true);
            if !self.grammar.space.is_empty() && self.pick(8) == 7 {
                let space = self.letter(self.grammar.space);
                self.out.push(space);
            }
        }
    }

    fn entry(&mut self, depth: usize, may_name: bool) {
        let grammar = self.grammar;
        let shaped = grammar.records && self.pick(6) == 5;
        if shaped {
            let first = self.pick(4);
            self.out.push_str(&format!("({first}"));
            if self.pick(2) == 1 {
                let second = self.pick(3);
                self.out.push_str(&format!(",{second}"));
            }
            self.out.push(')');
        }
        if !grammar.marks.is_empty() && self.pick(4) == 3 {
            let mark = self.letter(grammar.marks);
            self.out.push(mark);
        }
        match self.pick(12) {
            11 if grammar.pointers && depth < 4 => {
                self.out.push('&');
                self.entry(depth + 1, false);
                return;
            }
            10 if grammar.pointers => self.out.push_str("X{(i)d}"),
            9 if grammar.custom => {
                let custom = ["[bfloat16]", "[datetime64$ns]", "[mine;T{bi}]", "[q8$a,b;>q]"][self.pick(4)];
                self.out.push_str(custom);
            }
            7 | 8 if grammar.records && depth < 4 => {
                if self.pick(6) == 5 && may_name && !shaped {
                    self.out.push('2');
                }
                self.out.push_str("T{");
                self.sequence(depth + 1);
                self.out.push('}');
            }
            _ => {
                let code = grammar.codes[self.pick(grammar.codes.len())];
                // Long doubles of ctypes may stand under any mark, `t` needs a bit.
                let sized = grammar.sized.contains(code);
                if self.pick(4) == 3 && (sized || may_name) && !(sized && code == "t" && shaped) {
                    let count = self.pick(if sized { 9 } else { 4 });
                    self.out.push_str(&format!("{}", count.max(usize::from(code == "t"))));
                }
                self.out.push_str(code);
                // The one pair of codes that reads as a third: `Z` and what may be its real part.
                if code == "Z" {
                    self.out.push(' ');
                }
            }
        }
        if may_name && grammar.records && self.pick(3) != 0 {
            let odd = ["a", "b c", "x.y", "größe", "k[0]", "T{"][self.pick(6)];
            self.names += 1;
            self.out.push_str(&format!(":{odd}{}:", self.names));
        }
    }
}
