//! What a crate offers, one line an item, read from the JSON that rustdoc writes: `cargo xtask api` runs this for each
//! library. It is an example so that nobody builds what it needs before the first check has run.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("the one argument is a file of rustdoc's JSON")?;
    // What holds of every type, and what the compiler works out for each, is not what a crate says.
    let listing =
        public_api::Builder::from_rustdoc_json(path).omit_blanket_impls(true).omit_auto_trait_impls(true);
    for item in listing.build()?.items() {
        println!("{item}");
    }
    Ok(())
}
