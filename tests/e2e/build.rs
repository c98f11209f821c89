//! Takes the gate and its manifest out of the README, so that the tests compile what stands there and nothing else.
//!
//! Owns `OUT_DIR/src/lib.rs`, and `OUT_DIR/plugin.toml`, which the gate looks for beside its folder.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

const README: &str = "../../README.md";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={README}");
    let text = fs::read_to_string(README)?;
    let block = |opening: &str| {
        let (_, rest) = text.split_once(opening)?;
        rest.split_once("```").map(|(block, _)| block)
    };
    let gate = block("```rust\n").ok_or("the README has no block of Rust")?;
    let manifest = block("```toml\n").ok_or("the README has no manifest")?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    fs::create_dir_all(out.join("src"))?;
    fs::write(out.join("plugin.toml"), manifest)?;
    fs::write(out.join("src/lib.rs"), gate)?;
    Ok(())
}
