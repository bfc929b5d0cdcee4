//! The runner: everything that builds, checks or publishes this workspace is a task here. Nothing but dispatch
//! lives in this file; each task is a module.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod deps;
mod docs;
mod doctor;
mod figures;
mod fuzz;
mod links;
mod msrv;
mod packages;
mod python;
mod shell;
mod tidy;
mod wheel;

use lexopt::Arg::{Long, Short, Value};
use lexopt::ValueExt as _;
use shell::Result;

const HELP: &str = "\
The runner of the extbuf workspace.

Usage: cargo xtask TASK [OPTIONS]

Tasks:
  ci        every check, as the build server runs it; stops at the first step that fails
              --list         print the steps and stop
              --only STEP    run just this step (may be repeated)
              --full         also the slow steps: packages, each bench once, each fuzz target briefly
              --no-python    leave out the step that needs Python
              --keep-going   run the remaining steps after a failure
  tidy      the architecture as a test: who may know whom, where unsafe may stand, no stale paths
  docs      the book and the reference of every crate as one site under target/site/
              --open         show it in the browser
  python    the wheel of the Python package, tested on every interpreter of the machine from 3.11 up
              --on VERSION   just this one, as 3.12
  bench     the criterion benches
              --bench NAME   just this one
              -- ARGS...     passed on to criterion
  doctor    which tools are there, which are missing, and how to install those

`cargo xtask ci` is what must pass before a change is merged.
";

fn main() -> std::process::ExitCode {
    match dispatch() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.code.into()
        }
    }
}

fn dispatch() -> Result {
    std::env::set_current_dir(shell::root())?;
    let mut arguments = lexopt::Parser::from_env();
    let task = match arguments.next()? {
        None | Some(Short('h') | Long("help")) => {
            print!("{HELP}");
            return Ok(());
        }
        Some(Value(task)) => task.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    match task.as_str() {
        "ci" => {
            let mut options = ci::Options::default();
            while let Some(argument) = arguments.next()? {
                match argument {
                    Long("list") => options.list = true,
                    Long("only") => options.only.push(arguments.value()?.string()?),
                    Long("full") => options.full = true,
                    Long("no-python") => options.no_python = true,
                    Long("keep-going") => options.keep_going = true,
                    other => return Err(other.unexpected().into()),
                }
            }
            ci::task(&options)
        }
        "tidy" => nothing_more(arguments).and_then(|()| tidy::task()),
        "docs" => {
            let mut open = false;
            while let Some(argument) = arguments.next()? {
                match argument {
                    Long("open") => open = true,
                    other => return Err(other.unexpected().into()),
                }
            }
            docs::task(open)
        }
        "python" => {
            let mut only = None;
            while let Some(argument) = arguments.next()? {
                match argument {
                    Long("on") => only = Some(arguments.value()?.string()?),
                    other => return Err(other.unexpected().into()),
                }
            }
            wheel::task(only.as_deref())
        }
        "bench" => {
            let (mut names, mut rest) = (Vec::new(), Vec::new());
            while let Some(argument) = arguments.next()? {
                match argument {
                    Long("bench") => names.push(arguments.value()?.string()?),
                    Value(value) => rest.push(value.string()?),
                    other => return Err(other.unexpected().into()),
                }
            }
            bench::task(&names, &rest)
        }
        "doctor" => nothing_more(arguments).and_then(|()| doctor::task()),
        other => Err(format!("there is no task `{other}`; `cargo xtask --help` lists them").into()),
    }
}

fn nothing_more(mut arguments: lexopt::Parser) -> Result {
    match arguments.next()? {
        None => Ok(()),
        Some(argument) => Err(argument.unexpected().into()),
    }
}
