//! The tables, as Markdown.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::figures::{Figure, NOISE, geometric, groups, quantile, title};
use crate::case::Case;
use crate::results::{Counts, Results};

/// The generated part of the page.
pub(super) fn page(results: &Results, counts: &Counts, cases: &[Case]) -> String {
    let figures = super::figures(results, cases);
    let mut text = String::new();
    provenance(&mut text, results, cases);
    lost(&mut text, &figures);
    by_group(&mut text, &figures);
    limits(&mut text, results, cases);
    tiny(&mut text, &figures, counts);
    by_case(&mut text, &figures, cases);
    text
}

/// A part of the limit, or a dash.
pub(super) fn part(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.2}"))
}

fn provenance(text: &mut String, results: &Results, cases: &[Case]) {
    let (mut machines, mut dates, mut commits) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut spread = Vec::new();
    for case in cases {
        for measured in [1, 2].into_iter().filter_map(|threads| results.of(case.id(), threads)) {
            machines.insert(measured.machine.as_str());
            dates.insert(measured.date.as_str());
            commits.insert(measured.commit.as_str());
            for timing in measured.timings.values().filter(|timing| timing.samples >= 3) {
                spread.extend(timing.median.zip(timing.least).map(|(median, least)| median / least));
            }
        }
    }
    let list = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(", ");
    let _ = writeln!(text, "Machine: {}. Date: {}. Commit: {}.", list(machines), list(dates), list(commits));
    if let (Some(middle), Some(high)) = (quantile(spread.clone(), 0.5), quantile(spread, 0.9)) {
        let _ = writeln!(
            text,
            "Within a case the median of a runner's samples lies {:.0} % above its least in the middle, and {:.0} % \
             above it in one of ten.",
            (middle - 1.0) * 100.0,
            (high - 1.0) * 100.0
        );
    }
}

fn lost(text: &mut String, figures: &[Figure<'_>]) {
    let mut lost: Vec<_> = figures.iter().filter(|figure| figure.is_lost()).collect();
    lost.sort_by(|a, b| a.lead().unwrap_or(0.0).total_cmp(&b.lead().unwrap_or(0.0)));
    let _ = writeln!(text, "\n### Cases lost\n");
    for threads in [1, 2] {
        let all = figures.iter().filter(|figure| figure.threads == threads).count();
        let of_these = lost.iter().filter(|figure| figure.threads == threads).count();
        let _ = writeln!(
            text,
            "- {threads} thread{}: somebody else is faster in {of_these} of {all} cases.",
            if threads == 1 { "" } else { "s" }
        );
    }
    if lost.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\nAll of them, the worst first; *speed* is the engine's as a multiple of the fastest other's, and a difference \
         of {:.0} % counts as noise.\n\n\
         | case | threads | speed | of the limit | fastest | of the limit |\n|---|--:|--:|--:|---|--:|",
        (1.0 - NOISE) * 100.0
    );
    for figure in lost {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            figure.case.id(),
            figure.threads,
            figure.lead().map_or("not offered".to_owned(), |lead| format!("{lead:.2}")),
            part(figure.ours_of_limit()),
            figure.best.map_or("-", |(name, _)| name),
            part(figure.best_of_limit())
        );
    }
}

fn by_group(text: &mut String, figures: &[Figure<'_>]) {
    let _ = writeln!(
        text,
        "\n### By group\n\nGeometric means of the parts of the limit. *Others* takes the fastest other of each case, \
         whoever it is.\n\n\
         | group | cases | target, 1 / 2 threads | extbuf | others | lost |\n|---|--:|--:|--:|--:|--:|"
    );
    for group in groups(figures) {
        let pair = |value: &dyn Fn(usize) -> String| format!("{} / {}", value(1), value(2));
        let of = |threads: usize| group.by_threads.get(&threads);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            group.title,
            of(1).or(of(2)).map_or(0, |standing| standing.cases),
            pair(&|threads| part(of(threads).and_then(|standing| standing.target))),
            pair(&|threads| part(of(threads).and_then(|standing| standing.ours))),
            pair(&|threads| part(of(threads).and_then(|standing| standing.best))),
            pair(&|threads| of(threads).map_or("-".to_owned(), |standing| standing.lost.to_string())),
        );
    }
    for threads in [1, 2] {
        let leads = figures.iter().filter(|figure| figure.threads == threads).filter_map(Figure::lead);
        if let Some(lead) = geometric(leads) {
            let _ = writeln!(
                text,
                "\nOver all cases on {threads} thread{} the engine is {lead:.2} times as fast as the fastest other of each.",
                if threads == 1 { "" } else { "s" }
            );
        }
    }
}

fn limits(text: &mut String, results: &Results, cases: &[Case]) {
    let mut rows = String::new();
    for case in cases.iter().filter(|case| case.entry.group == "contiguous") {
        for threads in [1, 2] {
            let Some(measured) = results.of(case.id(), threads) else { continue };
            let speed = |names: &[&str]| {
                let time = names.iter().find_map(|name| measured.time(name));
                time.map_or("-".to_owned(), |time| format!("{:.1}", 2.0 * case.out_bytes() as f64 / time))
            };
            let _ = writeln!(
                rows,
                "| {} | {threads} | {} | {} | {} | {} |",
                size(case.out_bytes()),
                speed(&["memcpy"]),
                speed(&["AVX-512", "AVX"]),
                speed(&["AVX-512 streaming", "AVX streaming"]),
                speed(&["rep movsb"])
            );
        }
    }
    if !rows.is_empty() {
        let _ = write!(
            text,
            "\n### The limit\n\nGB/s of plain copies, read and written bytes together, by registers of 512 bits where the \
             processor has AVX-512, else of 256.\n\n\
             | bytes | threads | memcpy | registers | registers past the caches | rep movsb |\n\
             |--:|--:|--:|--:|--:|--:|\n{rows}"
        );
    }
}

fn tiny(text: &mut String, figures: &[Figure<'_>], counts: &Counts) {
    let rows: Vec<_> =
        figures.iter().filter(|figure| figure.threads == 1 && figure.case.out_bytes() <= 1024).collect();
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n### Tiny copies\n\nNanoseconds, 1 thread. *One-shot* plans and looks for overlap in every call.\n\n\
         | case | | plan reused | one-shot | fastest other | plain copy |\n|---|---|--:|--:|---|--:|"
    );
    for figure in rows {
        let time = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.0}"));
        let best = figure.best.map_or("-".to_owned(), |(name, value)| format!("{value:.0} ({name})"));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {best} | {} |",
            figure.case.id(),
            figure.case.words(),
            time(figure.ours),
            time(figure.one_shot),
            time(Some(figure.limit))
        );
    }
    if counts.cases.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\nInstructions of one copy, counted by callgrind at commit {} ({}), compiled for any x86-64: it knows nothing \
         wider than AVX2, so the kernels are those of such a processor.\n\n\
         | case | plan reused | one-shot |\n|---|--:|--:|",
        counts.commit, counts.date
    );
    for (case, [reused, one_shot]) in &counts.cases {
        let _ = writeln!(text, "| {case} | {reused} | {one_shot} |");
    }
}

fn by_case(text: &mut String, figures: &[Figure<'_>], cases: &[Case]) {
    let _ = writeln!(
        text,
        "\n### Every case\n\nParts of the limit for 1 and 2 threads: of the engine, and of the fastest other, whose name \
         follows. Items are `u1`, `u2` (unsigned integers), `f4`, `f8` (floats) and `c16` (complex) of so many bytes; \
         `T` permutes axes."
    );
    let mut group = "";
    for case in cases {
        let of = |threads: usize| {
            figures.iter().find(|figure| figure.threads == threads && figure.case.id() == case.id())
        };
        let (one, two) = (of(1), of(2));
        if one.is_none() && two.is_none() {
            continue;
        }
        if case.entry.group != group {
            group = &case.entry.group;
            let _ = writeln!(
                text,
                "\n**{}**\n\n| case | what | written | extbuf 1 | others 1 | | extbuf 2 | others 2 | |\n\
                 |---|---|--:|--:|--:|---|--:|--:|---|",
                title(group)
            );
        }
        let cells = |figure: Option<&Figure<'_>>| {
            let ours = part(figure.and_then(Figure::ours_of_limit));
            let ours = if figure.is_some_and(Figure::is_lost) { format!("**{ours}**") } else { ours };
            let name = figure.and_then(|figure| figure.best).map_or("", |(name, _)| name);
            format!("{ours} | {} | {name}", part(figure.and_then(Figure::best_of_limit)))
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            case.id(),
            case.words(),
            size(case.out_bytes()),
            cells(one),
            cells(two)
        );
    }
    let failed = failures(figures);
    if !failed.is_empty() {
        let _ = writeln!(text, "\nBold: somebody else is faster. {failed}");
    } else if !figures.is_empty() {
        let _ = writeln!(text, "\nBold: somebody else is faster.");
    }
}

/// Nothing is hidden: a runner that did not get a case right is named by the program while it measures; here only the
/// engine's own absences count.
fn failures(figures: &[Figure<'_>]) -> String {
    let absent: BTreeSet<_> =
        figures.iter().filter(|figure| figure.ours.is_none()).map(|figure| figure.case.id()).collect();
    if absent.is_empty() {
        return String::new();
    }
    format!("The engine does not offer: {}.", absent.into_iter().collect::<Vec<_>>().join(", "))
}

/// Bytes in the largest unit that they reach.
fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1 << 10)),
        _ => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::table;
    use crate::peers::Role;
    use crate::results::{Measured, Timing};

    type Runners<'r> = &'r [(&'r str, Role, f64)];

    fn results(times: &[(&str, usize, Runners<'_>)]) -> Results {
        let mut results = Results::default();
        for (id, threads, runners) in times {
            let timings = runners
                .iter()
                .map(|&(name, role, time)| {
                    let timing =
                        Timing { role, median: Some(time), least: Some(time), samples: 3, failed: None };
                    (name.to_owned(), timing)
                })
                .collect();
            results.merge(id, *threads, Measured { timings, ..Measured::default() });
        }
        results
    }

    #[test]
    fn what_is_lost_stands_first_and_the_worst_at_its_top() {
        let limit = ("memcpy", Role::Limit, 10.0);
        let results = results(&[
            ("ttc00_f4_r2", 1, &[limit, ("extbuf", Role::Ours, 30.0), ("hptt", Role::Peer, 20.0)]),
            ("ttc01_f4_r2", 1, &[limit, ("extbuf", Role::Ours, 80.0), ("hptt", Role::Peer, 20.0)]),
            ("ttc03_f4_r3", 1, &[limit, ("extbuf", Role::Ours, 20.0), ("hptt", Role::Peer, 20.5)]),
            ("cast_f8f4_T", 1, &[limit, ("loop", Role::Hand, 40.0)]),
        ]);
        let page = page(&results, &Counts::default(), &table().unwrap());
        let rows: Vec<_> = page
            .lines()
            .skip_while(|line| !line.starts_with("| case | threads"))
            .skip(2)
            .take_while(|line| line.starts_with('|'))
            .collect();
        assert_eq!(
            rows,
            [
                "| cast_f8f4_T | 1 | not offered | - | loop | 0.25 |",
                "| ttc01_f4_r2 | 1 | 0.25 | 0.12 | hptt | 0.50 |",
                "| ttc00_f4_r2 | 1 | 0.67 | 0.33 | hptt | 0.50 |",
            ]
        );
        assert!(page.contains("somebody else is faster in 3 of 4 cases"));
    }

    #[test]
    fn two_threads_are_held_against_the_faster_of_both_limits() {
        let (one, two) = (("memcpy", Role::Limit, 10.0), ("memcpy", Role::Limit, 20.0));
        let ours = ("extbuf", Role::Ours, 20.0);
        let results = results(&[("ttc00_f4_r2", 1, &[one, ours]), ("ttc00_f4_r2", 2, &[two, ours])]);
        let cases = table().unwrap();
        let figures = crate::report::figures(&results, &cases);
        assert_eq!(figures[1].ours_of_limit(), Some(0.5));
    }
}
