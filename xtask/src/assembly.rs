//! What the compiler made of the inner loops whose speed is a promise: their functions are looked up in the compiled
//! engine, which must hold full-width loads and stores for them and no check of an index against a length.

use std::collections::BTreeMap;
use std::env;
use std::process::Command;

use crate::shell::{Result, cargo, output, run, say};

/// A kernel, by the module that its functions are named for, and the registers that it promises.
struct Promise {
    module: &'static str,
    register: &'static str,
}

#[cfg(target_arch = "x86_64")]
const PROMISES: &[Promise] = &[
    Promise { module: "extbuf_copy::kernel::x86::weave::", register: "%zmm" },
    Promise { module: "extbuf_copy::kernel::x86::pen::", register: "%zmm" },
    Promise { module: "extbuf_copy::kernel::x86::rows::", register: "%zmm" },
    Promise { module: "extbuf_copy::kernel::turn::x86::avx512", register: "%zmm" },
    Promise { module: "extbuf_copy::kernel::turn::x86::avx2", register: "%ymm" },
];
#[cfg(not(target_arch = "x86_64"))]
const PROMISES: &[Promise] = &[];

/// What stands in the functions of one kernel.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    functions: usize,
    loads: usize,
    stores: usize,
    checks: usize,
}

/// The task: builds the engine for any processor of the architecture, as it is published, and looks.
pub(crate) fn task() -> Result {
    run(&mut cargo(["build", "--locked", "--release", "--package", "extbuf-plugin"]))?;
    let library =
        format!("target/release/{}extbuf_plugin{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let text = output(Command::new("objdump").args(["-d", "-C", "--no-show-raw-insn", &library]))
        .map_err(|failure| format!("{failure}; objdump is needed (on Debian: apt install binutils)"))?;
    let functions = functions(&text);
    let mut broken = Vec::new();
    say("kernel, functions, full-width loads, stores, checks of an index");
    for promise in PROMISES {
        let found = promise.look(&functions);
        say(&format!(
            "{:<45} {:>3} {:>5} {:>5} {:>3}",
            promise.module, found.functions, found.loads, found.stores, found.checks
        ));
        if found.loads == 0 || found.stores == 0 || found.checks > 0 {
            broken.push(promise.module);
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(format!("not as promised: {}", broken.join(", ")).into()) }
}

/// The lines of each function of a disassembly, by its name.
fn functions(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut functions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in text.lines() {
        match line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
            Some((_, begun)) => name = begun,
            None if line.starts_with(' ') => functions.entry(name).or_default().push(line),
            None => {}
        }
    }
    functions
}

impl Promise {
    fn look(&self, functions: &BTreeMap<&str, Vec<&str>>) -> Found {
        let mut found = Found::default();
        for (_, lines) in functions.iter().filter(|(name, _)| name.contains(self.module)) {
            found.functions += 1;
            for line in lines {
                let Some((_, instruction)) = line.split_once('\t') else { continue };
                let moves = instruction.starts_with("vmov");
                // In this notation the destination stands last, and memory is written with brackets.
                let operands = instruction.split_whitespace().nth(1).unwrap_or_default();
                if moves && instruction.contains(self.register) && operands.contains('(') {
                    if operands.ends_with(')') { found.stores += 1 } else { found.loads += 1 }
                }
                found.checks += usize::from(instruction.contains("panic_bounds_check"));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
0000000000001000 <a::kernel::line>:
    1000:\tvmovdqu64 (%rsi,%rax,1),%zmm0
    1006:\tvmovntdq %zmm0,(%rdi)
    100c:\tvmovdqu (%rsi),%ymm0
    1010:\tvmovdqa64 %zmm0,%zmm1

0000000000002000 <a::other>:
    2000:\tcall   3000 <core::panicking::panic_bounds_check>
";

    #[test]
    fn loads_stores_and_checks_are_told_apart() {
        let functions = functions(TEXT);
        let look = |module| Promise { module, register: "%zmm" }.look(&functions);
        assert_eq!(look("a::kernel::"), Found { functions: 1, loads: 1, stores: 1, checks: 0 });
        assert_eq!(look("a::other"), Found { functions: 1, loads: 0, stores: 0, checks: 1 });
        assert_eq!(look("b::"), Found::default());
    }
}
