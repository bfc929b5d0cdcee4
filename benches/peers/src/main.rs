//! The harness without any other language: see the library.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    extbuf_peers::cli::run(std::env::args_os().skip(1).collect(), None)
}
