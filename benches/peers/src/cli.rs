//! The command line: measure cases, write the page, list what is lost, count instructions.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use extbuf_plugin::Way;
use lexopt::Arg::{Long, Short, Value};
use lexopt::ValueExt as _;
use regex::Regex;

use crate::case::{Case, table};
use crate::foreign::Foreign;
use crate::job::Job;
use crate::measure::{Settings, measure};
use crate::peers::{Role, ours};
use crate::plugin::Plugin;
use crate::report;
use crate::results::{Counts, Measured, Results};
use crate::sweep::sweep;

const HELP: &str = "\
The copy engine beside everything else that copies strided arrays.

Usage: extbuf-peers measure | report | losses | list | once | sweep  [OPTIONS]

  measure   runs the cases and puts the results into the file
              --threads N      on so many threads (1)
              --only REGEX     cases whose name matches, or whose group is this
              --budget S       seconds for each peer and case (0.2)
              --names A,B      only these take part, beside the limits
              --plugin LIBRARY=NAME    an engine behind the five functions of extbuf-plugin
              --seconds N      begins no case after so many
              --resume         leaves out what this commit was measured for already
              --commit NAME    what is measured
              --date DATE      when
  report    writes the generated part of the book's page from the file
              --page FILE      the page
              --counts FILE    the counts of instructions
  losses    prints the cases in which a peer is faster, the worst first
  list      prints the cases
  once      plans and runs one case, for tools that count instructions
              --only ID        the case
              --times N        how often the plan is run (1)
              --one-shot       plans anew in every run
  sweep     copies that nobody chose, beside plain loops; the worst first
              --seed N         which ones (1)
              --seconds N      for so long (60)
              --threads N      on so many threads (1)

  --results FILE               the file of results
";

type Failure = Box<dyn std::error::Error>;

#[derive(Debug)]
struct Options {
    results: PathBuf,
    page: PathBuf,
    counts: PathBuf,
    only: Option<Regex>,
    threads: usize,
    budget: f64,
    seconds: Option<u64>,
    names: Vec<String>,
    plugins: Vec<Plugin>,
    resume: bool,
    commit: String,
    date: String,
    times: usize,
    one_shot: bool,
    seed: u64,
}

/// Runs the command line; the exit code for the system.
pub fn run(arguments: Vec<OsString>, foreign: Option<&Foreign>) -> ExitCode {
    code(arguments, foreign).into()
}

/// Runs the command line; the exit code as a number.
pub fn code(arguments: Vec<OsString>, foreign: Option<&Foreign>) -> u8 {
    match dispatch(arguments, foreign) {
        Ok(()) => 0,
        Err(failure) => {
            eprintln!("error: {failure}");
            1
        }
    }
}

fn dispatch(arguments: Vec<OsString>, foreign: Option<&Foreign>) -> Result<(), Failure> {
    let mut arguments = lexopt::Parser::from_args(arguments);
    let task = match arguments.next()? {
        None | Some(Short('h') | Long("help")) => {
            print!("{HELP}");
            return Ok(());
        }
        Some(Value(task)) => task.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    let mut options = Options {
        results: "benches/peers/results.json".into(),
        page: "docs/src/benchmarks.md".into(),
        counts: "benches/peers/counts.json".into(),
        only: None,
        threads: 1,
        budget: 0.2,
        seconds: None,
        names: Vec::new(),
        plugins: Vec::new(),
        resume: false,
        commit: "unknown".to_owned(),
        date: String::new(),
        times: 1,
        one_shot: false,
        seed: 1,
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("results") => options.results = arguments.value()?.into(),
            Long("page") => options.page = arguments.value()?.into(),
            Long("counts") => options.counts = arguments.value()?.into(),
            Long("only") => options.only = Some(Regex::new(&arguments.value()?.string()?)?),
            Long("threads") => options.threads = arguments.value()?.parse()?,
            Long("budget") => options.budget = arguments.value()?.parse()?,
            Long("seconds") => options.seconds = Some(arguments.value()?.parse()?),
            Long("names") => {
                options.names = arguments.value()?.string()?.split(',').map(str::to_owned).collect();
            }
            Long("plugin") => options.plugins.push(Plugin::load(&arguments.value()?.string()?)?),
            Long("resume") => options.resume = true,
            Long("commit") => options.commit = arguments.value()?.string()?,
            Long("date") => options.date = arguments.value()?.string()?,
            Long("times") => options.times = arguments.value()?.parse()?,
            Long("seed") => options.seed = arguments.value()?.parse()?,
            Long("one-shot") => options.one_shot = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let cases: Vec<Case> = table()?.into_iter().filter(|case| options.wants(case)).collect();
    match task.as_str() {
        "measure" => measure_all(&cases, &options, foreign),
        "report" => report::write_page(
            &Results::read(&options.results)?,
            &Counts::read(&options.counts)?,
            &options.page,
        ),
        "losses" => {
            print!("{}", report::losses(&Results::read(&options.results)?)?);
            Ok(())
        }
        "list" => {
            for case in &cases {
                println!("{:<30} {:<12} {}", case.id(), case.entry.group, case.words());
            }
            Ok(())
        }
        "once" => once(&cases, &options),
        "sweep" => {
            rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
            let time = Duration::from_secs(options.seconds.unwrap_or(60));
            Ok(sweep(options.seed, time, options.threads)?)
        }
        other => Err(format!("there is no `{other}`; --help lists what there is").into()),
    }
}

impl Options {
    fn wants(&self, case: &Case) -> bool {
        self.only.as_ref().is_none_or(|only| {
            only.is_match(case.id()) || only.as_str() == case.entry.group || only.as_str() == case.id()
        })
    }
}

fn measure_all(cases: &[Case], options: &Options, foreign: Option<&Foreign>) -> Result<(), Failure> {
    // What panics is a peer that cannot do the case; its message would drown the rest.
    std::panic::set_hook(Box::new(|_| {}));
    rayon::ThreadPoolBuilder::new().num_threads(options.threads).build_global()?;
    let start = Instant::now();
    let machine = machine();
    let mut left = 0;
    for (number, case) in cases.iter().enumerate() {
        let mut results = Results::read(&options.results)?;
        let done = results.of(case.id(), options.threads);
        if options.resume && done.is_some_and(|done| done.commit == options.commit && done.machine == machine)
        {
            continue;
        }
        if options.seconds.is_some_and(|most| start.elapsed() >= Duration::from_secs(most)) {
            left += 1;
            continue;
        }
        let settings = Settings {
            threads: options.threads,
            budget: options.budget,
            names: &options.names,
            plugins: &options.plugins,
        };
        let measured = Measured {
            commit: options.commit.clone(),
            date: options.date.clone(),
            machine: machine.clone(),
            ..measure(case, settings, foreign)
        };
        println!(
            "{:>5.0} s  {:>3} of {}  {}",
            start.elapsed().as_secs_f64(),
            number + 1,
            cases.len(),
            line(case, &measured)
        );
        results.merge(case.id(), options.threads, measured);
        results.write(&options.results)?;
    }
    if left > 0 {
        println!("{left} cases left");
    }
    Ok(())
}

/// A case in one line: everybody's part of the limit, the fastest first.
fn line(case: &Case, measured: &Measured) -> String {
    let limit = measured.fastest(&[Role::Limit]).map_or(f64::NAN, |(_, time)| time);
    let mut times: Vec<_> = measured
        .timings
        .iter()
        .filter(|(_, timing)| timing.role != Role::Limit)
        .filter_map(|(name, timing)| Some((timing.median?, name)))
        .collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut text = format!("{:<26} {:>6.1} GB/s ", case.id(), 2.0 * case.out_bytes() as f64 / limit);
    for (time, name) in times.iter().take(5) {
        text += &format!(" {name} {:.2}", limit / time);
    }
    if let Some(place) = times.iter().position(|(_, name)| *name == "extbuf").filter(|&place| place >= 5) {
        text += &format!(" … extbuf {:.2}", limit / times[place].0);
    }
    for (name, timing) in &measured.timings {
        if let Some(failed) = &timing.failed {
            text += &format!("  [{name}: {failed}]");
        }
    }
    text
}

/// The processor and the number of cores that this process may use.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        about
            .lines()
            .find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))
            .and_then(|line| line.split(':').nth(1))
            .map(|value| value.trim().to_owned())
    };
    let name = field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let model = match (field("cpu family"), field("model")) {
        (Some(family), Some(model)) => format!(" (family {family}, model {model})"),
        _ => String::new(),
    };
    format!("{name}{model}, {cores} cores")
}

fn once(cases: &[Case], options: &Options) -> Result<(), Failure> {
    let [case] = cases else { return Err(format!("{} cases are meant, not one", cases.len()).into()) };
    let job = Job::new(case, 1);
    let way = Way { threads: 1, one_shot: options.one_shot };
    let mut work = ours::work(&job, way).ok_or("the engine does not offer this case")?;
    for _ in 0..options.times {
        work.run();
    }
    println!("{work}");
    Ok(())
}
