//! The picture of the tour: a ball in front of a sky, each sample a function of its place.
//!
//! So what a sample must be can be asked again at any time, without any memory in between: that is the slow way with
//! which the tour checks the fast one.

use extbuf::protocol::View;

/// Rows, pixels of a row, samples of a pixel.
pub(super) const SHAPE: [usize; 3] = [2160, 3840, 3];

/// From black to white.
const RAMP: &[u8] = b" .:-=+*#%@";

/// The sample at a place of the picture.
pub(super) fn sample(y: usize, x: usize, c: usize) -> u8 {
    let [rows, columns, _] = SHAPE.map(|extent| extent as i64);
    let (y, x) = (y as i64, x as i64);
    // From the middle of the ball, in units of its radius over 1024.
    let radius = rows * 2 / 5;
    let (dy, dx) = ((y - rows / 2) * 1024 / radius, (x - columns / 2) * 1024 / radius);
    let distance = dy * dy + dx * dx;
    if distance <= 1024 * 1024 {
        // Light from above on the left; grain, so that neighbours differ.
        let (ly, lx) = (dy + 380, dx + 380);
        let light = 255 - (ly * ly + lx * lx) * 225 / (3 * 1024 * 1024);
        let tint = [0, 40, 90][c];
        (light - tint + (y * 7 + x * 13) % 8).clamp(0, 255) as u8
    } else {
        ([30, 20, 70][c] + y * 30 / rows * i64::from(c == 2) + (y ^ x) % 4) as u8
    }
}

/// Draws the picture, each row in an allocation of its own, and the rows in no order: as after a day of editing, no
/// step leads from each to the next.
pub(super) fn draw() -> Vec<Vec<u8>> {
    let [rows, columns, samples] = SHAPE;
    let mut drawn = vec![Vec::new(); rows];
    for k in 0..rows {
        // Every row once: the stride has no factor in common with their number.
        let y = k * 1009 % rows;
        drawn[y] = (0..columns * samples).map(|k| sample(y, k / samples, k % samples)).collect();
    }
    drawn
}

/// Columns and lines of characters, the brighter the more ink, from a view of height x width x samples.
pub(super) fn thumbnail(view: &View<'_>, columns: usize) -> Option<String> {
    let [rows, pixels, _] = <[usize; 3]>::try_from(view.shape()).ok()?;
    let lines = (columns * rows / pixels / 2).max(1);
    let line = |line: usize| -> String {
        let light = |column| view.get::<u8>(&[line * rows / lines, column * pixels / columns, 1]).ok();
        let ink = |light: u8| char::from(RAMP[usize::from(light) * RAMP.len() / 256]);
        (0..columns).filter_map(light).map(ink).collect()
    };
    let all: Vec<String> = (0..lines).map(line).collect();
    let drawn = all.iter().filter(|line| !line.trim().is_empty());
    Some(drawn.map(|line| format!("    {}\n", line.trim_end())).collect())
}
