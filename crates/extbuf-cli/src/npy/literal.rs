//! The Python literals that headers are made of: strings, whole numbers, `True` and `False`, tuples, lists, dictionaries.
//!
//! Read from left to right without ever going back, so that a hostile text takes no longer than an honest one of its
//! length.

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    String(String),
    /// As it is written, of any size.
    Integer(String),
    Boolean(bool),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Dict(Vec<(Value, Value)>),
}

/// Why a text is not one.
#[derive(Debug, PartialEq)]
pub(super) enum Wrong {
    /// Something else stands at this byte.
    At(usize),
    /// More brackets inside brackets than asked for.
    TooDeep,
}

/// Reads a text that is one literal, with no more than so many brackets inside brackets.
pub(super) fn read(text: &str, deepest: usize) -> Result<Value, Wrong> {
    let mut reader = Reader { text, at: 0, left: deepest };
    let value = reader.value()?;
    reader.space();
    if reader.at < text.len() { Err(reader.wrong()) } else { Ok(value) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// How many brackets more may open.
    left: usize,
}

impl Reader<'_> {
    fn wrong(&self) -> Wrong {
        Wrong::At(self.at)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r', '\x0c']).len();
    }

    /// Takes this if it stands next, behind any space.
    fn take(&mut self, word: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn value(&mut self) -> Result<Value, Wrong> {
        self.space();
        match self.rest().chars().next() {
            Some(quote @ ('\'' | '"')) => self.string(quote).map(Value::String),
            Some('-' | '0'..='9') => self.integer(),
            Some('(') => {
                let (mut items, comma) = self.items("(", ")", Self::value)?;
                // One value in brackets, with no comma, is that value.
                Ok(if items.len() == 1 && !comma { items.remove(0) } else { Value::Tuple(items) })
            }
            Some('[') => Ok(Value::List(self.items("[", "]", Self::value)?.0)),
            Some('{') => Ok(Value::Dict(self.items("{", "}", Self::entry)?.0)),
            _ if self.take("True") => Ok(Value::Boolean(true)),
            _ if self.take("False") => Ok(Value::Boolean(false)),
            _ => Err(self.wrong()),
        }
    }

    fn entry(&mut self) -> Result<(Value, Value), Wrong> {
        let key = self.value()?;
        if !self.take(":") {
            return Err(self.wrong());
        }
        Ok((key, self.value()?))
    }

    /// What stands between two brackets, and whether a comma ended it.
    fn items<T>(
        &mut self,
        open: &str,
        close: &str,
        item: fn(&mut Self) -> Result<T, Wrong>,
    ) -> Result<(Vec<T>, bool), Wrong> {
        self.left = self.left.checked_sub(1).ok_or(Wrong::TooDeep)?;
        self.take(open);
        let (mut items, mut comma) = (Vec::new(), true);
        while !self.take(close) {
            if !comma {
                return Err(self.wrong());
            }
            items.push(item(self)?);
            comma = self.take(",");
        }
        self.left += 1;
        Ok((items, comma))
    }

    fn integer(&mut self) -> Result<Value, Wrong> {
        let sign = if self.take("-") { "-" } else { "" };
        self.space();
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number = &self.rest()[..digits];
        // Python knows no number with a nought in front.
        if digits == 0 || digits > 1 && number.starts_with('0') {
            return Err(self.wrong());
        }
        let number = format!("{sign}{number}");
        self.at += digits;
        Ok(Value::Integer(number))
    }

    fn string(&mut self, quote: char) -> Result<String, Wrong> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let next = self.rest().chars().next().ok_or_else(|| self.wrong())?;
            match next {
                '\n' | '\r' => return Err(self.wrong()),
                '\\' => string.extend(self.escape()?),
                _ => {
                    self.at += next.len_utf8();
                    if next == quote {
                        return Ok(string);
                    }
                    string.push(next);
                }
            }
        }
    }

    /// What a backslash and the signs behind it stand for.
    fn escape(&mut self) -> Result<Vec<char>, Wrong> {
        let sign = self.rest()[1..].chars().next().ok_or_else(|| self.wrong())?;
        let digits = |reader: &Self, from: usize, count: usize, radix: u32| {
            let digits = reader.rest().get(from..from + count)?;
            let plain = digits.chars().all(|digit| digit.is_digit(radix));
            u32::from_str_radix(digits, radix).ok().filter(|_| plain).and_then(char::from_u32)
        };
        let (taken, value) = match sign {
            '\\' | '\'' | '"' => (2, Some(sign)),
            'a' => (2, Some('\x07')),
            'b' => (2, Some('\x08')),
            'f' => (2, Some('\x0c')),
            'n' => (2, Some('\n')),
            'r' => (2, Some('\r')),
            't' => (2, Some('\t')),
            'v' => (2, Some('\x0b')),
            'x' => (4, digits(self, 2, 2, 16)),
            'u' => (6, digits(self, 2, 4, 16)),
            'U' => (10, digits(self, 2, 8, 16)),
            '0'..='7' => {
                let count =
                    self.rest()[1..].bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
                (1 + count, digits(self, 1, count, 8))
            }
            // A name of Unicode's, of which nothing is known here, or the next line.
            'N' | '\n' | '\r' => (0, None),
            _ => {
                self.at += 1 + sign.len_utf8();
                return Ok(vec!['\\', sign]);
            }
        };
        let value = value.ok_or_else(|| self.wrong())?;
        self.at += taken;
        Ok(vec![value])
    }
}
