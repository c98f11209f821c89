//! A program (`wasi:cli/run`) that asks its host what POSIX and the WASI documents say of it.
//!
//! `conform checks [NAME…]` runs the checks of `checks`, each in a folder of its own below the first preopen, and
//! prints a line for each: the name, a tab, and `ok` or what was seen instead. Every other first argument is a deed of
//! `deeds.rs`: streams, arguments, exit codes.
//!
//! **Invariant:** a check looks at one rule and leaves nothing open; none knows which host it runs in.

mod asked;
mod checks;
mod deeds;

/// What `main` would be.
#[derive(Debug)]
pub struct Program;

impl wasip2::exports::cli::run::Guest for Program {
    fn run() -> Result<(), ()> {
        let mut args = wasip2::cli::environment::get_arguments()
            .into_iter()
            .skip(1);
        let deed = args.next().unwrap_or_default();
        let args: Vec<String> = args.collect();
        if deed == "checks" {
            checks::run(&args)
        } else {
            deeds::run(&deed, &args)
        }
    }
}

#[cfg(target_family = "wasm")]
wasip2::cli::command::export!(Program);
