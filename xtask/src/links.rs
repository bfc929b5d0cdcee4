//! Dead links in a built site: every local `href` and `src` must lead to a file of the site, and every `#anchor` to
//! an element with that `id`.
//!
//! This is no HTML parser. It reads tags and their attributes, which is all that links are made of, and leaves out
//! comments and the text of scripts and styles, where `<` means something else.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::shell::{Result, at, files_below};

#[derive(Debug, Default)]
struct Page {
    anchors: HashSet<String>,
    links: Vec<String>,
    /// Where the page sends its reader at once, anchor and all.
    moved: Option<String>,
}

/// One line a dead link, `page: link: why`.
pub(crate) fn dead(site: &Path) -> Result<Vec<String>> {
    let mut pages = HashMap::new();
    let mut files = HashSet::new();
    for file in files_below(site, &|_| false)? {
        if file.extension().is_some_and(|extension| extension == "html") {
            let text = at(&file, fs::read_to_string(&file))?;
            pages.insert(file.clone(), page(&text));
        }
        files.insert(file);
    }
    let mut dead = Vec::new();
    for (file, page) in &pages {
        let name = file.strip_prefix(site).expect("lies below").display();
        for link in &page.links {
            if let Some(why) = wrong(file, link, &pages, &files) {
                dead.push(format!("{name}: {link}: {why}"));
            }
        }
    }
    dead.sort();
    dead.dedup();
    Ok(dead)
}

/// Why this link of this page leads nowhere, or `None` if it leads somewhere or out of the site.
fn wrong(
    file: &Path,
    link: &str,
    pages: &HashMap<PathBuf, Page>,
    files: &HashSet<PathBuf>,
) -> Option<&'static str> {
    let scheme = link.split(['/', '?', '#']).next().is_some_and(|head| head.contains(':'));
    if scheme || link.starts_with("//") {
        return None;
    }
    let (address, anchor) = link.split_once('#').unwrap_or((link, ""));
    let address = decoded(address.split('?').next().unwrap_or_default());
    let mut target = if address.is_empty() { file.to_owned() } else { beside(file, &address) };
    if address.ends_with('/') {
        target.push("index.html");
    }
    if link == "all.html" {
        // rustdoc's: the page of a crate that another re-exports offers a list of items that rustdoc does not write.
        return None;
    }
    if !files.contains(&target) {
        return Some("no such file in the site");
    }
    let source_line = anchor.starts_with(|c: char| c.is_ascii_digit());
    if anchor.is_empty() || source_line {
        // `#12-34` marks lines of a source page; the page's script makes the range.
        return None;
    }
    let mut page = pages.get(&target)?;
    if let Some(moved) = &page.moved {
        page = pages.get(&beside(&target, moved))?;
    }
    let found = page.anchors.contains(anchor) || page.anchors.contains(&decoded(anchor));
    (!found).then_some("no such anchor on that page")
}

/// The address of a link, resolved from the folder of the page it stands on, `..` and all.
fn beside(file: &Path, address: &str) -> PathBuf {
    let mut path = file.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(address).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(part) => path.push(part),
            _ => {}
        }
    }
    path
}

/// `%20` and the like as the bytes they stand for, and the entities that addresses use.
fn decoded(text: &str) -> String {
    let text = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        match hex.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The anchors and links of one page.
fn page(text: &str) -> Page {
    let mut page = Page::default();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = after(comment, "-->");
            continue;
        }
        let name_ends = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name = rest[..name_ends].to_ascii_lowercase();
        rest = attributes(&rest[name_ends..], &mut |key, value| match key {
            "id" => drop(page.anchors.insert(value.to_owned())),
            "name" if name == "a" => drop(page.anchors.insert(value.to_owned())),
            "content" if name == "meta" => {
                page.moved = page.moved.take().or_else(|| Some(value.split_once("URL=")?.1.to_owned()));
            }
            "href" | "src" if name != "base" && !value.is_empty() => page.links.push(value.to_owned()),
            _ => {}
        });
        match name.as_str() {
            "script" => rest = after(rest, "</script"),
            "style" => rest = after(rest, "</style"),
            _ => {}
        }
    }
    page
}

/// Reads `key="value"`, `key='value'`, `key=value` and `key` up to the end of the tag; returns what follows it.
fn attributes<'t>(text: &'t str, found: &mut dyn FnMut(&str, &str)) -> &'t str {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return rest.strip_prefix('>').unwrap_or(rest);
        }
        let key_ends =
            rest.find(|c: char| c.is_whitespace() || "=>/".contains(c)).unwrap_or(rest.len()).max(1);
        let (key, tail) = rest.split_at_checked(key_ends).unwrap_or((rest, ""));
        let Some(value) = tail.trim_start().strip_prefix('=').map(str::trim_start) else {
            rest = tail;
            continue;
        };
        let quote = value.chars().next().filter(|c| "\"'".contains(*c));
        let (value, tail) = match quote {
            Some(quote) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            None => {
                value.split_at(value.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(value.len()))
            }
        };
        found(&key.to_ascii_lowercase(), value);
        rest = tail;
    }
}

fn after<'t>(text: &'t str, end: &str) -> &'t str {
    text.find(end).map_or("", |at| &text[at + end.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_anchors_are_read_from_tags_only() {
        let page = page(
            "<!-- <a href=comment.html> --><h2 id='top'>x &lt; y</h2><a class=x href=#1 id=1>1</a>\
             <script src=\"s.js\">if (a < b) { '<a href=script.html>' }</script><img src = \"a b.svg\" />",
        );
        assert_eq!(page.links, ["#1", "s.js", "a b.svg"]);
        assert_eq!(page.anchors, ["top", "1"].map(str::to_owned).into());
    }

    #[test]
    fn dead_files_and_dead_anchors_are_named() {
        let site = std::env::temp_dir().join(format!("extbuf-links-{}", std::process::id()));
        fs::create_dir_all(site.join("api")).unwrap();
        fs::write(
            site.join("index.html"),
            "<h1 id=one></h1><a href='api/'></a><a href='api/a.html#two'></a>",
        )
        .unwrap();
        fs::write(site.join("api/index.html"), "<a href='../index.html#one'></a><a href='../gone.html'></a>")
            .unwrap();
        fs::write(
            site.join("api/a.html"),
            "<a href='https://example.org/x'></a><a href='#12-34'></a><a href='a%2Ehtml?q#'></a>\
             <a href='moved.html#one'></a><a href='moved.html#three'></a>",
        )
        .unwrap();
        fs::write(site.join("api/moved.html"), "<meta http-equiv='refresh' content='0;URL=../index.html'>")
            .unwrap();
        let found = dead(&site).unwrap();
        fs::remove_dir_all(&site).unwrap();
        assert_eq!(
            found,
            [
                "api/a.html: moved.html#three: no such anchor on that page",
                "api/index.html: ../gone.html: no such file in the site",
                "index.html: api/a.html#two: no such anchor on that page",
            ]
        );
    }
}
