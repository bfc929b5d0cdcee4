//! Compilers from Debian's packages, unpacked under `target/debian/`: nothing of the machine is changed.
//!
//! Two things need another compiler than the one at hand. Standard libraries for other machines and for the sanitizers
//! are built from source, which Debian packs beside a current compiler; and `rust-version` names an old one. The
//! packages are called `rustc-web`: Debian 12 has 1.85 in its main part and a current one in its security updates.
//! They conflict with other compilers where they are installed, which they are not here. What Debian has now is asked
//! of it: the machine's own lists may be months old, and name versions that are no longer there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::shell::{Result, at, cargo, output, root, run, say, version_of};

const FOLDER: &str = "target/debian";

/// What the packages are, in words for who has to get them.
pub(crate) const INSTALL: &str =
    "from Debian 12 or a system that has its packages (bookworm and bookworm-security)";

/// A compiler that runs from `target/`.
#[derive(Debug)]
pub(crate) struct Compiler {
    /// As in `1.96.0`.
    pub(crate) version: String,
    /// As Debian names it.
    packaged: String,
    folder: PathBuf,
}

impl Compiler {
    /// The newest one, with the source of its standard library and the runtimes of the sanitizers.
    pub(crate) fn newest() -> Result<Self> {
        update_lists()?;
        let known = versions()?;
        let newest = known.first().ok_or_else(|| none("rustc-web"))?;
        let compiler = Self::unpacked(newest, "rust-web-src")?;
        compiler.add_runtimes()?;
        Ok(compiler)
    }

    /// That of this minor version, as `1.85`, with its own Cargo; `None` where Debian has no such.
    pub(crate) fn of(minor: &str) -> Result<Option<Self>> {
        update_lists()?;
        let known = versions()?;
        let begin = format!("{minor}.");
        let found = known.iter().find(|version| version.starts_with(&begin));
        found.map(|version| Self::unpacked(version, "cargo-web")).transpose()
    }

    /// The Cargo that came with this compiler.
    pub(crate) fn own_cargo(&self) -> Command {
        let mut command = Command::new(self.program("cargo"));
        command.env("RUSTC", self.program("rustc")).env_remove("CARGO_TARGET_DIR");
        command
    }

    /// Cargo with this compiler, allowed what is unstable.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = cargo(arguments);
        command.env("RUSTC", self.program("rustc")).env("RUSTDOC", self.program("rustdoc"));
        command.env("RUSTC_BOOTSTRAP", "1");
        command
    }

    fn program(&self, name: &str) -> PathBuf {
        root().join(&self.folder).join(name)
    }

    /// Takes the folder if it is whole, else fetches the packages into it.
    fn unpacked(packaged: &str, with: &str) -> Result<Self> {
        let version = packaged.split('+').next().unwrap_or(packaged).to_owned();
        let folder = Path::new(FOLDER).join(&version);
        let compiler = Self { version, packaged: packaged.to_owned(), folder };
        let stamp = compiler.folder.join("unpacked.txt");
        let wanted = format!("{packaged} with {with}");
        if fs::read_to_string(&stamp).is_ok_and(|unpacked| unpacked == wanted) && compiler.answers() {
            return Ok(compiler);
        }
        say(&format!("unpacking Debian's Rust {packaged} under {}", compiler.folder.display()));
        if compiler.folder.exists() {
            at(&compiler.folder, fs::remove_dir_all(&compiler.folder))?;
        }
        compiler.unpack(with)?;
        for program in ["rustc", "rustdoc", "cargo"] {
            compiler.wrap(program)?;
        }
        if !compiler.answers() {
            let tried = output(Command::new(compiler.program("rustc")).arg("--version"));
            let why = tried.err().map(|failure| failure.message).unwrap_or_default();
            return Err(format!("Debian's compiler does not run here: {why}").into());
        }
        at(&stamp, fs::write(&stamp, wanted))?;
        Ok(compiler)
    }

    fn answers(&self) -> bool {
        version_of(self.program("rustc"), &["--version"]).is_some_and(|said| said.contains(&self.version))
    }

    /// The standard library for machines of this kind, which Debian calls by another name, as it is built for them.
    pub(crate) fn add_library(&self, target: &str, architecture: &str) -> Result {
        let stamp = self.folder.join(format!("{target}.txt"));
        if stamp.exists() {
            return Ok(());
        }
        self.fetch(&[format!("libstd-rust-web-dev:{architecture}={}", self.packaged)])?;
        at(&stamp, fs::write(&stamp, &self.packaged))
    }

    fn unpack(&self, with: &str) -> Result {
        let packaged = &self.packaged;
        let minor = self.version.rsplit_once('.').map_or(&*self.version, |(minor, _)| minor);
        let library = format!("libstd-rust-web-{minor}");
        let of_this_version = ["rustc-web", "libstd-rust-web-dev", &library, with];
        let mut packages: Vec<String> =
            of_this_version.iter().map(|package| format!("{package}={packaged}")).collect();
        for package in [&library, with] {
            packages.extend(libraries_of(package, packaged)?);
        }
        self.fetch(&packages)?;
        // Of a compiler's source only the standard library is wanted, a sixth of it.
        let source = self.folder.join(format!("usr/src/rustc-{}", self.version));
        for unwanted in ["src", "compiler"].map(|name| source.join(name)) {
            if unwanted.exists() {
                at(&unwanted, fs::remove_dir_all(&unwanted))?;
            }
        }
        Ok(())
    }

    /// Downloads packages and unpacks them into the folder.
    fn fetch(&self, packages: &[String]) -> Result {
        let fetched = self.folder.join("packages");
        at(&fetched, fs::create_dir_all(&fetched))?;
        let mut download = apt("apt-get");
        download.current_dir(&fetched).args(["download", "--quiet"]);
        run(download.args(packages)).map_err(|failure| format!("{failure}; they come {INSTALL}"))?;
        for package in at(&fetched, fetched.read_dir())? {
            run(Command::new("dpkg-deb").arg("-x").arg(package?.path()).arg(&self.folder))?;
        }
        at(&fetched, fs::remove_dir_all(&fetched))
    }

    /// A script that finds the libraries of the folder; Cargo takes it for the compiler.
    fn wrap(&self, program: &str) -> Result {
        let usr = root().join(&self.folder).join("usr");
        let script = format!(
            "#!/bin/sh\nLD_LIBRARY_PATH='{0}/lib/{1}-linux-gnu:{0}/../lib/{1}-linux-gnu' exec '{0}/bin/{program}' \"$@\"\n",
            usr.display(),
            std::env::consts::ARCH,
        );
        let path = self.program(program);
        at(&path, fs::write(&path, script))?;
        output(Command::new("chmod").arg("+x").arg(&path)).map(drop)
    }

    /// Debian leaves out the runtimes of the sanitizers; the compiler at hand has them.
    fn add_runtimes(&self) -> Result {
        let libraries = |program: PathBuf| {
            output(Command::new(program).args(["--print", "target-libdir"]))
                .map(|path| path.trim().to_owned())
        };
        let (from, to) = (libraries("rustc".into())?, libraries(self.program("rustc"))?);
        for sanitizer in ["tsan", "msan"] {
            let name = format!("librustc-stable_rt.{sanitizer}.a");
            let (from, to) = (Path::new(&from).join(&name), Path::new(&to).join(&name));
            if to.exists() {
                continue;
            }
            if !from.exists() {
                return Err(format!(
                    "{} does not exist: use a stable compiler of rustup's, which has the sanitizers' runtimes",
                    from.display()
                )
                .into());
            }
            at(&to, fs::copy(&from, &to))?;
        }
        Ok(())
    }
}

/// A program of apt's over lists of our own, once they were fetched, and as if nothing were installed: what counts is
/// what can be fetched now.
fn apt(program: &str) -> Command {
    let mut command = Command::new(program);
    let lists = root().join(FOLDER).join("lists");
    if lists.is_dir() {
        let cache = root().join(FOLDER).join("cache");
        for (name, path) in
            [("State::Lists", &lists), ("State::Status", &lists.join("installed")), ("Cache", &cache)]
        {
            command.arg("-o").arg(format!("Dir::{name}={}", path.display()));
        }
    }
    command.args(["-o", "APT::Sandbox::User=root"]);
    for architecture in ARCHITECTURES {
        command.arg("-o").arg(format!("APT::Architectures::={architecture}"));
    }
    command
}

/// What Debian calls the machine at hand, and those whose libraries are fetched.
const ARCHITECTURES: [&str; 3] = ["amd64", "i386", "arm64"];

/// Fetches the lists, unless that was done within a day.
fn update_lists() -> Result {
    let lists = root().join(FOLDER).join("lists");
    let installed = lists.join("installed");
    // Fetched, and for these architectures.
    let stamp = lists.join("fetched.txt");
    let age =
        fs::metadata(&stamp).and_then(|file| file.modified()).map(|at| SystemTime::now().duration_since(at));
    let same = fs::read_to_string(&stamp).is_ok_and(|fetched| fetched == ARCHITECTURES.join(" "));
    if same && age.is_ok_and(|age| age.is_ok_and(|age| age < Duration::from_secs(24 * 60 * 60))) {
        return Ok(());
    }
    for folder in [lists.join("partial"), root().join(FOLDER).join("cache/archives/partial")] {
        at(&folder, fs::create_dir_all(&folder))?;
    }
    at(&installed, fs::write(&installed, ""))?;
    run(apt("apt-get").args(["update", "--quiet", "--error-on=any"])).map_err(|failure| {
        // Old lists are better than none; a stamp would keep them for a day.
        drop(fs::remove_dir_all(&lists));
        format!("{failure}; the compiler for this step comes {INSTALL}")
    })?;
    at(&stamp, fs::write(&stamp, ARCHITECTURES.join(" ")))
}

/// The versions that Debian has for this machine, the newest first.
pub(crate) fn versions() -> Result<Vec<String>> {
    let printed = output(apt("apt-cache").args(["madison", "rustc-web"]))
        .map_err(|failure| format!("{failure}; the compiler for this step comes {INSTALL}"))?;
    Ok(printed.lines().filter_map(listed).collect())
}

/// `rustc-web | VERSION | ARCHIVE` as the version.
fn listed(line: &str) -> Option<String> {
    let mut columns = line.split('|').map(str::trim);
    columns.next().filter(|package| *package == "rustc-web")?;
    columns.next().map(str::to_owned)
}

/// The packages of shared libraries that a package stands on, but for those of every machine.
fn libraries_of(package: &str, packaged: &str) -> Result<Vec<String>> {
    let described = output(apt("apt-cache").args(["show", &format!("{package}={packaged}")]))
        .map_err(|failure| format!("{failure}; they come {INSTALL}"))?;
    Ok(libraries_in(&described))
}

fn libraries_in(described: &str) -> Vec<String> {
    const EVERYWHERE: [&str; 3] = ["libc6", "libgcc-s1", "libstdc++6"];
    let depends = described.lines().find_map(|line| line.strip_prefix("Depends: ")).unwrap_or_default();
    let names = depends.split(',').filter_map(|one| one.split_whitespace().next());
    names.filter(|name| name.starts_with("lib") && !EVERYWHERE.contains(name)).map(str::to_owned).collect()
}

fn none(package: &str) -> String {
    format!("Debian's package {package} is not known to this machine: it comes {INSTALL}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_list() {
        let line =
            " rustc-web | 1.85.0+dfsg3-1~deb12u3 | http://example.org/debian bookworm/main amd64 Packages";
        assert_eq!(listed(line).as_deref(), Some("1.85.0+dfsg3-1~deb12u3"));
        assert_eq!(listed("rustc-web-doc | 1 | x"), None);
        assert_eq!(listed(""), None);
    }

    #[test]
    fn the_libraries_are_among_the_dependencies() {
        let described = "Package: x\nDepends: libc6 (>= 2.34), libllvm22, binutils, libpcre3 (>= 1)\n";
        assert_eq!(libraries_in(described), ["libllvm22", "libpcre3"]);
        assert!(libraries_in("Package: x\n").is_empty());
    }
}
