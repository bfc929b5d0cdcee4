//! Which vector instructions the kernels of a plan may use.
//!
//! A library is compiled for the oldest machine of its kind and runs on newer ones. So every kernel that gains from
//! them has several forms, the machine is asked once, and a plan names the form that it will run: the choice costs
//! nothing inside the loops, can be read, and can be forced down to test each form on one machine.

use std::fmt;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use std::sync::atomic::{AtomicU8, Ordering};

/// The vector instructions that a copy may use, from fewest to most. A kernel without a form of its own for a level
/// runs that of the next level below.
///
/// The default is what this machine has.
///
/// ```
/// use extbuf_copy::{Level, Plan};
/// use extbuf_layout::{Layout, Order};
///
/// let dst = Layout::contiguous(2, &[40, 50], Order::C)?;
/// let src = Layout::contiguous(2, &[40, 50], Order::F)?;
/// assert_eq!(Plan::new(&dst, &src)?.level(), Level::of_this_machine());
/// assert_eq!(Plan::new(&dst, &src)?.at_level(Level::Portable).level(), Level::Portable);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Level {
    /// None: plain Rust, on every machine.
    Portable,
    /// Registers of 16 bytes: SSE2, which every x86-64 has, and NEON, which every 64-bit ARM has (its form is for
    /// transposes, and is not used where the largest byte comes first).
    Simd128,
    /// Registers of 32 bytes: AVX2.
    Avx2,
    /// Registers of 64 bytes with permutations of bytes: AVX-512 F, BW, DQ, VL and VBMI, as in Intel's Ice Lake and
    /// AMD's Zen 4 and later. Older processors with AVX-512 lack VBMI and slow down with wide registers; they run
    /// [`Avx2`](Level::Avx2).
    Avx512,
}

impl Level {
    /// Every level, whether or not this machine has it.
    pub const ALL: [Level; 4] = [Level::Portable, Level::Simd128, Level::Avx2, Level::Avx512];

    /// The highest level of this machine. Asks it once.
    #[inline]
    pub fn of_this_machine() -> Level {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            /// What was found, plus one; zero before anyone asked.
            static FOUND: AtomicU8 = AtomicU8::new(0);
            match FOUND.load(Ordering::Relaxed) {
                0 => {
                    let level = Level::detect();
                    FOUND.store(level as u8 + 1, Ordering::Relaxed);
                    level
                }
                found => Level::ALL[usize::from(found) - 1],
            }
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        if cfg!(all(target_arch = "aarch64", target_endian = "little", not(miri))) {
            Level::Simd128
        } else {
            Level::Portable
        }
    }

    #[cfg(all(target_arch = "x86_64", not(miri)))]
    #[cold]
    fn detect() -> Level {
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vbmi");
        match (wide, is_x86_feature_detected!("avx2")) {
            (true, true) => Level::Avx512,
            (false, true) => Level::Avx2,
            _ => Level::Simd128,
        }
    }
}

impl Default for Level {
    fn default() -> Self {
        Level::of_this_machine()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Portable => "portable",
            Level::Simd128 if cfg!(target_arch = "aarch64") => "NEON",
            Level::Simd128 => "SSE2",
            Level::Avx2 => "AVX2",
            Level::Avx512 => "AVX-512",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn levels_ascend_and_the_machine_answers_twice_the_same() {
        assert!(Level::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(Level::ALL.iter().enumerate().all(|(number, &level)| level as usize == number));
        assert_eq!(Level::of_this_machine(), Level::default());
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        assert!(Level::default() >= Level::Simd128);
    }
}
