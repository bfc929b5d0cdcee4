//! Whether a name was there before: asked once for each field of a record, however many there are.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// The names of a record: compared one by one while they are few, kept in a tree when they are many.
#[derive(Default)]
pub(crate) struct Names<'t> {
    few: Vec<&'t str>,
    many: BTreeSet<&'t str>,
}

impl<'t> Names<'t> {
    const FEW: usize = 16;

    /// Adds a name; whether it was there before. The empty name may stand any number of times.
    pub(crate) fn is_taken(&mut self, name: &'t str) -> bool {
        if name.is_empty() {
            return false;
        }
        if self.few.len() < Names::FEW {
            let taken = self.few.contains(&name);
            if self.few.is_empty() {
                self.few.reserve_exact(Names::FEW);
            }
            self.few.push(name);
            return taken;
        }
        if self.many.is_empty() {
            self.many.extend(&self.few);
        }
        !self.many.insert(name)
    }
}
