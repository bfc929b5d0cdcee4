//! The extbuf program: explain formats, show the memory of a file, copy any view of it.
//!
//! One file a command (`explain`, `show`, `copy`, `tour/`), one a kind of file (`npy/`, `png`), and between them
//! [`source`] (a file becomes an exporter) and [`target`] (contiguous bytes become a file, whole or not at all).
//! Everything that can go wrong is a [`Failure`]: one message, and the exit code.
//!
//! # What this crate does not do
//!
//! It is a program and offers no library. It changes no value: what it writes are the bytes it read, in another order.
//! It converts no dtype, scales no picture and reads no object arrays.
#![deny(unsafe_code)]

mod args;
mod copy;
mod explain;
mod failure;
mod map;
mod npy;
mod png;
mod show;
mod source;
mod target;
mod terminal;
mod tour;
mod units;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use failure::Failure;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(refusal) => return failure::command_line(&refusal),
    };
    let outcome = match args.command {
        Command::Explain(args) => explain::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Copy(args) => copy::run(&args),
        Command::Tour(args) => tour::run(&args),
    };
    outcome.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}
