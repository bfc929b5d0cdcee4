//! The runner: everything that builds, checks or publishes this workspace is a task here. Nothing but dispatch
//! lives in this file; each task is a module.
#![forbid(unsafe_code)]

mod assembly;
mod bench;
mod ci;
mod debian;
mod deps;
mod docs;
mod doctor;
mod figures;
mod fuzz;
mod guards;
mod links;
mod machines;
mod msrv;
mod packages;
mod peers;
mod python;
mod sanitizers;
mod shell;
mod soak;
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
            or, with --peers, the copy engine beside other libraries, into the book's page on benchmarks
              --python       with NumPy, OpenCV, JAX and OpenBLAS; --torch adds PyTorch, which is large
              --threads 1|2  on so many threads; both without it
              --only REGEX   cases whose name matches, or whose group is this
              --budget S     seconds for each peer and case
              --seconds N    begins no case after so many; --resume goes on where this commit was left
              --plugin LIBRARY=NAME    another build of the engine beside it
              --report       only the page, from the results that are there
              --losses       only the list of cases in which somebody else is faster
              --counts       the instructions of tiny copies, by valgrind
              --assembly     full-width loads and stores and no index checks in the inner loops
  fuzz      the fuzz targets, each for a minute; needs cargo-fuzz
              TARGET...      just these
              --seconds N    each for so long
  api       writes down what the libraries offer, which the step of that name compares
  soak      threads that lend, copy and release at random under injected failures; memory stays flat
              --minutes N    for so long, 10 if not said
              --seed N       the same work as a run that printed this
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
            let (mut names, mut rest, mut peers) = (Vec::new(), Vec::new(), None::<peers::Options>);
            while let Some(argument) = arguments.next()? {
                match (argument, &mut peers) {
                    (Long("bench"), None) => names.push(arguments.value()?.string()?),
                    (Value(value), None) => rest.push(value.string()?),
                    (Long("peers"), None) => peers = Some(peers::Options::default()),
                    (Long("python"), Some(peers)) => peers.python = true,
                    (Long("torch"), Some(peers)) => (peers.python, peers.torch) = (true, true),
                    (Long("threads"), Some(peers)) => peers.threads = Some(arguments.value()?.string()?),
                    (Long("report"), Some(peers)) => peers.report = true,
                    (Long("losses"), Some(peers)) => peers.losses = true,
                    (Long("counts"), Some(peers)) => peers.counts = true,
                    (Long("assembly"), Some(_)) => {
                        nothing_more(arguments)?;
                        return assembly::task();
                    }
                    (Long("resume"), Some(peers)) => peers.passed_on.push("--resume".into()),
                    (Long(name @ ("only" | "budget" | "seconds" | "names" | "plugin")), Some(peers)) => {
                        let name = format!("--{name}");
                        peers.passed_on.extend([name.into(), arguments.value()?]);
                    }
                    (other, _) => return Err(other.unexpected().into()),
                }
            }
            match peers {
                Some(options) => peers::task(&options),
                None => bench::task(&names, &rest),
            }
        }
        "fuzz" => {
            let mut options = fuzz::Options::default();
            while let Some(argument) = arguments.next()? {
                match argument {
                    Long("seconds") => options.seconds = Some(arguments.value()?.parse()?),
                    Value(target) => options.targets.push(target.string()?),
                    other => return Err(other.unexpected().into()),
                }
            }
            fuzz::task(&options)
        }
        "api" => nothing_more(arguments).and_then(|()| guards::bless()),
        "soak" => {
            let mut options = soak::Options::default();
            while let Some(argument) = arguments.next()? {
                match argument {
                    Long("minutes") => options.minutes = Some(arguments.value()?.parse()?),
                    Long("seed") => options.seed = Some(arguments.value()?.parse()?),
                    other => return Err(other.unexpected().into()),
                }
            }
            soak::task(&options)
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
