//! The one way in which a command fails: a message for stderr and an exit code.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use extbuf::format::ParseError;
use extbuf::layout::SliceParseError;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line says something that nothing can be made of: a format or a slice that does not parse. Exit
    /// code 2, which is also what unknown options get.
    Usage(String),
    /// What was asked for cannot be done. Exit code 1.
    Run(String),
    /// Whoever read our output has gone: nothing is left to say, and it is no error of ours.
    NobodyReads,
}

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// What cannot be done with a file.
    pub(crate) fn at(path: &Path, what: impl Display) -> Failure {
        Failure::Run(format!("{}: {what}", name(path)))
    }

    pub(crate) fn report(self) -> ExitCode {
        let (text, code) = match self {
            Failure::Usage(text) => (text, 2),
            Failure::Run(text) => (one_line(&text), 1),
            Failure::NobodyReads => return ExitCode::SUCCESS,
        };
        // Not `eprintln!`, which panics where stderr is closed.
        let _ = io::Write::write_all(&mut io::stderr(), format!("extbuf: {text}\n").as_bytes());
        ExitCode::from(code)
    }
}

/// What clap has to say: help and version as they are, errors under the name of the program as all others.
pub(crate) fn command_line(refusal: &clap::Error) -> ExitCode {
    if !refusal.use_stderr() || refusal.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // As `clap::Error::exit` does where nobody reads.
        let _ = refusal.print();
        return ExitCode::from(if refusal.use_stderr() { 2 } else { 0 });
    }
    let text = refusal.render().to_string();
    Failure::Usage(text.trim_start_matches("error: ").trim_end().to_owned()).report()
}

/// From writing to stdout, the only place where commands use `?` on plain input and output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::NobodyReads,
            _ => Failure::Run(format!("standard output: {}", system(&error))),
        }
    }
}

/// With the text and a caret under the place.
impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Failure {
        Failure::Usage(error.render().trim_start_matches("error: ").to_owned())
    }
}

/// With the text and a caret under the place.
impl From<SliceParseError> for Failure {
    fn from(error: SliceParseError) -> Failure {
        Failure::Usage(error.render())
    }
}

/// A path on one line.
pub(crate) fn name(path: &Path) -> String {
    one_line(&path.display().to_string())
}

/// Text from a file or a command line, safe to print: nothing in it moves the cursor or ends the line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A system's error in lower case and without its number, as our own are.
pub(crate) fn system(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
