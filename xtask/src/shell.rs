//! Running other programs: every command is printed as a person would type it, and a failure keeps its exit code.

use std::fmt;
use std::io::{self, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::{iter, thread};

/// What every task returns.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why a task failed, in words for the person who ran it, and the exit code to leave with.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) code: u8,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, code: 1 }
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        error.to_string().into()
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self { message: format!("{error}; `cargo xtask --help` lists what there is"), code: 2 }
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// `cargo` with these arguments. It builds into `target/`, where the tasks look for what it built.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).env_remove("CARGO_TARGET_DIR");
    command
}

/// Prints the command and runs it; an exit status other than 0 is a failure with the same code.
pub(crate) fn run(command: &mut Command) -> Result {
    say(&format!("$ {}", shown(command)));
    let status = command.stdin(Stdio::null()).status().map_err(|error| not_started(command, &error))?;
    ended(command, status)
}

fn ended(command: &Command, status: ExitStatus) -> Result {
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Failure { message: format!("`{}` failed ({status})", shown(command)), code })
}

/// As [`run`], but what the command says is held back and printed after it, in one piece: for commands that run beside
/// each other.
pub(crate) fn run_held(command: &mut Command) -> Result {
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).output();
    let output = output.map_err(|error| not_started(command, &error))?;
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    say(&format!("$ {}\n{}{}", shown(command), said[0], said[1]));
    ended(command, output.status)
}

/// As [`run_held`] for commands that keep one processor busy each: as many at a time as there are processors. All of them
/// end before the first failure is told.
pub(crate) fn run_beside(commands: Vec<Command>) -> Result {
    let waiting = Mutex::new(commands.into_iter());
    let next = || waiting.lock().expect("no panic").next();
    let failed = Mutex::new(Vec::new());
    let one_after_another = || {
        for mut command in iter::from_fn(next) {
            if let Err(failure) = run_held(&mut command) {
                failed.lock().expect("no panic").push(failure);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(one_after_another);
        }
    });
    failed.into_inner().expect("no panic").into_iter().next().map_or(Ok(()), Err)
}

/// Runs the command without printing it and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{}` failed ({}): {}", shown(command), output.status, said.trim_end()).into())
}

/// The first line that a program prints when asked for its version, if the program is there and answers.
pub(crate) fn version_of(program: impl AsRef<Path>, arguments: &[&str]) -> Option<String> {
    let printed = output(Command::new(program.as_ref()).args(arguments)).ok()?;
    printed.lines().next().map(str::to_owned)
}

/// Prints one line at once, so that it stands before what the next program prints.
pub(crate) fn say(line: &str) {
    // A closed pipe is no reason to stop a check half way.
    let _ = writeln!(io::stdout().lock(), "{line}").and_then(|()| io::stdout().flush());
}

/// A file that the message of an error should name.
pub(crate) fn at<T>(path: &Path, result: io::Result<T>) -> Result<T> {
    result.map_err(|error| format!("{}: {error}", path.display()).into())
}

/// All files below a folder, in the order of their names; folders named `skip` are left out.
pub(crate) fn files_below(folder: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in at(&folder, folder.read_dir())? {
            let path = at(&folder, entry)?.path();
            if !path.is_dir() {
                files.push(path);
            } else if !skip(&path) {
                folders.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn not_started(command: &Command, error: &io::Error) -> Failure {
    format!("`{}` could not be started: {error}", command.get_program().to_string_lossy()).into()
}

/// The command as it would be typed in the workspace's folder.
fn shown(command: &Command) -> String {
    let mut words = Vec::new();
    if let Some(folder) = command.get_current_dir() {
        words.push(format!("cd {} &&", quoted(&folder.to_string_lossy())));
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.to_string_lossy(), quoted(&value.to_string_lossy())));
        }
    }
    words.push(quoted(&command.get_program().to_string_lossy()));
    words.extend(command.get_args().map(|argument| quoted(&argument.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = cargo(["doc", "--no-deps"]);
        command.env("RUSTDOCFLAGS", "-D warnings").arg("it's");
        assert_eq!(shown(&command), r"RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'it'\''s'");
    }

    #[test]
    fn a_failure_beside_others_is_told_when_all_have_ended() {
        let file = std::env::temp_dir().join(format!("extbuf-beside-{}", std::process::id()));
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).arg("sh").arg(&file);
            command
        };
        let commands = ["exit 7", "true", "true", "sleep 0.2; echo done > \"$1\""].map(shell);
        let failure = run_beside(commands.into()).unwrap_err();
        assert_eq!(failure.code, 7);
        std::fs::remove_file(&file).expect("the last command has ended");
        assert!(run_beside(Vec::new()).is_ok());
    }

    #[test]
    fn a_failing_command_keeps_its_exit_code() {
        let failure = run(Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(failure.code, 7);
        assert!(failure.message.contains("exit 7"), "{failure}");
    }
}
