//! The format and the fold.

mod codec;
mod fold;
mod held;
