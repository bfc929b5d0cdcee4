//! The copy engine beside everything else that copies strided arrays, case by case, in one process, on the same
//! memory, every result checked before it is timed.
//!
//! `cases.json` is the table of cases, [`case`] reads it; [`job`] gives a case its memory and [`expected`] says what
//! must come out; [`peers`] holds everybody who can run it, [`measure`] lets them run by turns; [`results`] keeps what
//! was measured and [`report`] makes the book's page of it. [`sweep`] makes up other cases. [`cli`] is the command line, which `cargo xtask bench
//! --peers` drives. Python's packages take part through [`foreign`]: then Python is the process, and this a library
//! that it loads.
#![deny(unsafe_code)]

pub mod case;
pub mod cli;
pub mod expected;
pub mod foreign;
pub mod job;
pub mod measure;
pub mod memory;
pub mod peers;
pub mod plugin;
pub mod report;
pub mod results;
pub mod sweep;
