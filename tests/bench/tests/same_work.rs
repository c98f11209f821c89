//! Whoever is compared does the same work: the sums of what they saw are the same, in small and without a clock.

use std::path::Path;

use bench::{Sum, Work, name};
use ringfence_bench::Outcome;
use ringfence_bench::groups::files::Hosts;
use ringfence_bench::tree::Tree;

const FILES: u64 = 20;

fn work(kind: &str, path: &str) -> Work {
    Work {
        kind: kind.to_owned(),
        count: FILES,
        bytes: 7,
        path: path.to_owned(),
    }
}

#[test]
fn every_host_sees_the_same() {
    let hosts = Hosts::new().unwrap();
    let tree = Tree::new(FILES, 100, 1_000).unwrap();
    for (kind, path, expect) in [
        ("read", "small", (FILES, FILES * 100)),
        ("stat", "small", (FILES, FILES * 8)),
        ("list", "small", (FILES, FILES * name(0).len() as u64)),
        ("scan", "large", (1_000_u64.div_ceil(7), 1_000)),
        ("write", "made", (FILES, FILES * 7)),
        ("json", "", (FILES, 0)),
    ] {
        for kind in [kind.to_owned(), format!("std-{kind}")] {
            if kind == "std-json" {
                continue;
            }
            let work = work(&kind, path);
            let native = hosts.native(&work, tree.path()).unwrap();
            let Sum { items, bytes, .. } = native;
            assert_eq!(items, expect.0, "{kind}");
            assert!(bytes == expect.1 || kind == "json", "{kind}: {bytes}");
            tree.clear().unwrap();
            type Host = fn(&Hosts, &Work, &Path) -> Outcome<Sum>;
            let others: [(&str, Host); 3] = [
                ("ours", Hosts::ours),
                ("stock", Hosts::stock),
                ("stock on one thread", Hosts::stock_on_this_thread),
            ];
            for (host, run) in others {
                let sum = run(&hosts, &work, tree.path()).unwrap();
                assert_eq!(sum, native, "{kind} by {host}");
                if path == "made" {
                    assert_eq!(tree.clear().unwrap(), FILES, "{kind} by {host}");
                }
            }
        }
    }
}
