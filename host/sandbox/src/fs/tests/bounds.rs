//! What a verb may take of time, and what its price may tell.

use super::*;

/// What has no more time ends, however little fuel it has used; the guest never sees the answer.
#[test]
fn searches_and_listings_end_at_the_deadline() {
    let mut world = world(false);
    let late = Meter::new(Fuel(1 << 40), Bytes(1 << 20)).ending(Some(std::time::Instant::now()));
    late.enter_host(1 << 40);
    world.fs.meter = Arc::new(late);
    let ends =
        |answer: Answer<()>| matches!(answer, Err(Stop::Code(ErrorCode::InsufficientMemory)));
    assert!(ends(world.fs.list(&world.root).map(drop)));
    // This one has two names, which makes its other one be searched for.
    assert!(ends(
        world
            .fs
            .stat_at(&world.root, Keep, "docs/alias.txt")
            .map(drop)
    ));
    let root = world.root.clone();
    assert!(ends(world.fs.rename_at(
        &root,
        "docs/deep",
        &root,
        "out/deep"
    )));
}

/// A guest can read its fuel off its clock: what is hidden must not show there.
#[test]
fn a_listing_costs_by_what_it_shows() {
    both(|world| {
        let cost = || {
            let before = world.fs.meter.used();
            let place = world.dir("docs");
            assert!(world.fs.list(&place).is_ok());
            world.fs.meter.used() - before
        };
        let before = cost();
        for n in 0..50 {
            fs::write(world.dir.path().join(format!("docs/{n}.key")), SECRET).unwrap();
        }
        assert_eq!(cost(), before);
        fs::write(world.dir.path().join("docs/shown.md"), "").unwrap();
        assert!(cost() > before);
    });
}

/// A guest that could see how far the judge came would find out a denied name by names of its own before and after it.
#[test]
fn a_move_that_is_refused_costs_the_same_wherever_the_denied_name_stands() {
    let cost = |denied: &str| {
        let mut world = world(false);
        let at = world.dir.path().join("docs/moving");
        fs::create_dir(&at).unwrap();
        for name in ["b.md", "c.md", "d.md", denied] {
            fs::write(at.join(name), "").unwrap();
        }
        let root = world.root.clone();
        let before = world.fs.meter.used();
        let moved = world.fs.rename_at(&root, "docs/moving", &root, "out/moved");
        assert!(matches!(moved, Err(Stop::Denied(_))), "{moved:?}");
        world.fs.meter.used() - before
    };
    assert_eq!(cost("a.key"), cost("z.key"));
}
