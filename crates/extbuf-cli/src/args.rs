//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use extbuf::format::Dialect;
use extbuf::layout::Order;

/// Explain item formats, show the memory behind a file, and copy any sliced, permuted view of it.
#[derive(Debug, Parser)]
#[command(name = "extbuf", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Explain(Explain),
    Show(Show),
    Copy(Copy),
    Tour(Tour),
}

/// Explain a format: every field with its offset, size, alignment and padding
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  extbuf explain '<hhq'\n  extbuf explain 'T{B:tag:d:x:(2,3)h:m:}'\n  \
                        extbuf explain --dialect numpy '(2,2)f:m:'")]
pub(crate) struct Explain {
    /// The format, such as '<hhq' or 'T{d:x:d:y:}'
    #[arg(allow_hyphen_values = true)]
    pub(crate) format: String,
    /// Whose rules the text follows
    #[arg(long, value_name = "NAME", default_value_t, value_parser = dialect)]
    pub(crate) dialect: Dialect,
    #[command(flatten)]
    pub(crate) page: Page,
}

/// Show what a file holds and how its memory is walked: format, shape, strides, loads, a drawing
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  extbuf show array.npy\n  extbuf show 'photo.png[100:200, ::-1]'\n  \
                        extbuf show 'dump.bin[..., 0]' --format '<f' --shape 480,640,3")]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) page: Page,
}

/// Write a view of a file as a file of its own, its items contiguous
///
/// The output is written beside its final name and moved there when it is complete: a failure leaves no half of a file.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  extbuf copy 'photo.png[100:400, 50:350]' crop.png\n  \
                        extbuf copy photo.png planes.npy --axes 2,0,1\n  \
                        extbuf copy 'array.npy[::-1, ..., None]' out.npy --order F --plan")]
pub(crate) struct Copy {
    #[command(flatten)]
    pub(crate) input: Input,
    /// The file to write; its name ends in .npy, .png, .raw or .bin
    pub(crate) output: PathBuf,
    /// New order of the axes, after slicing: axis i of the output is axis AXES[i] of the view
    #[arg(long, value_name = "AXES", value_delimiter = ',', allow_hyphen_values = true, num_args = 1)]
    pub(crate) axes: Option<Vec<isize>>,
    /// Which axis runs fastest in the output: the last (C) or the first (F)
    #[arg(long, default_value = "C", ignore_case = true)]
    pub(crate) order: OutputOrder,
    /// What to write, whatever the output's name says
    #[arg(long, value_name = "KIND")]
    pub(crate) to: Option<Kind>,
    /// Copy on this many threads [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Print the plan of the copy: its loops, its kernel and its parts
    #[arg(long)]
    pub(crate) plan: bool,
}

/// See the whole idea at work, step by step, on a picture that the program draws itself; needs no files
#[derive(Debug, Parser)]
pub(crate) struct Tour {
    #[command(flatten)]
    pub(crate) page: Page,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Input {
    /// A .npy or .png file, or raw bytes with --format; a slice in Python's notation may follow in brackets
    #[arg(value_name = "FILE[SLICE]")]
    pub(crate) file: OsString,
    /// The slice by itself; FILE is then a name and nothing else, whatever brackets are in it
    #[arg(long, value_name = "SLICE", allow_hyphen_values = true)]
    pub(crate) slice: Option<String>,
    /// Take the file for raw bytes with items of this format
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) format: Option<String>,
    /// Shape of raw bytes, in C order [default: as many items as there are]
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', num_args = 1, requires = "format")]
    pub(crate) shape: Option<Vec<usize>>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Page {
    /// Columns to fill [default: the terminal's, else 80]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..=1000))]
    pub(crate) width: Option<u16>,
    /// Draw with ASCII characters alone
    #[arg(long)]
    pub(crate) ascii: bool,
}

/// A kind of file that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// NumPy's array file
    Npy,
    /// A picture
    Png,
    /// The items and nothing else
    Raw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputOrder {
    #[value(name = "C")]
    C,
    #[value(name = "F")]
    F,
}

impl From<OutputOrder> for Order {
    fn from(order: OutputOrder) -> Order {
        match order {
            OutputOrder::C => Order::C,
            OutputOrder::F => Order::F,
        }
    }
}

fn dialect(name: &str) -> Result<Dialect, String> {
    name.parse().map_err(|error: extbuf::format::UnknownDialect| error.to_string())
}
