//! What counting instructions and a deadline cost a guest that only computes.

use std::path::Path;

use bench::Work;

use super::Scale;
use crate::ours::{Ours, call, policy};
use crate::report::{Goal, Row};
use crate::rounds::{self, Contender, Taken};
use crate::stock::{Settings, Stock};
use crate::{Outcome, guest, runtime};

pub(super) fn run(scale: Scale) -> Outcome<Vec<Row>> {
    let bytes = guest()?;
    let work = Work {
        kind: "json".to_owned(),
        count: 20,
        bytes: 1_000,
        path: String::new(),
    };
    let runtime = runtime()?;
    let stock = |fuel, epochs| {
        let settings = Settings {
            fuel,
            epochs,
            ..Settings::default()
        };
        Stock::new(&bytes, settings)
    };
    let hosts = [
        stock(false, false)?,
        stock(true, false)?,
        stock(false, true)?,
        stock(true, true)?,
    ];
    let names = [
        "neither",
        "fuel that yields",
        "epochs",
        "fuel that yields and epochs",
    ];
    let (ours, all, here) = (Ours::new(&bytes)?, policy(&[])?, Path::new("/"));
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    for (name, host) in names.into_iter().zip(&hosts) {
        let (runtime, work) = (&runtime, &work);
        contenders.push(Contender::new(name, move || {
            runtime.block_on(host.work(work, here)).map(drop)
        }));
    }
    contenders.push(Contender::new("ours", || {
        runtime
            .block_on(ours.work(&work, call(here, all.clone())))
            .map(drop)
    }));
    contenders.push(Contender::new("native", || {
        bench::run(&work)?;
        Ok(())
    }));
    let taken = rounds::run(scale.rounds, &mut contenders)?;
    let Some((none, others)) = taken.split_first() else {
        return Err("nobody took part".into());
    };
    let row = |one: &Taken| Row::new("JSON read and written", one, none, Goal::None);
    Ok(others.iter().map(row).collect())
}
