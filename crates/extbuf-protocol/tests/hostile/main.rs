//! Exporters, owners and item types that lie, change their minds, go early, panic or leak. All that safe code can do to
//! lent memory may end in a refusal or a panic, never in a byte read or written outside of it.
//!
//! Worth most under an address sanitizer; each test fails without one too.

mod claims;
mod exporters;
mod holders;
mod kit;
mod release;
mod types;
