//! Turns a recipe for one side of a copy into places in an arena: blocks, tables of pointers to blocks, strides.
//!
//! A recipe names for each level the axes that move within a block of that level, innermost first. Blocks are laid
//! one behind another with gaps of odd sizes, so that tables and items lie at any alignment and every gap is a guard.
//! Pointers are given as patches (this place points to that place) for the test to write: only the test has the
//! arena's address.

/// How one level of a side is laid out.
#[derive(Clone, Debug)]
pub struct LevelRecipe {
    /// The axes that move within a block of this level, innermost first.
    pub axes: Vec<AxisRecipe>,
    /// Bytes left free before each block.
    pub guard: usize,
    /// How far behind a block's first byte its pointer points; the level's offset makes up for it.
    pub lead: usize,
    /// Every second pointer of the level before repeats its neighbour (for sources only).
    pub shared: bool,
}

/// How one axis moves within a block.
#[derive(Clone, Debug)]
pub struct AxisRecipe {
    /// The axis.
    pub axis: usize,
    /// The kind of step.
    pub step: Step,
}

/// A kind of step, relative to the bytes that lie inside the axis.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Over all that lies inside, and so many bytes more.
    Over(usize),
    /// The same, last index first.
    Back(usize),
    /// So many bytes, whatever lies inside (for sources only); 0 broadcasts.
    Free(usize),
}

/// A side laid into an arena.
#[derive(Clone, Debug)]
pub struct Built {
    /// Where in the arena the base lies.
    pub base: usize,
    /// Offset and strides of each level.
    pub levels: Vec<(isize, Vec<isize>)>,
    /// Places in the arena that hold a pointer, and the places they point to.
    pub pointers: Vec<(usize, usize)>,
}

/// Lays a side out behind `arena` bytes already in use and moves that number on.
pub fn build(shape: &[usize], itemsize: usize, recipe: &[LevelRecipe], arena: &mut usize) -> Built {
    let mut levels = Vec::new();
    let mut spans = Vec::new();
    let mut firsts = Vec::new();
    for (l, level) in recipe.iter().enumerate() {
        let width = if l + 1 < recipe.len() { size_of::<usize>() } else { itemsize };
        let (mut span, mut first, mut strides) = (width, 0, vec![0; shape.len()]);
        for moves in &level.axes {
            let steps = shape[moves.axis].max(1) - 1;
            let stride = match moves.step {
                Step::Over(gap) | Step::Back(gap) => span + gap,
                // Tables hold whole pointers: there a free step can only repeat them.
                Step::Free(_) if l + 1 < recipe.len() => 0,
                Step::Free(stride) => stride,
            };
            span += stride * steps;
            strides[moves.axis] = stride as isize;
            if let Step::Back(_) = moves.step {
                first += stride * steps;
                strides[moves.axis] = -(stride as isize);
            }
        }
        levels.push((first as isize - level.lead as isize, strides));
        spans.push(span);
        firsts.push(first);
    }
    let mut built = Built { base: 0, levels, pointers: Vec::new() };
    let empty = shape.contains(&0);
    // Block by block, level by level: each block of a level is followed from the places of the level before.
    let mut pointing: Vec<Option<usize>> = vec![None];
    for (l, level) in recipe.iter().enumerate() {
        let mut places = Vec::new();
        let mut previous = None;
        for (n, &from) in pointing.iter().enumerate() {
            let start = match previous {
                Some(start) if level.shared && n % 2 == 1 => start,
                _ => {
                    let start = *arena + level.guard;
                    *arena = start + spans[l].max(level.lead);
                    start
                }
            };
            previous = Some(start);
            match from {
                None => built.base = start + level.lead,
                Some(place) => built.pointers.push((place, start + level.lead)),
            }
            if l + 1 < recipe.len() && !empty {
                let axes: Vec<usize> = level.axes.iter().map(|a| a.axis).collect();
                let extents: Vec<usize> = axes.iter().map(|&a| shape[a]).collect();
                for index in crate::copy_slow::indices(&extents) {
                    let step: isize =
                        axes.iter().zip(&index).map(|(&a, &k)| built.levels[l].1[a] * k as isize).sum();
                    let place = (start + firsts[l]) as isize + step;
                    places.push(place as usize);
                }
            }
        }
        // Places that coincide (a free step) hold one pointer.
        places.sort_unstable();
        places.dedup();
        pointing = places.into_iter().map(Some).collect();
    }
    built
}
