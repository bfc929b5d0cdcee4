//! The book's page from the file of results. What stands between two marks in the page is written anew, all else is
//! left alone.

mod figures;
mod page;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::case::{BadCase, Case, table};
use crate::results::{Counts, Results};
use figures::Figure;

const BEGIN: &str = "<!-- measured: written by `cargo xtask bench --peers --report` -->";
const END: &str = "<!-- /measured -->";

/// Writes the generated part of the page.
///
/// # Errors
///
/// Where the page has no marks, or cannot be read or written.
pub fn write_page(results: &Results, counts: &Counts, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let text = fs::read_to_string(path)?;
    let missing = || format!("{} has no `{BEGIN}` … `{END}`", path.display());
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    let cases = table()?;
    let written = page::page(results, counts, &cases);
    fs::write(path, format!("{before}{BEGIN}\n\n{written}\n{END}{after}"))?;
    Ok(())
}

/// The cases in which a peer is faster, by group, those groups first that are farthest from their targets.
///
/// # Errors
///
/// Where the table of cases cannot be read.
pub fn losses(results: &Results) -> Result<String, BadCase> {
    let cases = table()?;
    let figures = figures(results, &cases);
    let mut text = String::new();
    let mut groups = figures::groups(&figures);
    let gap = |group: &figures::Group| {
        let standing = group.by_threads.get(&1).or(group.by_threads.get(&2));
        standing
            .map_or(f64::INFINITY, |standing| standing.ours.unwrap_or(0.0) / standing.target.unwrap_or(1.0))
    };
    groups.sort_by(|a, b| gap(a).total_cmp(&gap(b)));
    for group in groups {
        let _ = writeln!(text, "\n## {} ({})\n", group.name, group.title);
        for (threads, standing) in &group.by_threads {
            let _ = writeln!(
                text,
                "{threads} thread{}: ours {} of the limit, target {}, best peers {}; {} of {} cases lost\n",
                if *threads == 1 { "" } else { "s" },
                page::part(standing.ours),
                page::part(standing.target),
                page::part(standing.best),
                standing.lost,
                standing.cases
            );
        }
        let mut lost: Vec<_> = figures
            .iter()
            .filter(|figure| figure.case.entry.group == group.name && figure.is_lost())
            .collect();
        lost.sort_by(|a, b| a.lead().unwrap_or(0.0).total_cmp(&b.lead().unwrap_or(0.0)));
        for figure in lost {
            let (name, _) = figure.best.unwrap_or(("nobody", 0.0));
            let _ = writeln!(
                text,
                "- {} on {}: ours {} of the limit, {name} {}: {} times as fast as it | {} | shape {:?} src {:?} dst {:?}",
                figure.case.id(),
                figure.threads,
                page::part(figure.ours_of_limit()),
                page::part(figure.best_of_limit()),
                page::part(figure.lead()),
                figure.case.words(),
                short(&figure.case.shape),
                short(&figure.case.src.strides),
                short(&figure.case.dst.strides),
            );
        }
    }
    Ok(text)
}

/// The first six: the high ranks have all alike.
fn short<T>(list: &[T]) -> &[T] {
    &list[..list.len().min(6)]
}

fn figures<'t>(results: &'t Results, cases: &'t [Case]) -> Vec<Figure<'t>> {
    cases
        .iter()
        .flat_map(|case| [1, 2].into_iter().filter_map(|threads| Figure::of(results, case, threads)))
        .collect()
}
