//! From times to the figures of the tables.

use std::collections::BTreeMap;

use crate::case::Case;
use crate::peers::Role;
use crate::results::Results;

/// Name of the engine with a plan that is made once.
pub(super) const OURS: &str = "extbuf";

/// The same, planned in every run.
pub(super) const ONE_SHOT: &str = "extbuf one-shot";

/// From here on a difference between two times is more than noise.
pub(super) const NOISE: f64 = 0.95;

/// One case on so many threads, as parts of the limit.
#[derive(Clone, Debug)]
pub(super) struct Figure<'t> {
    pub(super) case: &'t Case,
    pub(super) threads: usize,
    /// Nanoseconds of the fastest plain copy.
    pub(super) limit: f64,
    /// Nanoseconds of the engine; nothing where it does not offer the case.
    pub(super) ours: Option<f64>,
    /// The same, planned in every run.
    pub(super) one_shot: Option<f64>,
    /// The fastest of the others, and its nanoseconds.
    pub(super) best: Option<(&'t str, f64)>,
}

impl<'t> Figure<'t> {
    /// The figure of a case, if it has been measured.
    pub(super) fn of(results: &'t Results, case: &'t Case, threads: usize) -> Option<Figure<'t>> {
        let measured = results.of(case.id(), threads)?;
        // A case on two threads may also be copied by one.
        let alone = results.of(case.id(), 1).and_then(|alone| alone.fastest(&[Role::Limit]));
        let limit = measured.fastest(&[Role::Limit])?.1.min(alone.map_or(f64::INFINITY, |(_, time)| time));
        Some(Figure {
            case,
            threads,
            limit,
            ours: measured.time(OURS),
            one_shot: measured.time(ONE_SHOT),
            best: measured.fastest(&[Role::Peer, Role::Hand]),
        })
    }

    /// The engine's part of the limit.
    pub(super) fn ours_of_limit(&self) -> Option<f64> {
        Some(self.limit / self.ours?)
    }

    /// The best peer's part of the limit.
    pub(super) fn best_of_limit(&self) -> Option<f64> {
        Some(self.limit / self.best?.1)
    }

    /// How many times as fast as the best peer the engine is.
    pub(super) fn lead(&self) -> Option<f64> {
        Some(self.best?.1 / self.ours?)
    }

    /// True where a peer is faster by more than noise, or the engine does not offer the case.
    pub(super) fn is_lost(&self) -> bool {
        self.best.is_some() && self.lead().is_none_or(|lead| lead < NOISE)
    }
}

/// A group of cases, what is aimed at, and what is reached.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) title: &'static str,
    /// For 1 and 2 threads: the aim, the engine's and the best peer's geometric mean, cases and cases lost.
    pub(super) by_threads: BTreeMap<usize, Standing>,
}

/// A group on so many threads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) target: Option<f64>,
    pub(super) ours: Option<f64>,
    pub(super) best: Option<f64>,
    pub(super) cases: usize,
    pub(super) lost: usize,
}

/// The groups in the order of the table: name, title, and the parts of the limit that are aimed at, for 1 and 2 threads.
const GROUPS: &[(&str, &str, [Option<f64>; 2])] = &[
    ("contiguous", "contiguous", [Some(0.97), Some(0.95)]),
    ("transpose2d", "2-D transposes", [Some(0.55), Some(0.60)]),
    ("skinny", "tall and narrow: n x 3, n x 4, n x 16", [Some(0.85), Some(0.85)]),
    ("image", "images: HWC and CHW, rotations, BGR", [Some(0.85), Some(0.85)]),
    ("flip", "flips", [Some(0.85), Some(0.85)]),
    ("step", "slices with a step", [Some(0.50), Some(0.50)]),
    ("crop", "crops", [Some(0.75), Some(0.75)]),
    ("paste", "pastes into strided destinations", [Some(0.55), Some(0.60)]),
    ("broadcast", "fills by broadcasting", [Some(0.95), Some(0.95)]),
    ("ttc", "tensor permutations of the TTC benchmark", [Some(0.50), Some(0.60)]),
    ("permute", "other permutations", [Some(0.45), Some(0.45)]),
    ("highrank", "rank 15 to 24, tiny axes", [Some(0.30), Some(0.30)]),
    ("bswap", "byte swaps", [Some(0.65), Some(0.70)]),
    ("cast", "numeric casts", [Some(0.50), Some(0.55)]),
    ("tiny", "tiny, under 1 KiB", [Some(0.35), None]),
    ("indirect", "pictures in row pointers", [Some(0.60), Some(0.60)]),
];

/// The title of a group.
pub(super) fn title(name: &str) -> &'static str {
    GROUPS.iter().find(|(known, ..)| *known == name).map_or("others", |(_, title, _)| title)
}

/// The groups as they stand.
pub(super) fn groups(figures: &[Figure<'_>]) -> Vec<Group> {
    GROUPS
        .iter()
        .map(|&(name, title, targets)| {
            let mut by_threads = BTreeMap::new();
            for (threads, target) in [1, 2].into_iter().zip(targets) {
                let members: Vec<_> = figures
                    .iter()
                    .filter(|figure| figure.case.entry.group == name && figure.threads == threads)
                    .collect();
                if !members.is_empty() {
                    by_threads.insert(
                        threads,
                        Standing {
                            target,
                            ours: geometric(members.iter().filter_map(|figure| figure.ours_of_limit())),
                            best: geometric(members.iter().filter_map(|figure| figure.best_of_limit())),
                            cases: members.len(),
                            lost: members.iter().filter(|figure| figure.is_lost()).count(),
                        },
                    );
                }
            }
            Group { name: name.to_owned(), title, by_threads }
        })
        .filter(|group| !group.by_threads.is_empty())
        .collect()
}

/// The geometric mean; nothing of nothing.
pub(super) fn geometric(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value.ln();
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

/// The value below which so large a part of the values lies.
pub(super) fn quantile(mut values: Vec<f64>, part: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(values[(last as f64 * part).round() as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_geometric_mean_of_a_half_and_two_is_one() {
        assert!((geometric([0.5, 2.0].into_iter()).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(geometric([].into_iter()), None);
    }

    #[test]
    fn quantiles_are_values() {
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 1.0), Some(3.0));
        assert_eq!(quantile(vec![], 0.5), None);
    }

    #[test]
    fn every_group_of_the_table_has_a_target() {
        for case in crate::case::table().unwrap() {
            assert!(GROUPS.iter().any(|(name, ..)| *name == case.entry.group), "{}", case.entry.group);
        }
    }
}
