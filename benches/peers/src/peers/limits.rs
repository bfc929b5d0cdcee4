//! What the memory can do: plain copies of as many bytes as the case writes, by four loops, two of them in the widest
//! registers that the processor has. The fastest is the limit.
//!
//! The source is the case's own, read again from its start where it is the shorter one. Where it is less than a page
//! (one item that fills an array), a block that stays in the first cache is read instead: the limit is then what
//! writing costs.

// Copies by address.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::OnceLock;

use super::{Role, Runner, Shared, timed};
use crate::job::Job;

#[derive(Clone, Copy)]
enum Loop {
    /// The C library's.
    Memcpy,
    /// The processor's own, in microcode.
    #[cfg(target_arch = "x86_64")]
    Movsb,
    /// 512-bit loads and stores.
    #[cfg(target_arch = "x86_64")]
    Wide,
    /// 512-bit loads, and stores that go past the caches.
    #[cfg(target_arch = "x86_64")]
    WideStreaming,
    /// The same of 256 bits.
    #[cfg(target_arch = "x86_64")]
    Half,
    #[cfg(target_arch = "x86_64")]
    HalfStreaming,
}

pub(super) fn offers(job: &Job) -> Vec<Runner> {
    let mut loops = vec![("memcpy", Loop::Memcpy)];
    #[cfg(target_arch = "x86_64")]
    {
        loops.push(("rep movsb", Loop::Movsb));
        if std::arch::is_x86_feature_detected!("avx512f") {
            loops.extend([("AVX-512", Loop::Wide), ("AVX-512 streaming", Loop::WideStreaming)]);
        } else if std::arch::is_x86_feature_detected!("avx") {
            loops.extend([("AVX", Loop::Half), ("AVX streaming", Loop::HalfStreaming)]);
        }
    }
    loops.into_iter().map(|(name, kind)| Runner::new(name, Role::Limit, whole(kind, job))).collect()
}

fn whole(kind: Loop, job: &Job) -> super::Run {
    static NEAR: OnceLock<Vec<u8>> = OnceLock::new();
    let length = job.case.out_bytes();
    let (mut src, mut available) = (job.src.start(), job.src.bytes().len());
    if available < 4096 && length > available {
        let near = NEAR.get_or_init(|| vec![7; 16 << 10]);
        (src, available) = (near.as_ptr(), near.len());
    }
    let (src, dst) = (Shared(src), Shared(job.dst.start_mut()));
    if job.threads == 1 {
        return timed(move || repeated(kind, dst.get(), src.get(), available, 0, length));
    }
    // Cut at a cache line.
    let half = (length / 2) & !63;
    let second = move || {
        let to = dst.get().wrapping_add(half);
        repeated(kind, to, src.get(), available, half, length - half);
    };
    timed(move || {
        rayon::join(|| repeated(kind, dst.get(), src.get(), available, 0, half), second);
    })
}

/// Copies `length` bytes from a source that begins again after `available`, from byte `from` of it on.
fn repeated(kind: Loop, dst: *mut u8, src: *const u8, available: usize, from: usize, length: usize) {
    let mut done = 0;
    while done < length {
        let at = (from + done) % available;
        let count = (available - at).min(length - done);
        // SAFETY: J1: the destination array has `length` bytes, the source `available`; J3.
        unsafe { kind.copy(dst.wrapping_add(done), src.wrapping_add(at), count) };
        done += count;
    }
}

impl Loop {
    /// # Safety
    ///
    /// `count` bytes may be read at `src` and written at `dst`, which do not overlap.
    unsafe fn copy(self, dst: *mut u8, src: *const u8, count: usize) {
        match self {
            // SAFETY: the caller's contract.
            Loop::Memcpy => unsafe { ptr::copy_nonoverlapping(src, dst, count) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the caller's contract.
            Loop::Movsb => unsafe {
                std::arch::asm!(
                    "rep movsb",
                    inout("rcx") count => _, inout("rdi") dst => _, inout("rsi") src => _,
                    options(nostack, preserves_flags)
                );
            },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the caller's contract; offered only where the processor has these instructions.
            Loop::Wide => unsafe { vectors::wide(dst, src, count) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Loop::WideStreaming => unsafe { vectors::wide_streaming(dst, src, count) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Loop::Half => unsafe { vectors::half(dst, src, count) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Loop::HalfStreaming => unsafe { vectors::half_streaming(dst, src, count) },
        }
    }
}

/// Loops of four loads and four stores, written out, so that nobody's compiler has a say in them.
#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::ptr;

    macro_rules! copies {
        ($name:ident, $register:literal, $width:literal, $load:literal, $store:literal, $end:literal) => {
            /// # Safety
            ///
            /// `count` bytes may be read at `src` and written at `dst`, which do not overlap; the processor has the registers.
            pub(super) unsafe fn $name(dst: *mut u8, src: *const u8, count: usize) {
                let head = dst.align_offset(64).min(count);
                // SAFETY: the caller's contract, for the bytes before the first whole line.
                unsafe { ptr::copy_nonoverlapping(src, dst, head) };
                let (src, dst, count) = (src.wrapping_add(head), dst.wrapping_add(head), count - head);
                let main = count / (4 * $width) * (4 * $width);
                if main > 0 {
                    // SAFETY: the caller's contract; the destination is aligned to 64 bytes now.
                    unsafe {
                        std::arch::asm!(
                            "2:",
                            concat!($load, " ", $register, "0, [rsi]"),
                            concat!($load, " ", $register, "1, [rsi + ", $width, "]"),
                            concat!($load, " ", $register, "2, [rsi + 2*", $width, "]"),
                            concat!($load, " ", $register, "3, [rsi + 3*", $width, "]"),
                            concat!($store, " [rdi], ", $register, "0"),
                            concat!($store, " [rdi + ", $width, "], ", $register, "1"),
                            concat!($store, " [rdi + 2*", $width, "], ", $register, "2"),
                            concat!($store, " [rdi + 3*", $width, "], ", $register, "3"),
                            concat!("add rsi, 4*", $width),
                            concat!("add rdi, 4*", $width),
                            concat!("sub rcx, 4*", $width),
                            "jnz 2b",
                            $end,
                            "vzeroupper",
                            inout("rsi") src => _, inout("rdi") dst => _, inout("rcx") main => _,
                            clobber_abi("C"),
                            options(nostack)
                        );
                    }
                }
                let (src, dst) = (src.wrapping_add(main), dst.wrapping_add(main));
                // SAFETY: the caller's contract, for the rest.
                unsafe { ptr::copy_nonoverlapping(src, dst, count - main) };
            }
        };
    }

    copies! { wide, "zmm", 64, "vmovdqu64", "vmovdqu64", "" }
    copies! { wide_streaming, "zmm", 64, "vmovdqu64", "vmovntdq", "sfence" }
    copies! { half, "ymm", 32, "vmovdqu", "vmovdqu", "" }
    copies! { half_streaming, "ymm", 32, "vmovdqu", "vmovntdq", "sfence" }
}
