//! `extbuf explain`: the item tree of a format as a table, padding included.

use std::io::{self, BufWriter, Write};

use extbuf::format::Format;

use crate::args;
use crate::failure::{Result, one_line};
use crate::terminal;
use crate::units::bytes;

pub(crate) fn run(args: &args::Explain) -> Result {
    let format = Format::parse_as(args.dialect, &args.format)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let (asked, says) = (one_line(&args.format), one_line(&format.to_string()));
    writeln!(out, "format     {asked}")?;
    if says != asked {
        writeln!(out, "means      {says}")?;
    }
    writeln!(out, "itemsize   {}", bytes(format.itemsize()))?;
    writeln!(out, "alignment  {}", bytes(format.alignment()))?;
    writeln!(out, "dialect    {}\n", args.dialect)?;
    write!(out, "{}", extbuf_draw::format_table(&format))?;
    if format.itemsize() > 0 && format.outline().len() > 1 {
        let options = terminal::text_options(&args.page);
        write!(out, "\n{}", extbuf_draw::draw_format(&format).to_text(options))?;
    }
    Ok(out.flush()?)
}
